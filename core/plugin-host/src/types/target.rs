//! What is said to and by a target.

use super::{Fault, Side};

/// What a target can do; a strategy that needs more is refused when it is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Traffic can be split by weight.
    pub weights: bool,
    /// The smallest share that can be set, in basis points.
    pub weight_granularity_basis_points: u16,
    /// Requests can be sent to a side by a header's value.
    pub header_match: bool,
    /// Requests can be sent to a side by a cookie's value.
    pub cookie_match: bool,
    /// A caller can be kept on one side.
    pub sticky: bool,
    /// Requests can be copied to the candidate.
    pub mirror: bool,
    /// All traffic can be moved at once.
    pub instant_switch: bool,
    /// How writes of the past are kept out.
    pub fencing: Fencing,
}

/// How a target is protected against writes that arrive late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fencing {
    /// It compares the fence itself, in the write.
    Native,
    /// It cannot: whoever calls ends the call and waits out the longest flight before any conflicting effect.
    Quiesce,
}

/// An absolute desired state. Both sides absent: nothing shall run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The stable side.
    pub stable: Option<SideDesired>,
    /// The candidate side.
    pub candidate: Option<SideDesired>,
    /// How requests are spread; absent when nobody is served.
    pub traffic: Option<Traffic>,
}

/// One side of a desired state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SideDesired {
    /// The release's name.
    pub release: String,
    /// Where its artifact came from.
    pub artifact_reference: String,
    /// What it is: "sha256:" and 64 hexadecimal digits.
    pub artifact_digest: String,
    /// How it is run: a JSON object as text, whose shape belongs to the target.
    pub configuration: String,
    /// How much of the environment's full capacity, in percent.
    pub capacity_percent: u8,
}

/// How requests are spread over the sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The candidate's share in basis points, 0 to 10000; the stable side has the rest.
    pub candidate_basis_points: u16,
    /// Requests that go to a side whatever the weights say; the first that fits wins.
    pub matches: Vec<RouteMatch>,
    /// The share of the stable side's requests that is copied to the candidate, in basis points.
    pub mirror_basis_points: u16,
    /// What keeps a caller on one side.
    pub sticky: Option<RequestKey>,
}

/// A rule that sends matching requests to a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMatch {
    /// What is looked at.
    pub on: RequestKey,
    /// The value it must have.
    pub value: String,
    /// Where such a request goes.
    pub to: Side,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestKey {
    /// The header of this name.
    Header(String),
    /// The cookie of this name.
    Cookie(String),
}

/// What really runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The sides that exist.
    pub sides: Vec<SideObservation>,
    /// The candidate's weight in force, in basis points.
    pub candidate_basis_points: u16,
    /// Where callers reach the service: `host:port`.
    pub public_endpoint: Option<String>,
    /// The highest fence the target has seen.
    pub highest_fence: u64,
    /// Differences from the desired state that nobody ordered, for people.
    pub drift: Vec<String>,
    /// What the plugin wants to be given next time.
    pub state: Option<Vec<u8>>,
}

/// What runs on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideObservation {
    /// Which side.
    pub side: Side,
    /// The release, as the target knows it.
    pub release: String,
    /// The digest of what runs.
    pub artifact_digest: String,
    /// Units of capacity that can serve.
    pub ready: u32,
    /// Units of capacity that shall.
    pub wanted: u32,
    /// Where this side alone is reached: `host:port`.
    pub endpoint: Option<String>,
}

/// How a reconcile stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The world is as desired, and was seen to be.
    Converged(Observation),
    /// It is on its way; call again.
    InProgress(Pending),
    /// It failed.
    Failed(Fault),
    /// The target has seen a higher fence: the write is of the past.
    Superseded {
        /// The fence it has seen.
        highest_fence: u64,
    },
}

/// What is known of a reconcile on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What was seen.
    pub observation: Observation,
    /// When to call again, in milliseconds.
    pub retry_after_ms: u32,
    /// What it waits for, for people.
    pub message: String,
}

/// One thing that a reconcile would change, as a sentence.
pub type Change = String;
