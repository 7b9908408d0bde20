//! Builds a plugin crate into a component.
//!
//! What it is: a core module by cargo, the component by `wit-component` in this process, and the manifest as a custom section.
//! `towpath plugin build` and the build of the first-party plugins are the same call. It finds a toolchain that has a standard
//! library for `wasm32-unknown-unknown`, or can build one: see [`Toolchain::find`].
//!
//! What it is not: it runs nothing of the plugin but its settings schema, in a small interpreter whose imports all trap.

mod build;
mod error;

mod cargo;
mod component;
mod environment;
mod manifest;
mod schema;
mod toolchain;

pub use build::{Built, Options, Output, build};
pub use error::BuildError;
pub use manifest::Manifest;
pub use toolchain::Toolchain;
