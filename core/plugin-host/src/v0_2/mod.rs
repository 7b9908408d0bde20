//! `towpath:plugin@0.2.0`: the bindings, and the door where its words become the newest ones.

pub(crate) mod bindings;
mod context;
mod powers;

#[path = "../words/bare.rs"]
mod bare;
#[path = "../words/calls.rs"]
mod calls;
#[path = "../words/lift.rs"]
mod lift;
#[path = "../words/lower.rs"]
mod lower;

use bare::{measurement, subject};

pub(crate) use calls::Exports;
pub(crate) use powers::link;
