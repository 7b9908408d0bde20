//! From the words of the settings to those of the statistics.

use towpath_sdk::powers::clock;
use towpath_sdk::powers::telemetry::{self, Aspect, Expectation};
use verdict::monitor::{Design, Metric, Monitor, Policy, Role as Decides};
use verdict::sequential::{LimitDesign, MeanDesign, SharesDesign};

use crate::settings::{Differs, Judge, MetricSettings, Role, Settings};
use crate::source::Trouble;

/// The share from which on a limit would be none.
const LIMIT_MAX: f64 = 0.99;

/// A watch that begins.
pub(crate) struct Begun {
    /// Its tests.
    pub(crate) monitor: Monitor,
    /// The metrics that are judged by what is usual, each with how that drifts: a limit that rises with every week is one to be looked at.
    pub(crate) drifts: Vec<(String, f64)>,
}

/// Begins to watch.
pub(crate) fn begin(settings: &Settings) -> Result<Begun, Trouble> {
    let policy = Policy {
        false_alarm: settings.false_alarm,
        false_pass: settings.false_pass,
        candidate_min: settings.candidate_min,
        pass_score: settings.pass_score,
    };
    let (mut metrics, mut drifts) = (Vec::new(), Vec::new());
    for metric in &settings.metrics {
        metrics.extend(designed(metric, &mut drifts)?);
    }
    let monitor = Monitor::new(policy, metrics).map_err(|bad| Trouble::Error(bad.to_string()))?;
    Ok(Begun { monitor, drifts })
}

/// Returns how a metric of times is called at a bound.
pub(crate) fn above_name(name: &str, bound: f64) -> String {
    format!("{name} above {bound}")
}

fn designed(metric: &MetricSettings, drifts: &mut Vec<(String, f64)>) -> Result<Vec<Metric>, Trouble> {
    let one = |name: String, weight: f64, design: Design| Metric {
        name,
        group: if metric.group.is_empty() { metric.name.clone() } else { metric.group.clone() },
        weight,
        role: match metric.role {
            Role::Counts => Decides::Counts,
            Role::Critical => Decides::Critical,
            Role::DryRun => Decides::DryRun,
        },
        design,
    };
    let alone = |design: Design| vec![one(metric.name.clone(), metric.weight, design)];
    Ok(match &metric.judge {
        Judge::Shares { differs, .. } => alone(Design::Shares(shares(*differs))),
        Judge::Limit { limit, good_below, .. } => alone(limited(*limit, *good_below)),
        Judge::Mean { low, high, tolerance, margin, limit, .. } => alone(Design::Mean(MeanDesign {
            low: *low,
            high: *high,
            tolerance: *tolerance,
            margin: *margin,
            against_stable: !limit,
        })),
        Judge::Times { above, differs, .. } => {
            // The bounds share the metric's weight: one metric more is not so many more chances to be wrong.
            let weight = metric.weight / float(above.len());
            above.iter().map(|bound| one(above_name(&metric.name, *bound), weight, Design::Shares(shares(*differs)))).collect()
        }
        Judge::Usual { metric: measured, deviations, limit_min, minutes_min } => {
            let (limit, drift) = usual_limit(measured, *deviations, *minutes_min)?;
            drifts.extend(drift.map(|drift| (metric.name.clone(), drift)));
            alone(limited(limit.clamp(*limit_min, LIMIT_MAX), None))
        }
    })
}

fn shares(differs: Differs) -> SharesDesign {
    let Differs { tolerance, margin, floor } = differs;
    SharesDesign { tolerance, margin, floor }
}

fn limited(limit: f64, good_below: Option<f64>) -> Design {
    Design::Limit(LimitDesign { limit, good_below: good_below.unwrap_or(limit) })
}

/// Returns the share of errors that is no longer usual at this hour of the week, and how what is usual drifts, where that is known.
fn usual_limit(metric: &str, deviations: f64, minutes_min: u32) -> Result<(f64, Option<f64>), Trouble> {
    let usual = telemetry::usual(metric, Aspect::Errors, clock::now_ms()).map_err(|error| Trouble::Error(error.sentence()))?;
    match usual {
        Some(Expectation { minutes, mean, deviation, drift }) if minutes >= minutes_min => {
            let limit = mean + deviations * deviation;
            match limit.is_finite() {
                true => Ok((limit, drift.filter(|drift| drift.is_finite()))),
                false => Err(Trouble::Error(format!("what is usual for {metric} is {mean} ± {deviation}, expected numbers"))),
            }
        }
        known => {
            let minutes = known.map_or(0, |known| known.minutes);
            Err(Trouble::NoData(format!(
                "what is usual for {metric} at this hour of the week is not known yet: {minutes} minutes of {minutes_min} that are needed"
            )))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of bounds")]
fn float(count: usize) -> f64 {
    count as f64
}
