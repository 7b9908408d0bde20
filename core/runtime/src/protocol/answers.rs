//! Every other answer: refusals, lists, logs.

use serde::{Deserialize, Serialize};

use crate::protocol::Side;

/// Answer 409: a newer state was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conflict {
    /// By what.
    pub superseded: Superseded,
}

/// The highest fence that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Superseded {
    /// The fence.
    pub highest_fence: u64,
}

/// Any other refusal, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refusal {
    /// Why.
    pub error: String,
}

/// Which services this runtime was ever told about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scopes {
    /// In the order of their names.
    pub scopes: Vec<ScopeSummary>,
}

/// One service in one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScopeSummary {
    /// Where.
    pub environment: String,
    /// What.
    pub service: String,
    /// The highest fence seen.
    pub fence: u64,
    /// Whether it is as it should be.
    pub converged: bool,
    /// Where callers go.
    pub public_endpoint: Option<String>,
}

/// That the runtime is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Health {
    /// The process.
    pub pid: u32,
    /// How many services it carries.
    pub scopes: u32,
}

/// What services wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Logs {
    /// The latest lines, oldest first.
    pub lines: Vec<LogLine>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogLine {
    /// When it was read, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Which instance wrote it.
    pub instance: u32,
    /// Where to.
    pub stream: Stream,
    /// What; bytes that are not UTF-8 were replaced.
    pub text: String,
}

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// By the runtime itself: started, exited, killed.
    Runtime,
}

/// Which log lines are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Of this release, running or not. Wins over `side`.
    pub release: Option<String>,
    /// Of the release on this side. Neither: of both.
    pub side: Option<Side>,
    /// How many; 100 when not said, 1000 at most.
    pub lines: Option<usize>,
}
