//! The decisions: pure, total functions over [`model`].
//!
//! `decide(state, command, now) -> events`, `apply(state, event) -> state`, `owed(state) -> effects`. Nothing here reads a
//! clock, makes an id or performs anything; recovery after a crash is the same fold and the same `owed`.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

extern crate alloc;

mod refusal;

pub use refusal::Refusal;
