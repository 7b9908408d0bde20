//! How plugins travel: OCI registries and folders, pins, mirrors, signatures, lists of materials.
//!
//! A plugin is a component in the Wasm OCI artifact layout, so every tool that speaks to registries can carry it. It is named by a
//! [`Reference`]; a tag is resolved to a digest once, and what is fetched by digest is checked, whoever gave it. Signatures are cosign's, in both
//! of its formats, and [`Trust`] says whose are believed for what. All of it works offline from a [`Folder`].
//!
//! What this room is not: it compiles and runs nothing, installs nothing, and does not know what a plugin may do. It reads no
//! environment; clocks it asks only through `sigstore-verify`, for signatures that claim to be from the future.
//!
//! In reading order:

mod digest;
mod error;
mod reference;

mod config;
mod credentials;

mod manifest;
mod sbom;

mod sign;
mod trust;

mod client;
mod store;
mod travel;

pub use config::{Host, Registries};
pub use digest::digest_of;
pub use error::{Error, Fault};
pub use manifest::COMPONENT_BYTES_MAX;
pub use reference::Reference;
pub use sbom::{Material, Sbom, SbomFormat, of_component as sbom_of_component};
pub use sign::SignatureFormat;
pub use sign::key::{GeneratedKeys, SigningKey, generate_key_pair};
pub use store::folder::Folder;
pub use travel::{Pulled, Pushed, attach_sbom, load, pull, push, save, sign, verify};
pub use trust::{IdentityConfig, KeyConfig, Rule, Signer, Trust, TrustConfig};
