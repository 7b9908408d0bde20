//! `telemetry`: what services measure of themselves, in the scope of the call.
//!
//! The guest says which metric and when; service and environment are the host's words. What is kept, and for how long, is the server's.

pub(crate) mod grant;
mod guest;
#[cfg(test)]
mod tests;

use async_trait::async_trait;

use crate::RuntimeScope;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TelemetryQuery {
    /// The metric.
    pub metric: String,
    /// Whose; none for all releases together.
    pub release: Option<String>,
    /// Which of its series; all of these must hold.
    pub filters: Vec<TelemetryFilter>,
    /// The beginning, in Unix milliseconds: the first window that begins here or later.
    pub from_ms: i64,
    /// The end: no window that ends later.
    pub to_ms: i64,
}

/// What holds for the attributes of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetryFilter {
    /// The attribute.
    pub attribute: String,
    /// Its values, written as text. A value that ends in "*" stands for all that begin so.
    pub values: Vec<String>,
    /// Whether the attribute has one of the values, or none of them.
    pub among: bool,
}

/// What was measured in a window, over all series that fit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TelemetryWindow {
    /// When it began, in Unix milliseconds.
    pub start_ms: i64,
    /// How long it is, in milliseconds.
    pub length_ms: u32,
    /// How many values were recorded; of a counter, what was added, rounded.
    pub count: u64,
    /// The sum of the values; of a counter, what was added.
    pub sum: f64,
    /// The smallest value, where that is known.
    pub min: Option<f64>,
    /// The largest value, where that is known.
    pub max: Option<f64>,
    /// The growing upper bounds of a histogram's buckets.
    pub bounds: Vec<f64>,
    /// How many values were in each bucket; one more than there are bounds.
    pub counts: Vec<u64>,
}

/// What is known of what was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TelemetryReading {
    /// The windows in the order of time, from the oldest on.
    pub windows: Vec<TelemetryWindow>,
    /// Up to here, in Unix milliseconds, nothing more is expected.
    pub settled_ms: i64,
    /// How many series fit.
    pub series: u32,
    /// How many series of the service were turned away because there are too many.
    pub turned_away: u32,
}

/// What of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TelemetryAspect {
    /// The mean of its values.
    Mean,
    /// The share of its values that tell of an error.
    Errors,
    /// How many values a second; of a counter, how much a second.
    Rate,
}

/// What is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TelemetryExpectation {
    /// Over how many minutes of the same hour of the week it was learnt.
    pub minutes: u32,
    /// The mean over these minutes.
    pub mean: f64,
    /// The standard deviation of a minute.
    pub deviation: f64,
    /// The mean of the last seven days over that of the weeks before.
    pub drift: Option<f64>,
}

/// What services measure of themselves, as the host reaches it.
#[async_trait]
pub trait TelemetryBackend: Send + Sync + 'static {
    /// Returns what was measured in a scope.
    async fn read(&self, scope: &RuntimeScope, query: TelemetryQuery) -> Result<TelemetryReading, TelemetryFault>;

    /// Returns what is usual in a scope in the hour of the week of this instant; `None` where nothing was learnt yet.
    async fn usual(
        &self,
        scope: &RuntimeScope,
        metric: &str,
        aspect: TelemetryAspect,
        at_ms: i64,
    ) -> Result<Option<TelemetryExpectation>, TelemetryFault>;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryFault {
    /// The question is not one.
    #[error("not a question: {0}")]
    Invalid(String),
    /// The server keeps none, or cannot read it now.
    #[error("no telemetry: {0}")]
    Unavailable(String),
}
