//! One service in one environment: keeps what runs and what is routed equal to what was asked for.
//!
//! A scope is one task that takes one message at a time. `plan` says what to do and is pure; the task does it. What it is not: it does
//! not judge health and it remembers no history; the desired state in force is all it goes by.

mod actor;
mod departed;
mod group;
mod handle;
mod identity;
mod plan;
mod report;

pub(crate) use actor::Shared;
pub(crate) use handle::{ApplyError, ScopeHandle};
pub(crate) use identity::identity;
pub(crate) use report::{Counted, Reading, ReadyInstance};
