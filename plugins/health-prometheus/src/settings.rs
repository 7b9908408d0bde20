//! How the check is set up.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::condition::Condition;
use crate::number::{Selector, Span};

/// How many metrics one check may have: each is asked about for every party, at every look.
const METRICS_MAX: usize = 16;

/// The longest name, in characters: it stands in sentences.
const NAME_CHARS_MAX: usize = 60;

/// The longest query, in bytes.
const QUERY_BYTES_MAX: usize = 4_000;

/// How many points of a range are looked at. Prometheus itself gives no more than 11,000.
pub(crate) const POINTS_MAX: u64 = 10_000;

/// How the check is set up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Where Prometheus is, or what answers as it does: "https://prometheus.internal:9090", with or without a path.
    #[schemars(length(max = 500), regex(pattern = "^https?://"))]
    pub url: String,
    /// How long one question may take.
    #[serde(default = "timeout")]
    pub timeout: Span,
    /// What is judged. All of them together are one verdict.
    #[schemars(length(min = 1, max = METRICS_MAX))]
    pub metrics: Vec<Metric>,
}

/// One number that is asked for, and when it is good and when bad.
///
/// In queries `$release`, `$label`, `$digest`, `$endpoint` and `$side` are those of the side that is asked about, `$service` and
/// `$environment` those of the deployment, and `$window` is the time to look back over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metric {
    /// What people call it: "error rate".
    #[schemars(length(min = 1, max = NAME_CHARS_MAX))]
    pub name: String,
    /// The query, in PromQL. It gives one number, so it sums up.
    #[schemars(length(min = 1, max = QUERY_BYTES_MAX))]
    pub query: String,
    /// The query for the stable side, where it is another one.
    #[schemars(length(min = 1, max = QUERY_BYTES_MAX))]
    pub stable_query: Option<String>,
    /// The query for the time before, where it is another one.
    #[schemars(length(min = 1, max = QUERY_BYTES_MAX))]
    pub baseline_query: Option<String>,
    /// The number's unit: "ratio", "ms", "s", or "1" for a bare number.
    #[serde(default = "bare")]
    #[schemars(length(min = 1, max = 20))]
    pub unit: String,
    /// The longest time to look back over, which is `$window` in a query. While a watch is younger than that, `$window` is its age, so that
    /// nothing from before it counts.
    #[serde(default = "look_back")]
    pub look_back: Span,
    /// Looks at the query's values over a time and not at one instant.
    pub range: Option<Range>,
    /// How far back the number `baseline` lies: "7d" for the same time a week ago. Without it, the time right before the watch.
    pub baseline_offset: Option<Span>,
    /// By which series it is known that the numbers are not old.
    pub fresh: Option<Fresh>,
    /// How many observations the number rests on, and how many it needs.
    pub samples: Option<Samples>,
    /// What it means that the query finds nothing.
    #[serde(default)]
    pub empty: Empty,
    /// Numbers outside of these cannot be true, and count for nothing.
    #[serde(default)]
    pub bounds: Bounds,
    /// When the candidate is well, in CEL, over the numbers `candidate`, `stable` and `baseline`. Where only this is given, everything else is bad.
    pub success: Option<Condition>,
    /// When it is not, likewise. Where only this is given, everything else is good. Where neither holds, nobody can tell.
    pub failure: Option<Condition>,
    /// What the metric decides.
    #[serde(default)]
    pub role: Role,
}

/// A time over which a query's values are looked at.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Range {
    /// The longest time. While a watch is younger than that, it is as long as no value looks back to before the watch.
    pub over: Span,
    /// The time from one value to the next.
    pub step: Span,
    /// Which number stands for all of them.
    #[serde(default)]
    pub take: Take,
    /// With fewer values than this nobody can tell.
    #[serde(default = "points_min")]
    #[schemars(range(min = 1, max = POINTS_MAX))]
    pub points_min: u64,
}

/// Which number stands for the values of a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Take {
    /// Their mean.
    #[default]
    Mean,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The newest.
    Last,
    /// One that at most 5 % of them exceed.
    P95,
}

/// By which series it is known that the numbers are not old.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fresh {
    /// Series that the query rests on, as a selector: `http_requests_total{release="$release"}`.
    pub series: Selector,
    /// The newest of their samples may be so old, by Prometheus' own clock.
    pub max_age: Span,
}

