//! What the engine needs from outside.

use async_trait::async_trait;
use model::{Call, PluginUse, Report, State, Timestamp};

/// Performs calls: effects become plugin calls.
#[async_trait]
pub trait Driver: Send + Sync + 'static {
    /// Performs one attempt of an operation and returns what came back. Always returns: what fails, fails into
    /// `ReportOutcome::Lost`. The returned report carries the call's key and attempt.
    ///
    /// Dropping the future ends the call and closes its connections; what it did by then is unknown to the caller.
    /// When `call.operation.outcome_unknown` is set, the driver observes first and repeats with the same key and fence.
    async fn perform(&self, call: Call, plugin: PluginUse, state: &State) -> Report;
}

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Returns the wall-clock time; for records and deadlines.
    fn now(&self) -> Timestamp;
}
