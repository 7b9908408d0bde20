//! What can be said to the runtime, and what it answers. JSON, camel case; an unknown key is an error that names the known ones.
//!
//! `PUT /v1/scopes/{environment}/{service}` takes a [`DesiredState`] and answers with a [`Status`], or 409 [`Conflict`], 422
//! [`Refusal`] (the state makes no sense), 503 [`Refusal`] (it does, but the machine is in the way; trying again may help).
//! `GET` on the same answers with the [`Status`], or 404. `GET …/logs?side=&release=&lines=` answers with [`Logs`],
//! `GET /v1/scopes` with [`Scopes`], `GET /v1/health` with [`Health`]. There is no `DELETE`: removal is the state with both sides null.

mod answers;
mod desired;
mod status;

use serde::{Deserialize, Serialize};

pub use answers::{Conflict, Health, LogLine, LogQuery, Logs, Refusal, ScopeSummary, Scopes, Stream, Superseded};
pub use desired::{BASIS_POINTS_ALL, DesiredState, Group, Match, Readiness, Sticky, Traffic};
pub use status::{GroupStatus, Latency, LatencyBucket, RetiringGroup, SideCounters, SidesCounters, Status, StatusClasses};

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
