//! A finished plan: its hash, and how it explains itself.

pub(crate) mod explain;
pub(crate) mod hash;
pub(crate) mod render;
pub(crate) mod watch;
