//! How the check is set up.

use schemars::JsonSchema;
use serde::Deserialize;

/// How the check is set up. A limit that is absent is not held against the candidate; at least one must be there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The largest share of requests that may fail, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_error_rate: Option<f64>,
    /// The largest latency at the percentile, in milliseconds.
    #[schemars(range(min = 0.0))]
    pub max_latency_ms: Option<f64>,
    /// The largest latency at the percentile, as a multiple of the stable side's in the same time.
    #[schemars(range(min = 1.0))]
    pub max_latency_ratio: Option<f64>,
    /// By how much the candidate's error rate may be above the stable side's in the same time, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_error_rate_above_stable: Option<f64>,
    /// Holds the candidate's errors against stable's in the same time, by a test that is sure as early as it can be: see there.
    pub worse_than_stable: Option<WorseThanStable>,
    /// The percentile at which latency is judged.
    pub percentile: Percentile,
    /// How many requests the candidate must have answered before it can be healthy; the same for stable where it is compared with.
    #[schemars(range(min = 1))]
    pub min_requests: u64,
}

/// When the candidate's errors are more than stable's by more than chance. Whoever looks again and again is deceived by chance sooner or
/// later; this test is not, however often it looks, and so finds what is very bad within a few requests. While stable takes no traffic nothing is compared.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WorseThanStable {
    /// With at most this probability, in each watch, a candidate is called worse that is not.
    #[schemars(range(min = 0.000_001, max = 0.5))]
    pub false_alarm: f64,
    /// By which factor its odds of an error may exceed stable's and be as good.
    #[schemars(range(min = 1.0, max = 100.0))]
    pub tolerance: f64,
}

impl Default for WorseThanStable {
    fn default() -> Self {
        Self { false_alarm: 0.01, tolerance: 1.0 }
    }
}

/// The percentile at which latency is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Percentile {
    /// Half of the requests.
    P50,
    /// 95 of a hundred.
    #[default]
    P95,
    /// 99 of a hundred.
    P99,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_error_rate: Some(0.01),
            max_latency_ms: None,
            max_latency_ratio: None,
            max_error_rate_above_stable: None,
            worse_than_stable: None,
            percentile: Percentile::P95,
            min_requests: 50,
        }
    }
}

impl Settings {
    fn limits(&self) -> [Option<f64>; 4] {
        [self.max_error_rate, self.max_latency_ms, self.max_latency_ratio, self.max_error_rate_above_stable]
    }

    /// Returns whether the candidate is held against anything but the test beside stable.
    pub(crate) fn has_limits(&self) -> bool {
        self.limits().iter().any(Option::is_some)
    }

    /// Returns what does not make sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        let limits = self.limits();
        if !self.has_limits() && self.worse_than_stable.is_none() {
            return Err("no limit is set; a check without one would find everything healthy".to_owned());
        }
        match limits.iter().flatten().find(|limit| !limit.is_finite() || **limit < 0.0) {
            Some(limit) => Err(format!("a limit is {limit}, expected a number that is not negative")),
            None if self.min_requests == 0 => Err("minRequests is 0, expected at least 1".to_owned()),
            None => Ok(()),
        }
    }
}

impl Percentile {
    pub(crate) fn share(self) -> f64 {
        match self {
            Self::P50 => 0.50,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }
}
