//! What is said to and by a health check.

use super::Measurement;

/// What is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subjects {
    /// What served before, if it still runs.
    pub stable: Option<Subject>,
    /// What is being tried, if it runs.
    pub candidate: Option<Subject>,
    /// Where callers reach the service: `host:port`.
    pub public_endpoint: Option<String>,
}

/// One side that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Its release.
    pub release: String,
    /// What people call the release ("v2").
    pub label: String,
    /// What it runs: "sha256:" and 64 hexadecimal digits.
    pub artifact_digest: String,
    /// Where this side alone is reached, if it is: `host:port`.
    pub endpoint: Option<String>,
    /// Units of capacity that can serve.
    pub ready: u32,
    /// Units of capacity that shall.
    pub wanted: u32,
    /// Its share of the traffic, in basis points.
    pub basis_points: u16,
}

/// The time that is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// When the watch began, in Unix milliseconds.
    pub started_ms: i64,
    /// When it ends at the earliest, in Unix milliseconds.
    pub ends_ms: i64,
}

/// A verdict with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The verdict.
    pub verdict: HealthVerdict,
    /// The numbers it rests on.
    pub measurements: Vec<Measurement>,
    /// One sentence for people.
    pub sentence: String,
    /// What the plugin wants to be given at its next look.
    pub state: Option<Vec<u8>>,
    /// When it would like to look again, in milliseconds.
    pub next_look_ms: Option<u32>,
}

/// A health check's verdict. No data is not healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthVerdict {
    /// The candidate is well.
    Healthy,
    /// It is not.
    Unhealthy,
    /// There is not enough to tell.
    Inconclusive,
    /// The check itself failed.
    Error,
}
