//! What the service is told: one document per service and environment.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use towpath_sdk::prelude::*;
use towpath_sdk::target::{SideDesired, SideObservation};

use crate::{Endpoints, Settings};

/// The document. The service runs what it says; the fence is that of its last writer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) fence: u64,
    pub(crate) stable: Option<Running>,
    pub(crate) candidate: Option<Running>,
    pub(crate) candidate_basis_points: u16,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Running {
    pub(crate) release: String,
    digest: String,
    configuration: Map<String, Value>,
    capacity_percent: u8,
}

impl Document {
    /// Returns the document that a call asks for. What this target cannot do is refused: to leave it out would serve the wrong people.
    pub(crate) fn wanted(call: &Call<Settings>, desired: &Desired) -> Result<Self, Fault> {
        if let Some(traffic) = &desired.traffic {
            let spread = !traffic.matches.is_empty() || traffic.sticky.is_some() || traffic.mirror_basis_points > 0;
            if spread {
                return Err(Fault::permanent(
                    "the service can split traffic by weight alone: no matches, no stickiness, no mirror",
                ));
            }
        }
        Ok(Self {
            fence: call.context.fence,
            stable: desired.stable.as_ref().map(Running::wanted).transpose()?.flatten(),
            candidate: desired.candidate.as_ref().map(Running::wanted).transpose()?.flatten(),
            candidate_basis_points: desired.traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points),
        })
    }

    /// Returns what the document says in the contract's words.
    pub(crate) fn observation(&self, endpoints: &Endpoints) -> Observation {
        let sides = [(Side::Stable, &self.stable, &endpoints.stable), (Side::Candidate, &self.candidate, &endpoints.candidate)];
        let seen = |(side, running, endpoint): (Side, &Option<Running>, &Option<String>)| {
            let Running { release, digest, .. } = running.clone()?;
            Some(SideObservation { side, release, artifact_digest: digest, ready: 1, wanted: 1, endpoint: endpoint.clone() })
        };
        Observation {
            sides: sides.into_iter().filter_map(seen).collect(),
            candidate_basis_points: self.candidate_basis_points,
            public_endpoint: endpoints.public.clone(),
            highest_fence: self.fence,
            drift: Vec::new(),
            state: None,
        }
    }
}

impl Running {
    /// Returns what shall run on a side; nothing if it has no capacity.
    fn wanted(side: &SideDesired) -> Result<Option<Self>, Fault> {
        let SideDesired { release, artifact_digest, configuration, capacity_percent, .. } = side;
        let configuration = serde_json::from_str(configuration)
            .map_err(|error| Fault::permanent(format!("the configuration of release {release} is no JSON object: {error}")))?;
        let wanted = Self {
            release: release.clone(),
            digest: artifact_digest.clone(),
            configuration,
            capacity_percent: *capacity_percent,
        };
        Ok((*capacity_percent > 0).then_some(wanted))
    }

    fn said(running: Option<&Self>) -> String {
        running.map_or_else(|| "nothing".to_owned(), |running| format!("{} at {} %", running.release, running.capacity_percent))
    }
}

/// Returns what a write would change, one sentence each. The fence alone is no change to anybody who is served.
pub(crate) fn changes(found: Option<&Document>, wanted: &Document) -> Vec<String> {
    let nothing = Document::default();
    let found = found.unwrap_or(&nothing);
    let sides = [("stable", &found.stable, &wanted.stable), ("candidate", &found.candidate, &wanted.candidate)];
    let changed = sides.into_iter().filter(|(_, now, then)| now != then);
    let mut changes: Vec<_> = changed
        .map(|(side, now, then)| match (Running::said(now.as_ref()), Running::said(then.as_ref())) {
            (now, then) if now == then => format!("{side} gets another configuration or digest of {then}"),
            (now, then) => format!("{side} goes from {now} to {then}"),
        })
        .collect();
    let (now, then) = (found.candidate_basis_points, wanted.candidate_basis_points);
    if now != then {
        changes.push(format!("the candidate's weight goes from {now} to {then} basis points"));
    }
    changes
}
