//! What of a policy can be judged by, and what is refused before anything is watched.

use super::{Design, Metric, Policy};
use crate::sequential::{MeanDesign, SharesDesign};

/// A setting that nothing can be judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct BadSetting {
    /// The metric; empty for the policy itself.
    pub metric: String,
    /// The setting.
    pub setting: &'static str,
    /// What it is.
    pub found: String,
    /// What it must be.
    pub expected: &'static str,
}

impl core::fmt::Display for BadSetting {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let of = if self.metric.is_empty() { String::new() } else { format!(" of {}", self.metric) };
        write!(formatter, "{}{of} must be {}, found {}", self.setting, self.expected, self.found)
    }
}

impl core::error::Error for BadSetting {}

/// Checks a policy and its metrics.
pub(super) fn check(policy: &Policy, metrics: &[Metric]) -> Result<(), BadSetting> {
    let between = "above 0 and below 1";
    must("", "false_alarm", policy.false_alarm, inside(policy.false_alarm), between)?;
    must("", "false_pass", policy.false_pass, inside(policy.false_pass), between)?;
    let score = policy.pass_score;
    must("", "pass_score", score, (0.0..=100.0).contains(&score), "from 0 to 100")?;
    for (place, metric) in metrics.iter().enumerate() {
        let name = &metric.name;
        must(name, "weight", metric.weight, metric.weight.is_finite() && metric.weight > 0.0, "above 0")?;
        if metrics[..place].iter().any(|other| other.name == *name) {
            return Err(BadSetting {
                metric: String::new(),
                setting: "a metric's name",
                found: format!("{name} twice"),
                expected: "its own",
            });
        }
        check_design(name, &metric.design)?;
    }
    Ok(())
}

fn check_design(name: &str, design: &Design) -> Result<(), BadSetting> {
    match design {
        Design::Shares(shares) => check_shares(name, shares),
        Design::Limit(limit) => {
            // A limit of 0 is broken by the first error, which needs no statistics, and is proven kept by nothing.
            must(name, "limit", limit.limit, inside(limit.limit), "above 0 and below 1")?;
            let below = limit.good_below;
            must(name, "good_below", below, inside(below) && below >= limit.limit, "at least the limit, and below 1")
        }
        Design::Mean(mean) => check_mean(name, mean),
        Design::Exceedance(exceedance) => {
            check_shares(name, &exceedance.shares)?;
            exceedance.thresholds.iter().try_for_each(|at| must(name, "a threshold", *at, at.is_finite(), "a finite number"))
        }
    }
}

fn check_shares(name: &str, shares: &SharesDesign) -> Result<(), BadSetting> {
    let SharesDesign { tolerance, margin, floor } = *shares;
    must(name, "tolerance", tolerance, tolerance.is_finite() && tolerance >= 1.0, "a factor of at least 1")?;
    must(name, "margin", margin, margin.is_finite() && margin > tolerance, "a factor above the tolerance")?;
    must(name, "floor", floor, floor == 0.0 || inside(floor), "0 for none, or above 0 and below 1")
}

fn check_mean(name: &str, mean: &MeanDesign) -> Result<(), BadSetting> {
    let MeanDesign { low, high, tolerance, margin, against_stable } = *mean;
    must(name, "low", low, low.is_finite(), "a finite number")?;
    must(name, "high", high, high.is_finite() && high > low, "a finite number above low")?;
    let (least, most) = if against_stable { (0.0, high - low) } else { (low, high) };
    must(name, "tolerance", tolerance, (least..most).contains(&tolerance), "within the bounds of the values")?;
    must(
        name,
        "margin",
        margin,
        (tolerance..most).contains(&margin),
        "at least the tolerance, and within the bounds of the values",
    )
}

const fn inside(share: f64) -> bool {
    share > 0.0 && share < 1.0
}

fn must(metric: &str, setting: &'static str, found: f64, holds: bool, expected: &'static str) -> Result<(), BadSetting> {
    if holds { Ok(()) } else { Err(BadSetting { metric: metric.to_owned(), setting, found: found.to_string(), expected }) }
}
