//! Requests that go another way than by weights: what they carry sends them to a side, or the candidate receives a copy of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is ordered of such requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Routes {
    /// How many of the requests that go by weights the candidate receives a copy of, in basis points. The answers to copies reach nobody.
    pub(crate) mirror: u16,
    /// Which requests go to a side whatever the weights are; the first that fits counts.
    pub(crate) matches: Vec<Match>,
    /// The stable side's servers that may be given such requests.
    pub(crate) stable: Vec<String>,
    /// The candidate's servers that may be given such requests.
    pub(crate) candidate: Vec<String>,
}

/// Requests that go to a side by what they carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Match {
    pub(crate) on: Part,
    /// The value that it has then.
    pub(crate) value: String,
    pub(crate) to: To,
}

/// The part of a request that is looked at, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Part {
    Header(String),
    Cookie(String),
}

/// A side that requests go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum To {
    Stable,
    Candidate,
}

/// Where such requests go, as it is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Routed {
    /// The stable side's servers, and whether each of them answers.
    pub(crate) stable: BTreeMap<String, bool>,
    /// The candidate's.
    pub(crate) candidate: BTreeMap<String, bool>,
    /// The balancer's own table of routes.
    pub(crate) table: Value,
    /// Whether something must be written that what was ordered comes into force.
    pub(crate) is_due: bool,
    /// What is waited for until that.
    pub(crate) waits: Option<String>,
}

impl Routes {
    /// Returns whether no request goes another way.
    pub(crate) fn are_none(&self) -> bool {
        self.mirror == 0 && self.matches.is_empty()
    }

    /// Returns whether requests, or copies of them, go to a side by these routes.
    pub(crate) fn lead_to(&self, side: To) -> bool {
        (side == To::Candidate && self.mirror > 0) || self.matches.iter().any(|chosen| chosen.to == side)
    }

    /// Returns what is wanted, with the servers that may be given such requests; nothing of it without a candidate.
    pub(crate) fn over(&self, stable: &[String], candidate: &[String]) -> Self {
        if self.are_none() || candidate.is_empty() {
            return Self::default();
        }
        let stable = if self.lead_to(To::Stable) { stable } else { &[] };
        Self { stable: stable.to_vec(), candidate: candidate.to_vec(), ..self.clone() }
    }

    /// Returns the servers of a side.
    pub(crate) fn of(&self, side: To) -> &[String] {
        match side {
            To::Stable => &self.stable,
            To::Candidate => &self.candidate,
        }
    }

    /// Returns the servers of both sides.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &String> {
        self.stable.iter().chain(&self.candidate)
    }
}

impl To {
    /// Both sides.
    pub(crate) const ALL: [Self; 2] = [Self::Stable, Self::Candidate];

    /// Returns the side's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
        }
    }
}

impl Routed {
    /// Returns a side's servers.
    pub(crate) fn of(&self, side: To) -> &BTreeMap<String, bool> {
        match side {
            To::Stable => &self.stable,
            To::Candidate => &self.candidate,
        }
    }
}
