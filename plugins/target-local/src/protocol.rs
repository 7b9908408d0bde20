//! The runtime's control protocol, as far as this plugin speaks it: what it writes it writes whole, what it reads it reads in part,
//! so that the runtime may learn to say more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::settings::Readiness;

/// What shall run. Fence and operation key are added by the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DesiredState {
    pub(crate) port: u16,
    pub(crate) stable: Option<Group>,
    pub(crate) candidate: Option<Group>,
    pub(crate) traffic: Option<Traffic>,
    pub(crate) drain_timeout_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    pub(crate) release: String,
    pub(crate) artifact_digest: String,
    pub(crate) command: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) instances: u16,
    pub(crate) readiness: Readiness,
    pub(crate) stop_timeout_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Traffic {
    pub(crate) candidate_basis_points: u16,
    pub(crate) matches: Vec<Match>,
    pub(crate) mirror_basis_points: u16,
    pub(crate) sticky: Option<Key>,
    pub(crate) release_header: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cookie: Option<String>,
    pub(crate) value: String,
    pub(crate) side: Side,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Key {
    Cookie(String),
    Header(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Side {
    Stable,
    Candidate,
}

/// What really runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) fence: u64,
    pub(crate) groups: Vec<GroupStatus>,
    pub(crate) traffic: Option<TrafficStatus>,
    pub(crate) public_endpoint: Option<String>,
    pub(crate) converged: bool,
    pub(crate) message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupStatus {
    pub(crate) side: Side,
    pub(crate) release: String,
    pub(crate) artifact_digest: String,
    pub(crate) instances: u16,
    pub(crate) ready: u16,
    pub(crate) starting: u16,
    pub(crate) failed: u16,
    pub(crate) restarts: u32,
    pub(crate) last_error: Option<String>,
    pub(crate) endpoints: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrafficStatus {
    pub(crate) candidate_basis_points: u16,
}

impl Status {
    pub(crate) fn group(&self, side: Side) -> Option<&GroupStatus> {
        self.groups.iter().find(|group| group.side == side)
    }

    pub(crate) fn candidate_basis_points(&self) -> u16 {
        self.traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points)
    }
}

impl DesiredState {
    pub(crate) fn group(&self, side: Side) -> Option<&Group> {
        match side {
            Side::Stable => self.stable.as_ref(),
            Side::Candidate => self.candidate.as_ref(),
        }
    }
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Stable, Self::Candidate];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
        }
    }
}
