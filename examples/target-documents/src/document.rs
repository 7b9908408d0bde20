//! What the service is told: one document per service and environment.
//!
//! ```json
//! {
//!   "stable": { "release": "v1", "digest": "sha256:…", "configuration": {}, "capacityPercent": 100 },
//!   "candidateBasisPoints": 0,
//!   "labels": { "towpath-fence": "7", "towpath-operation": "…" },
//!   "applied": { "stable": …, "candidateBasisPoints": 0 }
//! }
//! ```
//!
//! The labels say who wrote last, and `applied` what that was: so the next look tells apart what somebody else changed of it. Fields of
//! others stay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use towpath_sdk::helpers::compare::{Compared, compare};
use towpath_sdk::helpers::stamp::{Order, Stamp};
use towpath_sdk::prelude::*;
use towpath_sdk::target::{SideDesired, SideObservation};

use crate::{Endpoints, Settings};

/// What shall run, as the document says it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Runs {
    #[serde(skip_serializing_if = "Option::is_none")]
    stable: Option<Running>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<Running>,
    candidate_basis_points: u16,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    release: String,
    digest: String,
    configuration: Map<String, Value>,
    capacity_percent: u8,
}

/// A document as it was read. A write of ours begot it: it has our labels.
pub(crate) struct Live {
    document: Value,
    labels: BTreeMap<String, String>,
}

impl Live {
    /// Returns what was read, unless somebody else wrote it.
    pub(crate) fn of(document: Value) -> Result<Self, Fault> {
        let labels = document.get("labels").map(|labels| BTreeMap::deserialize(labels).map_err(|error| error.to_string()));
        match labels {
            Some(Ok(labels)) if Stamp::read(&labels).is_some() => Ok(Self { document, labels }),
            Some(Ok(_)) | None => Err(Fault::permanent("the service's document has no fence, so it is somebody else's")),
            Some(Err(why)) => Err(Fault::permanent(format!("the labels of the service's document cannot be read: {why}"))),
        }
    }

    /// Returns how a call's fence stands to that of the last writer.
    pub(crate) fn order(&self, call: &Call<Settings>) -> Order {
        Stamp::order(&self.labels, call.context.fence)
    }

    /// Returns what makes the document as a call wants it.
    pub(crate) fn compared(&self, call: &Call<Settings>, wanted: &Runs) -> Compared {
        let mut last = self.last();
        // What only stands there for us is nobody's to change, and no drift.
        for own in ["labels", "applied"] {
            last[own] = self.document[own].clone();
        }
        compare(&last, &self.document, &wanted.document(call))
    }

    /// Returns what the document says in the contract's words.
    pub(crate) fn observation(&self, endpoints: &Endpoints) -> Result<Observation, Fault> {
        let last = self.last();
        Ok(Observation {
            highest_fence: Stamp::read(&self.labels).map_or(0, |stamp| stamp.fence),
            drift: compare(&last, &self.document, &last).drift,
            ..self.runs()?.observation(endpoints)
        })
    }

    /// Returns what runs.
    pub(crate) fn runs(&self) -> Result<Runs, Fault> {
        let unreadable = |error| Fault::permanent(format!("what the service's document says cannot be read: {error}"));
        let mut document = self.document.clone();
        for side in ["stable", "candidate"] {
            // What somebody else keeps there is left when a release goes.
            if document[side].as_object().is_some_and(|side| !side.contains_key("release")) {
                document[side] = Value::Null;
            }
        }
        serde_json::from_value(document).map_err(unreadable)
    }

    /// Returns what the last writer wrote.
    fn last(&self) -> Value {
        self.document.get("applied").filter(|applied| applied.is_object()).cloned().unwrap_or_else(|| json!({}))
    }
}

impl Runs {
    /// Returns what a call asks for. What this target cannot do is refused: to leave it out would serve the wrong people.
    pub(crate) fn wanted(desired: &Desired) -> Result<Self, Fault> {
        if let Some(traffic) = &desired.traffic {
            let spread = !traffic.matches.is_empty() || traffic.sticky.is_some() || traffic.mirror_basis_points > 0;
            if spread {
                return Err(Fault::permanent(
                    "the service can split traffic by weight alone: no matches, no stickiness, no mirror",
                ));
            }
        }
        Ok(Self {
            stable: desired.stable.as_ref().map(Running::wanted).transpose()?.flatten(),
            candidate: desired.candidate.as_ref().map(Running::wanted).transpose()?.flatten(),
            candidate_basis_points: desired.traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points),
        })
    }

    /// Returns all that a call writes.
    pub(crate) fn document(&self, call: &Call<Settings>) -> Value {
        let mut labels = BTreeMap::new();
        Stamp::of(&call.context).write(&mut labels);
        let mut document = json!(self);
        document["applied"] = document.clone();
        document["labels"] = json!(labels);
        document
    }

    /// Returns what runs in the contract's words.
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
            highest_fence: 0,
            drift: Vec::new(),
            state: None,
        }
    }

    /// Returns what a write would change, one sentence each. The fence alone is no change to anybody who is served.
    pub(crate) fn changes(&self, wanted: &Self) -> Vec<String> {
        let sides = [("stable", &self.stable, &wanted.stable), ("candidate", &self.candidate, &wanted.candidate)];
        let changed = sides.into_iter().filter(|(_, now, then)| now != then);
        let mut changes: Vec<_> = changed
            .map(|(side, now, then)| match (Running::said(now.as_ref()), Running::said(then.as_ref())) {
                (now, then) if now == then => format!("{side} gets another configuration or digest of {then}"),
                (now, then) => format!("{side} goes from {now} to {then}"),
            })
            .collect();
        let (now, then) = (self.candidate_basis_points, wanted.candidate_basis_points);
        if now != then {
            changes.push(format!("the candidate's weight goes from {now} to {then} basis points"));
        }
        changes
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
