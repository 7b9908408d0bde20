//! The decisions: pure, total functions over [`model`].
//!
//! `decide(state, command, now) -> events`, `apply(state, event) -> state`, `owed(state) -> effects`. Nothing here reads a
//! clock, makes an id or performs anything; recovery after a crash is the same fold and the same `owed`.
//!
//! In reading order: [`decide`] looks a command up in the table of [`legality`] and hands it to its file in `commands`;
//! `forward`, `watch` and `back` are the motions that commands set off; `apply` is the only place where a state changes;
//! [`invariants`] is what must hold whatever happens, as functions.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

extern crate alloc;

pub mod invariants;
pub mod legality;
pub mod limits;

mod apply;
mod back;
mod commands;
mod desired;
mod draft;
mod forward;
mod journaled;
mod owed;
mod plan;
mod refusal;
mod waiting;
mod watch;

pub use apply::{apply, fold};
pub use commands::{decide, request};
pub use journaled::Journaled;
pub use owed::{deadline, owed};
pub use plan::{PlanFault, check_plan};
pub use refusal::Refusal;
pub use waiting::waiting;
