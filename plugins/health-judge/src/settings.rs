//! How the check is set up.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use verdict::sequential::SharesDesign;

/// The most metrics of one check: what is remembered of each goes into the journal with every look.
pub(crate) const METRICS_MAX: usize = 20;

/// Bounds that one metric of times may be held against.
const BOUNDS_MAX: usize = 8;

/// How the check is set up: either `metrics` or `kayenta`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// What is judged together by tests that may be looked at at any time.
    #[schemars(length(max = 20))]
    pub metrics: Vec<MetricSettings>,
    /// Judges by the rules of Kayenta instead, at the end of the watch.
    pub kayenta: Option<Kayenta>,
    /// With at most this probability, in each watch and over all metrics, a candidate is called worse that is not.
    #[schemars(range(min = 0.000_001, max = 0.5))]
    pub false_alarm: f64,
    /// With at most this probability a candidate that is worse by the margin is called proven good.
    #[schemars(range(min = 0.000_001, max = 0.5))]
    pub false_pass: f64,
    /// With fewer requests or points than this of the candidate nothing is healthy.
    #[schemars(range(min = 1))]
    pub candidate_min: u64,
    /// The score, 0 to 100, that proves a candidate good; below 100, metrics that are not critical may stay undecided.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub pass_score: f64,
    /// What makes it healthy: that nothing is proven against it, or that it is proven good. The latter ends a watch "until decided".
    pub prove: Prove,
    /// What the candidate is held against where a metric compares.
    pub against: Against,
    /// The Prometheus that selections of Prometheus are asked of.
    pub prometheus: Option<PrometheusSettings>,
}

/// Where Prometheus is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrometheusSettings {
    /// Its address ("http://prometheus:9090"). Credentials come from the grant.
    pub url: String,
    /// How far before a window a sample may lie that counting begins at: more than two scrapes apart.
    #[serde(default = "look_back_seconds")]
    #[schemars(range(min = 1, max = 3600))]
    pub look_back_seconds: u32,
    /// How old the candidate's newest sample may be, by the clock of Prometheus.
    #[serde(default = "max_age_seconds")]
    #[schemars(range(min = 1, max = 3600))]
    pub max_age_seconds: u32,
}

fn look_back_seconds() -> u32 {
    120
}

fn max_age_seconds() -> u32 {
    60
}

/// What makes a candidate healthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Prove {
    /// There is enough data, and it is not proven worse.
    #[default]
    NotWorse,
    /// It is proven good: not worse by the margin.
    Good,
}

/// What the candidate is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Against {
    /// The stable side in the same time.
    #[default]
    Stable,
    /// The same service at the same time of so many weeks before, as Prometheus remembers it. `$release` stands for `.+` there, so that a
    /// selection says `release=~"$release"`.
    Weeks(u8),
}

/// One metric.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricSettings {
    /// What people call it ("error rate").
    pub name: String,
    /// Its group, for the score.
    #[serde(default)]
    pub group: String,
    /// Its part of the evidence and of the score.
    #[serde(default = "one")]
    #[schemars(range(min = 0.001, max = 1000.0))]
    pub weight: f64,
    /// What it decides.
    #[serde(default)]
    pub role: Role,
    /// How it is judged.
    pub judge: Judge,
}

fn one() -> f64 {
    1.0
}

/// What a metric decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It counts by its weight.
    #[default]
    Counts,
    /// Without it no candidate is healthy, whatever the score.
    Critical,
    /// It is measured and shown, and never decides.
    DryRun,
}