/// How many observations a number rests on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Samples {
    /// The query that counts them: `sum(increase(http_requests_total{release="$release"}[$window]))`.
    #[schemars(length(min = 1, max = QUERY_BYTES_MAX))]
    pub query: String,
    /// With fewer nobody can tell.
    #[schemars(range(min = 1))]
    pub min: u64,
}

/// What it means that a query finds nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Empty {
    /// Nobody can tell.
    #[default]
    Inconclusive,
    /// The number is 0: PromQL has nothing to count where nothing happened. Needs `samples`, which tell that from not being watched.
    Zero,
}

/// Between which numbers the true one is. Most numbers are never negative, and one that is tells of a mistake.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Bounds {
    /// The smallest; null for none.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { min: Some(0.0), max: None }
    }
}

/// What a metric decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// All that decide must be well; one that is not is enough.
    #[default]
    Decides,
    /// It is measured and shown, and decides nothing.
    DryRun,
}

fn timeout() -> Span {
    Span::seconds(5)
}

fn look_back() -> Span {
    Span::seconds(60)
}

fn points_min() -> u64 {
    3
}

fn bare() -> String {
    "1".to_owned()
}

impl Settings {
    /// Returns what does not make sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !self.url.starts_with("http://") && !self.url.starts_with("https://") {
            return Err(format!("url is {:?}, expected one that begins with http:// or https://", self.url));
        }
        if self.url.contains('@') {
            return Err("url holds credentials, which belong into the grant: the host adds them".to_owned());
        }
        if self.metrics.is_empty() || self.metrics.len() > METRICS_MAX {
            return Err(format!("{} metrics are given, expected 1 to {METRICS_MAX}", self.metrics.len()));
        }
        if self.metrics.iter().all(|metric| metric.role == Role::DryRun) {
            return Err("no metric decides; a check without one would find everything healthy".to_owned());
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = self.metrics.iter().find(|metric| !names.insert(metric.measurement())) {
            return Err(format!("two metrics are called {:?}", twice.name));
        }
        let faulty = |metric: &Metric| metric.check().map_err(|why| format!("metric {:?}: {why}", metric.name));
        self.metrics.iter().try_for_each(faulty)
    }
}

impl Metric {
    fn check(&self) -> Result<(), String> {
        let length = self.name.chars().count();
        if length > NAME_CHARS_MAX || self.measurement().is_empty() || self.name.contains(char::is_control) {
            return Err(format!(
                "a name has letters or digits, on one line, and at most {NAME_CHARS_MAX} characters, found {length}"
            ));
        }
        if self.success.is_none() && self.failure.is_none() {
            return Err("neither success nor failure is given, expected at least one".to_owned());
        }
        let samples = self.samples.as_ref().map(|samples| &samples.query);
        let queries = [Some(&self.query), self.stable_query.as_ref(), self.baseline_query.as_ref(), samples];
        if let Some(query) = queries.into_iter().flatten().find(|query| query.trim().is_empty() || query.len() > QUERY_BYTES_MAX)
        {
            return Err(format!("a query has {} bytes, expected 1 to {QUERY_BYTES_MAX}", query.len()));
        }
        if self.empty == Empty::Zero && self.samples.is_none() {
            return Err("empty is zero, which needs samples: without them nobody could tell no errors from no data".to_owned());
        }
        if self.samples.as_ref().is_some_and(|samples| samples.min == 0) {
            return Err("samples.min is 0, expected at least 1".to_owned());
        }
        let Bounds { min, max } = self.bounds;
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            return Err(format!("bounds are from {min:?} to {max:?}, expected the smaller one first"));
        }
        self.range.map_or(Ok(()), Range::check)
    }

    /// Returns the name as measurements have it: "error-rate".
    pub(crate) fn measurement(&self) -> String {
        let lower = self.name.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-")
    }
}

impl Range {
    fn check(self) -> Result<(), String> {
        let points = self.over.ms / self.step.ms + 1;
        if points > POINTS_MAX {
            return Err(format!(
                "a range of {} in steps of {} has {points} values, at most {POINTS_MAX} are looked at",
                self.over, self.step
            ));
        }
        // With more needed than there can be, nobody could ever tell.
        if self.points_min == 0 || self.points_min > points {
            return Err(format!("pointsMin is {}, expected 1 to {points} (over by step)", self.points_min));
        }
        Ok(())
    }
}
