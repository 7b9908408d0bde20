//! The way of a request: which side, which instance, and back.
//!
//! One table per service says who may serve; it is replaced as a whole and read without a lock, so that weights change under running
//! connections. What it is not: it does not know why a weight is what it is, nor who is allowed to be ready.

pub(crate) mod body;
pub(crate) mod choice;
pub(crate) mod forward;
pub(crate) mod headers;
pub(crate) mod listener;
pub(crate) mod mirror;
pub(crate) mod table;
pub(crate) mod tunnel;
pub(crate) mod upstream;
