//! What is said to and by a gate.

use super::Measurement;

/// A result that CI attached to the release's artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What kind of result ("junit").
    pub kind: String,
    /// Its name ("unit-tests").
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The digest of its content.
    pub digest: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// A gate's answer with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The answer.
    pub verdict: GateVerdict,
    /// The numbers it rests on.
    pub measurements: Vec<Measurement>,
    /// One sentence for people.
    pub sentence: String,
}

/// A gate's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateVerdict {
    /// The step may go on.
    Pass,
    /// It may not.
    Fail,
    /// Nobody knows yet; ask again after so many milliseconds.
    Wait {
        /// When to ask again.
        retry_after_ms: u32,
    },
    /// The gate could not find out.
    Error,
}
