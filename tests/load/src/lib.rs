//! What the engine needs with thousands of active deployments: memory, time to start, time to decide, time to take over.
//!
//! The `active` bench is the parent: it has servers made of the real engine and the real stores do something each, kills them, and
//! compares. [`serve`] is such a server, in a process of its own so that its memory can be told; [`target`] stands in for plugins.
#![forbid(unsafe_code)]

pub mod serve;
pub mod target;

/// What goes wrong ends the bench with what was found.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
