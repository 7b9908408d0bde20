//! What is asked for.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::protocol::Side;

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
    /// Variables in addition to `PORT`, `HOST`, `PATH`, and what OpenTelemetry reads about who a process is; of those, these win.
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

impl DesiredState {
    /// Returns what is wanted on a side.
    pub fn group(&self, side: Side) -> Option<&Group> {
        match side {
            Side::Stable => self.stable.as_ref(),
            Side::Candidate => self.candidate.as_ref(),
        }
    }
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
