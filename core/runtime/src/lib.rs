//! The local runtime: supervises service processes and routes HTTP in front of them.
//!
//! It runs as a process of its own (`towpath runtime`), so that the engine can die without dropping a request. It is told absolute
//! desired states over a Unix socket, stores each with its fence before it acts, runs the wanted releases from the immutable folders of
//! the [`artifact`] store, and spreads the requests of one public port per service over them.
//!
//! What this room is not: it decides nothing about a deployment. It knows no steps, no verdicts and no history, and it never changes a
//! weight or stops a release because of what it measures; it counts, and whoever drives it asks.
//!
//! In reading order: [`protocol`] is what can be said, [`client`] says it, `control` hears it, `scope` turns a desired state into
//! processes and routes, `supervise` runs one process, `route` forwards one request, `metrics` shows over TCP what was counted.

pub mod client;
mod clock;
mod control;
mod counters;
mod error;
pub mod limits;
mod metrics;
mod options;
pub mod protocol;
mod route;
mod running;
mod scope;
mod store;
mod supervise;

pub use error::StartError;
pub use model::Scope;
pub use options::Options;
pub use running::{Running, Runtime};
