//! `towpath:plugin@0.3.0`: the bindings, and the door where its words become the newest ones.
//!
//! The newest one: the powers speak its words, and earlier versions are translated to them.

pub(crate) mod bindings;
mod context;
mod full;

#[path = "../words/calls.rs"]
mod calls;
#[path = "../words/lift.rs"]
mod lift;
#[path = "../words/lower.rs"]
mod lower;

use full::{measurement, subject};

pub(crate) use calls::Exports;
