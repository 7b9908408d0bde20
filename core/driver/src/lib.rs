//! Effects become plugin calls, and what comes back becomes a report.
//!
//! The driver implements the engine's port [`engine::Driver`] over [`plugin_host`]: it finds the plugin, builds its context,
//! observes first where an earlier outcome is unknown, and translates words both ways. It decides nothing: retries, deadlines
//! and verdicts are the machine's.
#![forbid(unsafe_code)]

mod describe;
mod limits;
mod perform;
mod ports;
mod quiesce;
mod registry;
mod said;
mod words;

pub use describe::DescribeError;
pub use perform::PluginDriver;
pub use ports::{EvidenceError, EvidenceSource, GrantSource};
pub use registry::Registry;
