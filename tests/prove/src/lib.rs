//! The model check: the real machine, not a copy of it, in every order of messages, faults and commands, up to a bound.
//!
//! In reading order: `plans` is what is followed; [`system`] is a deployment with everything around it, and the moves that can be
//! made in it; [`check`] explores all of them and says what was found. The invariants are the machine's own.
#![forbid(unsafe_code)]

pub mod check;
pub mod plans;
pub mod system;
