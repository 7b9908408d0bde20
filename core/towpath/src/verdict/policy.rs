//! The policy of a replay, as a person writes it.

use std::path::Path;

use serde::Deserialize;
use verdict::monitor::{Design, Metric, Monitor, Policy, Role};
use verdict::sequential::{ExceedanceDesign, LimitDesign, MeanDesign, SharesDesign};

use super::range::{Source, SourceForm};
use super::unusable;
use crate::failure::Failure;

/// The largest file that is read, in bytes.
const POLICY_BYTES_MAX: u64 = 1 << 20;

/// The time between two looks where nothing is said, in milliseconds.
const LOOK_EVERY_MS: u64 = 1_000;

/// A policy, ready to watch.
pub(super) struct Watch {
    pub(super) monitor: Monitor,
    /// The time between two looks, in milliseconds.
    pub(super) look_every_ms: u64,
    /// The metrics, and whether each takes counts.
    pub(super) metrics: Vec<(String, bool)>,
    /// Where Prometheus has their data, in the same order, where the policy says it.
    pub(super) sources: Vec<Option<Source>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PolicyFile {
    #[serde(default)]
    false_alarm: Option<f64>,
    #[serde(default)]
    false_pass: Option<f64>,
    #[serde(default)]
    candidate_min: Option<u64>,
    #[serde(default)]
    pass_score: Option<f64>,
    #[serde(default)]
    look_every_ms: Option<u64>,
    metrics: Vec<MetricForm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MetricForm {
    name: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    weight: Option<f64>,
    #[serde(default)]
    role: RoleForm,
    #[serde(default)]
    shares: Option<SharesForm>,
    #[serde(default)]
    limit: Option<LimitForm>,
    #[serde(default)]
    mean: Option<MeanForm>,
    #[serde(default)]
    times: Option<TimesForm>,
    #[serde(default)]
    prometheus: Option<SourceForm>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
enum RoleForm {
    #[default]
    Counts,
    Critical,
    DryRun,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct SharesForm {
    tolerance: f64,
    margin: f64,
    floor: f64,
}

impl Default for SharesForm {
    fn default() -> Self {
        let SharesDesign { tolerance, margin, floor } = SharesDesign::default();
        Self { tolerance, margin, floor }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LimitForm {
    limit: f64,
    #[serde(default)]
    good_below: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MeanForm {
    low: f64,
    high: f64,
    tolerance: f64,
    margin: f64,
    #[serde(default)]
    against_limit: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TimesForm {
    thresholds: Vec<f64>,
    #[serde(default)]
    tolerance: Option<f64>,
    #[serde(default)]
    margin: Option<f64>,
}

/// Reads a policy.
pub(super) fn read(file: &Path) -> Result<Watch, Failure> {
    let size = std::fs::metadata(file).map_err(|error| unusable(file, error))?.len();
    if size > POLICY_BYTES_MAX {
        return Err(unusable(file, format!("it has {size} bytes, at most {POLICY_BYTES_MAX} are read")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unusable(file, error))?;
    watch(&text).map_err(|why| unusable(file, why))
}

fn watch(text: &str) -> Result<Watch, String> {
    let form: PolicyFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let usual = Policy::default();
    let policy = Policy {
        false_alarm: form.false_alarm.unwrap_or(usual.false_alarm),
        false_pass: form.false_pass.unwrap_or(usual.false_pass),
        candidate_min: form.candidate_min.unwrap_or(usual.candidate_min),
        pass_score: form.pass_score.unwrap_or(usual.pass_score),
    };
    let look_every_ms = form.look_every_ms.unwrap_or(LOOK_EVERY_MS);
    if look_every_ms == 0 {
        return Err("lookEveryMs is 0, expected at least 1".to_owned());
    }
    if form.metrics.is_empty() {
        return Err("metrics is empty, expected at least one: without any nothing is judged".to_owned());
    }
    let both = form.metrics.into_iter().map(metric).collect::<Result<Vec<_>, _>>()?;
    let (metrics, sources): (Vec<_>, Vec<_>) = both.into_iter().unzip();
    let named = metrics.iter().map(|metric| (metric.name.clone(), takes_counts(&metric.design))).collect();
    let monitor = Monitor::new(policy, metrics).map_err(|bad| bad.to_string())?;
    Ok(Watch { monitor, look_every_ms, metrics: named, sources })
}

fn takes_counts(design: &Design) -> bool {
    matches!(design, Design::Shares(_) | Design::Limit(_))
}

fn needs_stable(design: &Design) -> bool {
    match design {
        Design::Shares(_) | Design::Exceedance(_) => true,
        Design::Mean(mean) => mean.against_stable,
        Design::Limit(_) => false,
    }
}

fn metric(form: MetricForm) -> Result<(Metric, Option<Source>), String> {
    let MetricForm { name, group, weight, role, shares, limit, mean, times, prometheus } = form;
    let design = match (shares, limit, mean, times) {
        (Some(SharesForm { tolerance, margin, floor }), None, None, None) => {
            Design::Shares(SharesDesign { tolerance, margin, floor })
        }
        (None, Some(LimitForm { limit, good_below }), None, None) => {
            Design::Limit(LimitDesign { limit, good_below: good_below.unwrap_or(limit) })
        }
        (None, None, Some(MeanForm { low, high, tolerance, margin, against_limit }), None) => {
            Design::Mean(MeanDesign { low, high, tolerance, margin, against_stable: !against_limit })
        }
        (None, None, None, Some(TimesForm { thresholds, tolerance, margin })) => {
            let usual = SharesDesign::default();
            let (tolerance, margin) = (tolerance.unwrap_or(usual.tolerance), margin.unwrap_or(usual.margin));
            Design::Exceedance(ExceedanceDesign { thresholds, shares: SharesDesign { tolerance, margin, floor: 0.0 } })
        }
        _ => return Err(format!("metric {name:?} must have exactly one of shares, limit, mean, times")),
    };
    let role = match role {
        RoleForm::Counts => Role::Counts,
        RoleForm::Critical => Role::Critical,
        RoleForm::DryRun => Role::DryRun,
    };
    let source = prometheus.map(|form| Source::read(form, &name, takes_counts(&design), needs_stable(&design))).transpose()?;
    Ok((Metric { name, group, weight: weight.unwrap_or(1.0), role, design }, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_does_not_fit_says_what_was_found_and_what_is_expected() {
        let refused = |text: &str| watch(text).err().expect("it does not fit");
        for (text, why) in [
            ("", "line 1 column 0"),
            ("{\n  \"metric\": []\n}", "unknown field `metric`, expected one of"),
            (r#"{"metrics": []}"#, "metrics is empty"),
            (r#"{"metrics": [{"name": "a"}]}"#, "metric \"a\" must have exactly one of shares, limit, mean, times"),
            (r#"{"metrics": [{"name": "a", "shares": {}, "limit": {"limit": 0.1}}]}"#, "exactly one of"),
            (r#"{"lookEveryMs": 0, "metrics": [{"name": "a", "shares": {}}]}"#, "lookEveryMs is 0"),
            (
                r#"{"metrics": [{"name": "a", "shares": {"tolerance": 0.5}}]}"#,
                "tolerance of a must be a factor of at least 1, found 0.5",
            ),
            (
                r#"{"falseAlarm": 2, "metrics": [{"name": "a", "shares": {}}]}"#,
                "false_alarm must be above 0 and below 1, found 2",
            ),
            (
                r#"{"metrics": [{"name": "a", "shares": {}, "prometheus": {"candidate": {"value": "x"}}}]}"#,
                "prometheus of metric \"a\" must have events and trials of candidate",
            ),
            (
                r#"{"metrics": [{"name": "a", "shares": {}, "prometheus": {"candidate": {"events": "x", "trials": "y"}}}]}"#,
                "prometheus of metric \"a\" must have events and trials of stable",
            ),
            (
                r#"{"metrics": [{"name": "a", "times": {"thresholds": [1]}, "prometheus": {"candidate": {"events": "x"}}}]}"#,
                "prometheus of metric \"a\" must have value of candidate",
            ),
        ] {
            let found = refused(text);
            assert!(found.contains(why), "{text}: {found}");
        }
        assert!(
            watch(
                r#"{"metrics": [{"name": "a", "mean": {"low": 0, "high": 9, "tolerance": 1, "margin": 2}, "role": "dryRun"}]}"#
            )
            .is_ok()
        );
    }
}
