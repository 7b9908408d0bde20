//! Components made by hand, for what no toolchain would let a guest do.
//!
//! What it is: a [`Forge`] puts a core module in text form, an interface and a manifest together to a health check that the host
//! loads like any other. What it is not: a plugin of the kind that people write; `tests/hostile-plugin` is one.

mod forge;

pub use forge::{Forge, HEALTHY, manifest, with_manifest, with_section};
