//! What is deployed, and the absolute state that a target is asked for.

use alloc::string::String;

use crate::{Digest, Percent, ReleaseId, Routing, Side};

/// An immutable thing built once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Artifact {
    /// Where it came from, as it was given ("file:///…", "registry/name").
    pub reference: String,
    /// What it is; a tag was resolved to this when the artifact entered.
    pub digest: Digest,
}

/// What a target needs to know to run a release.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReleaseSpec {
    /// The release's name: its own hash.
    pub id: ReleaseId,
    /// What people call it ("v2"); says nothing to the machine.
    pub label: String,
    /// What to run.
    pub artifact: Artifact,
    /// How to run it: a JSON object whose shape belongs to the target (command, environment, port, readiness, instances).
    pub configuration: String,
}

/// An absolute desired state; never a delta. Both sides absent means that nothing shall run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Desired {
    /// The stable side.
    pub stable: Option<SideDesired>,
    /// The candidate side.
    pub candidate: Option<SideDesired>,
    /// How requests are spread.
    pub routing: Routing,
}

/// One side of a desired state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SideDesired {
    /// What runs there.
    pub release: ReleaseSpec,
    /// How much of the environment's full capacity.
    pub capacity: Percent,
}

impl Desired {
    /// Returns what is wanted on a side.
    pub fn side(&self, side: Side) -> Option<&SideDesired> {
        match side {
            Side::Stable => self.stable.as_ref(),
            Side::Candidate => self.candidate.as_ref(),
        }
    }
}
