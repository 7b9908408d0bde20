//! The host's words and the model's, translated by hand both ways.

pub(crate) mod ask;
pub(crate) mod hear;
