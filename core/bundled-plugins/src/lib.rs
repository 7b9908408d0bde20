//! The first-party plugins as components, carried as bytes.
//!
//! They are built by this crate's build script with the same tool as everyone else's plugins; nothing about them is special but that
//! they need not be installed.

/// One first-party plugin.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// Its name, which is the name in its manifest.
    pub name: &'static str,
    /// The component's digest: "sha256:" and 64 hexadecimal digits.
    pub digest: &'static str,
    /// The component.
    pub component: &'static [u8],
}

/// Returns all first-party plugins, in the order of their names.
pub fn all() -> &'static [Bundled] {
    ALL
}

const ALL: &[Bundled] = include!(concat!(env!("OUT_DIR"), "/plugins.rs"));
