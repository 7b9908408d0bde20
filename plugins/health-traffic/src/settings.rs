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
    /// The percentile at which latency is judged.
    pub percentile: Percentile,
    /// How many requests the candidate must have answered before it can be healthy; the same for stable where it is compared with.
    #[schemars(range(min = 1))]
    pub min_requests: u64,
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
            percentile: Percentile::P95,
            min_requests: 50,
        }
    }
}

impl Settings {
    /// Returns what does not make sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        let limits = [self.max_error_rate, self.max_latency_ms, self.max_latency_ratio, self.max_error_rate_above_stable];
        if limits.iter().all(Option::is_none) {
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