/// How a metric is judged.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Judge {
    /// The share of events among trials, beside the other side's.
    Shares {
        /// What counts the events, as those requests that failed.
        events: Selection,
        /// What counts all of them.
        trials: Selection,
        /// What is no difference.
        #[serde(default)]
        differs: Differs,
    },
    /// The share of events among trials, against a limit.
    Limit {
        /// What counts the events.
        events: Selection,
        /// What counts all of them.
        trials: Selection,
        /// The share from which on the candidate is worse.
        limit: f64,
        /// The share below which it is proven good; the limit itself where nothing is said.
        #[serde(default, rename = "goodBelow")]
        good_below: Option<f64>,
    },
    /// The shares of times above bounds of a histogram, beside the other side's.
    Times {
        /// The histogram: of Prometheus, the selector of its `_bucket` series.
        histogram: Selection,
        /// The bounds, in the histogram's unit; each must be one of its own.
        above: Vec<f64>,
        /// What is no difference.
        #[serde(default)]
        differs: Differs,
    },
    /// The mean of values that lie within known bounds.
    Mean {
        /// The values: of Prometheus, an expression, whose series are taken together.
        values: Selection,
        /// The least value that can be.
        #[serde(default)]
        low: f64,
        /// The greatest value that can be.
        high: f64,
        /// The candidate is worse when its mean is more than this above the other side's, or above this where `limit` is set.
        tolerance: f64,
        /// It is proven good when its mean is less than this above, or below this.
        margin: f64,
        /// Whether tolerance and margin are limits, and nothing is compared.
        #[serde(default)]
        limit: bool,
        /// The time between two points, in seconds.
        #[serde(default = "step_seconds", rename = "stepSeconds")]
        step_seconds: u32,
    },
    /// The share of errors of a metric that the server receives, against what is usual at this hour of the week.
    Usual {
        /// The metric.
        metric: String,
        /// How many standard deviations above the usual mean are no difference.
        #[serde(default = "three")]
        deviations: f64,
        /// The least limit, whatever is usual: a service without any errors has no deviation.
        #[serde(default = "least_limit", rename = "limitMin")]
        limit_min: f64,
        /// Over fewer minutes than this nothing is usual.
        #[serde(default = "minutes_min", rename = "minutesMin")]
        minutes_min: u32,
    },
}

fn step_seconds() -> u32 {
    15
}

fn three() -> f64 {
    3.0
}

fn least_limit() -> f64 {
    0.01
}

fn minutes_min() -> u32 {
    60
}

/// Which difference of two shares is one.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Differs {
    /// By which factor the candidate's odds may exceed the other side's and be as good.
    #[schemars(range(min = 1.0, max = 100.0))]
    pub tolerance: f64,
    /// By less than which factor they must be proven to exceed them to be proven good.
    #[schemars(range(min = 1.0, max = 1000.0))]
    pub margin: f64,
    /// Below which share it is proven good whatever the other side has; 0 for none.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub floor: f64,
}

impl Default for Differs {
    fn default() -> Self {
        let SharesDesign { tolerance, margin, floor } = SharesDesign::default();
        Self { tolerance, margin, floor }
    }
}

/// What is read. `$service`, `$environment`, `$side`, `$release`, `$label` and `$digest` are replaced in what Prometheus is asked.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Selection {
    /// Series of Prometheus: a selector of counters, as `http_requests_total{release="$release", code=~"5.."}`; for a mean, an expression.
    Prometheus(String),
    /// What the service sends to the server; the release is the side's.
    Telemetry {
        /// The metric ("http.server.request.duration").
        metric: String,
        /// Only series whose attribute has one of these values; one that ends in `*` stands for all that begin so.
        #[serde(default)]
        among: BTreeMap<String, Vec<String>>,
        /// Only series whose attribute has none of these values.
        #[serde(default)]
        except: BTreeMap<String, Vec<String>>,
    },
}

/// The rules of Kayenta.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kayenta {
    /// The metrics.
    #[schemars(length(min = 1, max = 20))]
    pub metrics: Vec<KayentaMetric>,
    /// At least this score passes.
    #[serde(default = "pass")]
    pub pass: f64,
    /// At least this score is marginal: inconclusive here. Below it the candidate is unhealthy.
    #[serde(default = "marginal")]
    pub marginal: f64,
    /// Per cent of the whole by group; groups without one share what is left of 100.
    #[serde(default)]
    pub group_weights: BTreeMap<String, f64>,
    /// The time between two points, in seconds.
    #[serde(default = "minute")]
    #[schemars(range(min = 1, max = 3600))]
    pub step_seconds: u32,
}

fn pass() -> f64 {
    95.0
}

fn marginal() -> f64 {
    75.0
}

fn minute() -> u32 {
    60
}

