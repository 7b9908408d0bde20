//! Builds the folder of a plugin into a component.
//!
//! What it is: a core module by cargo, the component by `wit-component` in this process, and the manifest as a custom section; for
//! JavaScript and Python the component by the tool of the language, and the manifest likewise.
//! `towpath plugin build` and the build of the first-party plugins are the same call. It finds a toolchain that has a standard
//! library for `wasm32-unknown-unknown`, or can build one: see [`Toolchain::find`].
//!
//! What it is not: it runs nothing of the plugin but its settings schema, in a small interpreter whose imports all trap.

mod build;
mod error;

pub mod wit;

mod cargo;
mod component;
mod environment;
mod manifest;
mod materials;
mod schema;
mod script;
mod toolchain;

pub use build::{Built, Options, Output, build};
pub use error::BuildError;
pub use manifest::Manifest;
pub use script::{FILE as PLUGIN_FILE, Language};
pub use toolchain::Toolchain;
