//! What can be said to the runtime, and what it answers. JSON, camel case; an unknown key is an error that names the known ones.
//!
//! `PUT /v1/scopes/{environment}/{service}` takes a [`DesiredState`] and answers with a [`Status`], or 409 [`Conflict`], 422
//! [`Refusal`] (the state makes no sense), 503 [`Refusal`] (it does, but the machine is in the way; trying again may help).
//! `GET` on the same answers with the [`Status`], or 404. `GET …/logs?side=&release=&lines=` answers with [`Logs`],
//! `GET /v1/scopes` with [`Scopes`], `GET /v1/health` with [`Health`]. There is no `DELETE`: removal is the state with both sides null.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

/// All of the traffic, in basis points.
pub const BASIS_POINTS_ALL: u16 = 10_000;

/// What shall run for one service in one environment. Absolute: it replaces whatever was asked for before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DesiredState {
    /// Grows with every intent. A lower one than the highest seen is refused; the same one must bring the same state.
    pub fence: u64,
    /// The key of the effect that this state belongs to; reported back, not interpreted.
    pub operation_key: String,
    /// The public port of the service. 0: the runtime picks one, keeps it, and reports it.
    pub port: u16,
    /// What is known good. Must be said, if only as null: a forgotten key must not remove a service.
    #[serde(deserialize_with = "said")]
    pub stable: Option<Group>,
    /// What is being tried.
    #[serde(deserialize_with = "said")]
    pub candidate: Option<Group>,
    /// How requests are spread. Null: nobody is served, callers get 503 while the groups run.
    #[serde(deserialize_with = "said")]
    pub traffic: Option<Traffic>,
    /// How long requests in flight may take to finish before their instance is stopped, in milliseconds.
    pub drain_timeout_ms: u64,
}

/// One release and how to run it. Release, digest, command and environment are its identity; the rest may change while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Group {
    /// The release's name.
    pub release: String,
    /// The folder to run it from: `sha256:` and 64 hexadecimal digits.
    pub artifact_digest: String,
    /// Program and arguments. A program with a slash, or one that lies at the top of the folder, is run from the folder.
    pub command: Vec<String>,
    /// Variables in addition to `PORT`, `HOST` and `PATH`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How many processes.
    pub instances: u16,
    /// When one of them may take requests.
    pub readiness: Readiness,
    /// How long a process gets between being asked to stop and being killed, in milliseconds.
    pub stop_timeout_ms: u64,
}

/// When an instance may take requests: enough probes in a row were answered with a 2xx.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Readiness {
    /// What is asked for with GET, beginning with a slash.
    pub path: String,
    /// The time between two probes, in milliseconds.
    pub interval_ms: u64,
    /// How long one probe may take, in milliseconds.
    pub timeout_ms: u64,
    /// How many in a row.
    pub successes: u32,
}

/// How requests are spread. Rules are looked at in this order: matches, stickiness, weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Traffic {
    /// The candidate's share, 0 to 10 000; the stable side has the rest.
    pub candidate_basis_points: u16,
    /// Requests that go to a side whatever the weights say; the first that fits wins.
    #[serde(default)]
    pub matches: Vec<Match>,
    /// The share of the stable side's requests that is copied to the candidate, 0 to 10 000.
    #[serde(default)]
    pub mirror_basis_points: u16,
    /// What keeps a caller on one side. Null: nothing.
    #[serde(default)]
    pub sticky: Option<Sticky>,
    /// Whether answers carry `x-towpath-release`.
    #[serde(default)]
    pub release_header: bool,
}

/// A rule that sends requests with a header or a cookie of a certain value to a side. Exactly one of the two is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Match {
    /// The header's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The cookie's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// The value it must have, exactly.
    pub value: String,
    /// Where such a request goes.
    pub side: Side,
}

/// What keeps a caller on one side: the value's hash is a point in 0..10 000, and points below the weight belong to the candidate. A
/// growing weight moves callers to the candidate and none back. A request without it is spread by weight; the router sets no cookies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Sticky {
    /// The value of this cookie.
    Cookie(String),
    /// The value of this header.
    Header(String),
}

/// One of the two things that may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// What is known good.
    Stable,
    /// What is being tried.
    Candidate,
}

impl Side {
    /// Returns the side that is not this one.
    pub fn other(self) -> Self {
        match self {
            Self::Stable => Self::Candidate,
            Self::Candidate => Self::Stable,
        }
    }

    /// Returns the word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
        }
    }
}

impl DesiredState {
    /// Returns what is wanted on a side.
    pub fn group(&self, side: Side) -> Option<&Group> {
        match side {
            Side::Stable => self.stable.as_ref(),
            Side::Candidate => self.candidate.as_ref(),
        }
    }
}

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

/// The counters of one release: they only grow, until `sinceUnixMs` changes because the runtime was restarted.
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

/// Reads an option that must be written, even if as null: with serde's own rule a missing key and null are the same.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_not_said_does_not_remove_a_service() {
        let text = r#"{"fence":1,"operationKey":"k","port":0,"candidate":null,"traffic":null,"drainTimeoutMs":0}"#;
        let error = serde_json::from_str::<DesiredState>(text).unwrap_err().to_string();
        assert!(error.contains("missing field `stable`"), "{error}");
    }

    #[test]
    fn the_wire_form_of_traffic() {
        let text = r#"{"candidateBasisPoints":500,"matches":[{"header":"x-beta","value":"1","side":"candidate"}],"mirrorBasisPoints":0,"sticky":{"cookie":"user"}}"#;
        let traffic: Traffic = serde_json::from_str(text).unwrap();
        assert_eq!(traffic.sticky, Some(Sticky::Cookie("user".to_owned())));
        assert_eq!(traffic.matches[0].header.as_deref(), Some("x-beta"));
        assert_eq!(traffic.matches[0].side, Side::Candidate);
    }
}
