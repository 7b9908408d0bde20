//! Running one process: starting, probing, restarting, stopping, and cleaning up after a runtime that was killed.
//!
//! What it is not: it does not decide how many processes run or which release; `scope` does.

pub(crate) mod backoff;
pub(crate) mod instance;
pub(crate) mod leftovers;
pub(crate) mod logs;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod readiness;
pub(crate) mod telemetry;
