//! `towpath:plugin@0.1.0`: the bindings, and the door where its words become the newest ones.
//!
//! A later version of the interface gets a module beside this one; the rest of the room only knows `crate::types`. What both versions
//! say alike is written once, in `words`.

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
