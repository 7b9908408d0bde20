//! The newest words between host and plugins, free of wasmtime.
//!
//! Every version of the interface is lifted to these types at the door (see `v0_1` and `v0_2`), so the rest of the house knows one form.

use crate::usage::Uses;

mod gate;
mod health;
mod target;
mod words;

pub use gate::{Answer, Evidence, GateVerdict};
pub use health::{Assessment, HealthVerdict, Subject, Subjects, Window};
pub use target::{
    Change, Descriptor, Desired, Fencing, Observation, Pending, Progress, RequestKey, RouteMatch, SideDesired, SideObservation,
    Traffic,
};
pub(crate) use words::Words;

/// What every call is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallContext {
    /// The service that is deployed.
    pub service: String,
    /// The environment it is deployed to.
    pub environment: String,
    /// The plugin's settings in this place: a JSON object, as text.
    pub settings: String,
    /// The deployment; empty outside of one.
    pub deployment: String,
    /// Stable over retries, restarts and take-overs of one operation; empty where nothing is written.
    pub operation_key: String,
    /// Grows with every intent of the scope; 0 where nothing is written.
    pub fence: u64,
    /// Counts the attempts of the operation from 1.
    pub attempt: u32,
    /// When the host gives up on this call, in Unix milliseconds. A deadline in the past ends the call before it begins.
    pub deadline_ms: i64,
    /// Whether an earlier attempt may have had an effect that nobody saw the end of.
    pub outcome_unknown: bool,
    /// What the plugin returned as its state last time.
    pub state: Option<Vec<u8>>,
    /// The digest of the artifact that is being deployed, where there is one.
    pub artifact_digest: Option<String>,
}

/// One of the two things that may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// What served before the deployment.
    Stable,
    /// What the deployment brings.
    Candidate,
}

/// One number that an answer rests on. All of its numbers are finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// What was measured, in kebab-case ("error-rate").
    pub name: String,
    /// The value.
    pub value: f64,
    /// Its unit ("ratio", "ms", "1").
    pub unit: String,
    /// The side it was measured on, if on one.
    pub side: Option<Side>,
    /// The limit it was held against.
    pub limit: Option<f64>,
    /// How many observations it rests on.
    pub samples: Option<u64>,
    /// Within which bounds the true value lies, as the test says; the lower one first.
    pub interval: Option<(f64, f64)>,
    /// The test that held it against its limit, in a few words.
    pub test: Option<String>,
}

impl Measurement {
    /// Returns a bare number.
    pub(crate) fn bare(name: String, value: f64, unit: String) -> Self {
        Self { name, value, unit, side: None, limit: None, samples: None, interval: None, test: None }
    }

    /// Returns the measurement if its numbers are some, or a sentence on what is wrong.
    pub(crate) fn checked(self) -> Result<Self, String> {
        let Self { name, value, limit, interval, .. } = &self;
        if !value.is_finite() || limit.is_some_and(|limit| !limit.is_finite()) {
            return Err(format!("measurement {name} is {value} against {limit:?}, wanted finite numbers"));
        }
        match interval {
            Some((low, high)) if !low.is_finite() || !high.is_finite() || low > high => {
                Err(format!("the interval of measurement {name} is {low} to {high}, wanted finite numbers in growing order"))
            }
            Some(_) | None => Ok(self),
        }
    }
}

/// What went wrong, in the plugin's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A sentence fragment for people.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
}

/// A finished call: the answer, and what the plugin said on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Called<T> {
    /// The answer.
    pub answer: T,
    /// What was logged; bounded, what is too much is cut and counted in the last line.
    pub log: Vec<LogLine>,
    /// What was measured beside the answer.
    pub measurements: Vec<Measurement>,
    /// What was asked of the host on the way.
    pub uses: Uses,
    /// How long the call took, in microseconds.
    pub elapsed_us: u64,
}

/// One line of a plugin's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The line, without control characters.
    pub message: String,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For whoever debugs the plugin.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warn,
}

impl Side {
    /// Returns the side's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
        }
    }
}
