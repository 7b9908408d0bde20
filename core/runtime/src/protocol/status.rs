//! What is told: processes, routes and counters.

use serde::{Deserialize, Serialize};

use crate::protocol::{Side, Traffic};

/// What really runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Status {
    /// The highest fence seen, which is the one of the state in force.
    pub fence: u64,
    /// The key that came with it.
    pub operation_key: String,
    /// The wanted groups, stable first.
    pub groups: Vec<GroupStatus>,
    /// Groups that are no longer wanted and still have processes.
    pub retiring: Vec<RetiringGroup>,
    /// How requests are spread now. Null: nobody is served.
    pub traffic: Option<Traffic>,
    /// Where callers go, as `address:port`. Null while the port is closed.
    pub public_endpoint: Option<String>,
    /// Whether everything wanted is ready, nothing else runs, and the public port is as it should be.
    pub converged: bool,
    /// What is still missing, or what runs, in one sentence.
    pub message: String,
    /// What the router counted.
    pub counters: SidesCounters,
}

/// One wanted group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupStatus {
    /// The side it is on now.
    pub side: Side,
    /// Its release.
    pub release: String,
    /// What it runs from.
    pub artifact_digest: String,
    /// How many instances are wanted.
    pub instances: u16,
    /// How many take requests.
    pub ready: u16,
    /// How many run and are not ready (yet, or any more).
    pub starting: u16,
    /// How many do not run: crashed and waiting for a restart, or refused.
    pub failed: u16,
    /// How often instances of this group were started again after a crash.
    pub restarts: u32,
    /// The last thing that went wrong. Null when nothing did, or when it is long ago.
    pub last_error: Option<String>,
    /// Where the ready instances listen, as `address:port`.
    pub endpoints: Vec<String>,
}

/// A group that is on its way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RetiringGroup {
    /// Its release.
    pub release: String,
    /// How many processes are left.
    pub instances: u16,
}

/// What the router counted per side. A release keeps its counters when it moves from one side to the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SidesCounters {
    /// Of the release that is stable now.
    pub stable: Option<SideCounters>,
    /// Of the release that is the candidate now.
    pub candidate: Option<SideCounters>,
    /// Requests answered with 503 because no side could take them.
    pub unserved: u64,
}

/// The counters of one release, on whichever side it was: they only grow, until `sinceUnixMs` changes because the runtime was restarted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SideCounters {
    /// Whose counters these are.
    pub release: String,
    /// When they were at zero, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// Requests that ended, mirrored ones included.
    pub requests: u64,
    /// Those that failed: 5xx, connect failures, time-outs, answers that broke off.
    pub errors: u64,
    /// Those whose caller went away before the answer began; not counted as errors.
    pub abandoned: u64,
    /// Answers by class of status.
    pub classes: StatusClasses,
    /// Requests that were meant for this release and that the other side served, because nothing here was ready.
    pub spilled: u64,
    /// Copies among the requests; nobody waited for these.
    pub mirrored: u64,
    /// The time until the head of the answer.
    pub latency: Latency,
}

/// Answers by class of status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusClasses {
    /// 1xx: switched protocols.
    pub informational: u64,
    /// 2xx.
    pub success: u64,
    /// 3xx.
    pub redirection: u64,
    /// 4xx.
    pub client_error: u64,
    /// 5xx.
    pub server_error: u64,
}

/// A latency histogram with cumulative buckets: the difference of two readings is the histogram of the time between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Latency {
    /// Growing upper bounds; what is above the last is only in `count`.
    pub buckets: Vec<LatencyBucket>,
    /// All requests.
    pub count: u64,
    /// The sum of their latencies, in milliseconds.
    pub sum_ms: f64,
}

/// How many requests took at most so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LatencyBucket {
    /// The upper bound, in milliseconds.
    pub le_ms: u64,
    /// How many.
    pub count: u64,
}