/// A metric of that judge.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KayentaMetric {
    /// Its name.
    pub name: String,
    /// Its groups; one of its own where none is named.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The points.
    pub values: Selection,
    /// Which differences count.
    #[serde(default)]
    pub direction: Direction,
    /// Whether it fails the whole when it does not pass.
    #[serde(default)]
    pub critical: bool,
    /// Whether having no data is a failure of the metric.
    #[serde(default)]
    pub must_have_data: bool,
    /// Whether missing points count as 0, as for counters of rare events.
    #[serde(default)]
    pub missing_are_zero: bool,
    /// Whether outliers are left out: those beyond so many interquartile ranges.
    #[serde(default)]
    pub outlier_factor: Option<f64>,
    /// Ratios of the means between these two are no difference.
    #[serde(default)]
    pub allowed: Option<(f64, f64)>,
}

/// Which differences count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Higher is bad.
    Increase,
    /// Lower is bad.
    Decrease,
    /// Both are bad.
    #[default]
    Either,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            metrics: Vec::new(),
            kayenta: None,
            false_alarm: 0.01,
            false_pass: 0.05,
            candidate_min: 50,
            pass_score: 100.0,
            prove: Prove::NotWorse,
            against: Against::Stable,
            prometheus: None,
        }
    }
}

impl Settings {
    /// Returns what does not make sense and no schema can say. What the tests themselves refuse they say at the first look.
    pub(crate) fn check(&self) -> Result<(), String> {
        let metrics = self.kayenta.as_ref().map_or(self.metrics.len(), |kayenta| kayenta.metrics.len());
        if self.kayenta.is_some() != self.metrics.is_empty() {
            return Err("either metrics or kayenta must be set; without any nothing is judged".to_owned());
        }
        if metrics == 0 || metrics > METRICS_MAX {
            return Err(format!("there are {metrics} metrics, expected 1 to {METRICS_MAX}"));
        }
        if self.candidate_min == 0 {
            return Err("candidateMin is 0, expected at least 1".to_owned());
        }
        if let Against::Weeks(weeks) = self.against
            && !(1..=8).contains(&weeks)
        {
            return Err(format!("against weeks is {weeks}, expected 1 to 8"));
        }
        if let Some(kayenta) = &self.kayenta
            && kayenta.metrics.iter().any(|metric| kayenta.metrics.iter().filter(|other| other.name == metric.name).count() > 1)
        {
            return Err("two metrics of kayenta have one name, expected names of their own".to_owned());
        }
        self.metrics.iter().try_for_each(MetricSettings::check)?;
        self.check_sources()
    }

    fn check_sources(&self) -> Result<(), String> {
        let of_metrics = self.metrics.iter().flat_map(|metric| metric.judge.selections());
        let of_kayenta = self.kayenta.iter().flat_map(|kayenta| kayenta.metrics.iter().map(|metric| &metric.values));
        let selections: Vec<&Selection> = of_metrics.chain(of_kayenta).collect();
        let of_prometheus = |selection: &&Selection| matches!(selection, Selection::Prometheus(_));
        if self.prometheus.is_none() && selections.iter().any(of_prometheus) {
            return Err("a metric selects from prometheus, but prometheus.url is not set".to_owned());
        }
        if self.against != Against::Stable && !selections.iter().all(of_prometheus) {
            return Err("only prometheus remembers weeks; select from it, or judge by what is usual".to_owned());
        }
        Ok(())
    }
}

impl MetricSettings {
    fn check(&self) -> Result<(), String> {
        if self.name.trim().is_empty() {
            return Err("a metric has no name".to_owned());
        }
        match &self.judge {
            Judge::Times { above, .. } if above.is_empty() || above.len() > BOUNDS_MAX => {
                Err(format!("{} has {} bounds in above, expected 1 to {BOUNDS_MAX}", self.name, above.len()))
            }
            Judge::Mean { step_seconds: 0, .. } => Err(format!("stepSeconds of {} is 0, expected at least 1", self.name)),
            Judge::Usual { deviations, .. } if !deviations.is_finite() || *deviations < 0.0 => {
                Err(format!("deviations of {} is {deviations}, expected a number that is not negative", self.name))
            }
            Judge::Shares { .. } | Judge::Limit { .. } | Judge::Times { .. } | Judge::Mean { .. } | Judge::Usual { .. } => Ok(()),
        }
    }
}

impl Judge {
    fn selections(&self) -> Vec<&Selection> {
        match self {
            Self::Shares { events, trials, .. } | Self::Limit { events, trials, .. } => vec![events, trials],
            Self::Times { histogram, .. } => vec![histogram],
            Self::Mean { values, .. } => vec![values],
            Self::Usual { .. } => Vec::new(),
        }
    }
}
