//! `runtime`: the local runtime, in the scope of the call.
//!
//! The guest says only what shall run; service, environment, fence and operation key are the host's words, taken from the call.
//! What the guest passes and gets is the runtime's own control protocol (`DesiredState` and `Status`, as JSON).

pub(crate) mod grant;
mod guest;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use serde_json::Value;

/// Whose processes and routes are meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RuntimeScope {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
}

/// The local runtime, as the host reaches it.
#[async_trait]
pub trait RuntimeBackend: Send + Sync + 'static {
    /// Gives the runtime a desired state (its protocol's `DesiredState`, with the call's fence and operation key already in it) and
    /// returns its status. Returns once the state and its fence are durable, not once they are reached.
    async fn apply(&self, scope: &RuntimeScope, desired: Value) -> Result<Value, RuntimeFault>;

    /// Returns the status of the scope; `None` when the runtime knows nothing of it.
    async fn status(&self, scope: &RuntimeScope) -> Result<Option<Value>, RuntimeFault>;

    /// Returns the latest lines that a release's instances wrote, oldest first.
    async fn logs(&self, scope: &RuntimeScope, release: &str, lines: u32) -> Result<Vec<RuntimeLogLine>, RuntimeFault>;
}

/// A line that the service wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeLogLine {
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// Which of the release's instances.
    pub instance: u32,
    /// Where it was written.
    pub stream: RuntimeLogStream,
    /// What it says.
    pub text: String,
}

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeLogStream {
    /// Standard output.
    Output,
    /// Standard error.
    Errors,
    /// The runtime itself, about the instance.
    Runtime,
}

/// Why the runtime did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeFault {
    /// It has seen a higher fence.
    #[error("the runtime has seen fence {highest_fence}")]
    Superseded {
        /// The fence.
        highest_fence: u64,
    },
    /// What was asked for is not valid.
    #[error("the runtime refuses the state: {0}")]
    Invalid(String),
    /// It cannot be reached, or did not answer.
    #[error("the runtime cannot be reached: {0}")]
    Unreachable(String),
}
