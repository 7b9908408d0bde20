//! Desired states in JSON.

use plugin_host::{Desired, RequestKey, RouteMatch, Side, SideDesired, Traffic};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An absolute desired state. Both sides absent: nothing shall run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DesiredForm {
    /// The stable side.
    pub stable: Option<SideForm>,
    /// The candidate side.
    pub candidate: Option<SideForm>,
    /// How requests are spread.
    pub traffic: Option<TrafficForm>,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SideForm {
    /// The release's name.
    pub release: String,
    /// Where its artifact came from.
    #[serde(default)]
    pub artifact_reference: String,
    /// What it is.
    #[serde(default)]
    pub artifact_digest: String,
    /// How it is run.
    #[serde(default = "empty")]
    pub configuration: Value,
    /// How much of the full capacity, in percent.
    #[serde(default = "all")]
    pub capacity_percent: u8,
}

/// How requests are spread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TrafficForm {
    /// The candidate's share.
    pub candidate_basis_points: u16,
    /// Requests that go to a side whatever the weights say.
    pub matches: Vec<MatchForm>,
    /// The share that is copied to the candidate.
    pub mirror_basis_points: u16,
    /// What keeps a caller on one side.
    pub sticky: Option<KeyForm>,
}

/// A rule for some requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MatchForm {
    /// What is looked at.
    pub on: KeyForm,
    /// The value it must have.
    pub value: String,
    /// Where such a request goes.
    pub to: SideName,
}

/// A part of a request: `{"header": "x-canary"}` or `{"cookie": "canary"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyForm {
    /// A header.
    Header(String),
    /// A cookie.
    Cookie(String),
}

/// A side's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SideName {
    /// What served before.
    Stable,
    /// What is being tried.
    Candidate,
}

impl From<&DesiredForm> for Desired {
    fn from(form: &DesiredForm) -> Self {
        Self {
            stable: form.stable.as_ref().map(SideDesired::from),
            candidate: form.candidate.as_ref().map(SideDesired::from),
            traffic: form.traffic.as_ref().map(Traffic::from),
        }
    }
}

impl From<&SideForm> for SideDesired {
    fn from(form: &SideForm) -> Self {
        Self {
            release: form.release.clone(),
            artifact_reference: form.artifact_reference.clone(),
            artifact_digest: form.artifact_digest.clone(),
            configuration: form.configuration.to_string(),
            capacity_percent: form.capacity_percent,
        }
    }
}

impl From<&TrafficForm> for Traffic {
    fn from(form: &TrafficForm) -> Self {
        let rule = |rule: &MatchForm| RouteMatch { on: key(&rule.on), value: rule.value.clone(), to: side(rule.to) };
        Self {
            candidate_basis_points: form.candidate_basis_points,
            matches: form.matches.iter().map(rule).collect(),
            mirror_basis_points: form.mirror_basis_points,
            sticky: form.sticky.as_ref().map(key),
        }
    }
}

fn key(form: &KeyForm) -> RequestKey {
    match form {
        KeyForm::Header(name) => RequestKey::Header(name.clone()),
        KeyForm::Cookie(name) => RequestKey::Cookie(name.clone()),
    }
}

fn side(name: SideName) -> Side {
    match name {
        SideName::Stable => Side::Stable,
        SideName::Candidate => Side::Candidate,
    }
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

fn all() -> u8 {
    100
}
