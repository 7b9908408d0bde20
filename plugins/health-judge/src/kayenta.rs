//! The rules of Kayenta over the points of the watch, at its end.
//!
//! Before the end nothing is said: that judge looks at an interval when it is over. What it does not judge by is inconclusive here, where
//! it would pass: no data is never healthy.

use towpath_sdk::health::Subject;
use towpath_sdk::prelude::*;
use verdict::kayenta::{
    Classification, Classifier, Direction as Counts, Label, Missing, Outliers, ScoreVerdict, Scored, classify_score, score,
};
use verdict::sample::mean;

use crate::answer::kebab;
use crate::settings::{Direction, Kayenta, KayentaMetric, Settings};
use crate::source::{ReadUpTo, Reader, Trouble};

/// Judges, where the watch is over.
pub(crate) fn judge(look: &Look<Settings>, wanted: &Kayenta, candidate: &Subject) -> Assessment {
    let left_ms = look.window.ends_ms.saturating_sub(powers::clock::now_ms());
    if left_ms > 0 {
        let until = u32::try_from(left_ms).unwrap_or(u32::MAX);
        let mut waiting =
            Assessment::inconclusive(format!("the points are judged at the end of the watch, in {} s", left_ms / 1_000 + 1));
        waiting.next_look_ms = Some(until);
        return waiting;
    }
    match classify(look, wanted, candidate) {
        Ok(assessment) => assessment,
        Err(Trouble::Error(sentence)) => Assessment::error(sentence),
        Err(Trouble::NoData(sentence)) => Assessment::inconclusive(sentence),
    }
}

fn classify(look: &Look<Settings>, wanted: &Kayenta, candidate: &Subject) -> Result<Assessment, Trouble> {
    let mut reader = Reader::new(look, candidate, ReadUpTo::default());
    let (mut scored, mut measured, mut failed, mut without_data) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for metric in &wanted.metrics {
        let (experiment, control) = reader.values(&metric.values, wanted.step_seconds, true)?;
        let found = classifier(metric).classify(&experiment, &control);
        if experiment.is_empty() || control.is_empty() || found.label == Label::Error {
            without_data.push(format!("{}: {}", metric.name, found.reason));
        }
        if matches!(found.label, Label::High | Label::Low | Label::NoDataFail) {
            failed.push(format!("{} is {}", metric.name, label(found.label)));
        }
        measured.extend(measurements(metric, &found, &experiment, &control));
        let groups = if metric.groups.is_empty() { vec![metric.name.clone()] } else { metric.groups.clone() };
        scored.push(Scored { groups, label: found.label, critical: found.critical, muted: false });
    }
    let weights: Vec<_> = wanted.group_weights.iter().map(|(group, weight)| (group.clone(), *weight)).collect();
    let total = score(&scored, &weights);
    let why = total.reason.clone().unwrap_or_else(|| failed.join(", "));
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    let said = |mark: f64| format!("score {} of at least {mark}{why}", total.score);
    let assessment = match (classify_score(total.score, wanted.pass, wanted.marginal), without_data.first(), reader.missing()) {
        (ScoreVerdict::Fail, Some(first), _) if failed.is_empty() => {
            Assessment::inconclusive(format!("{}; {first}", said(wanted.marginal)))
        }
        (ScoreVerdict::Fail, _, _) => Assessment::unhealthy(said(wanted.marginal)),
        (_, Some(first), _) => Assessment::inconclusive(format!("no data is not healthy: {first}")),
        (_, None, Some(missing)) => Assessment::inconclusive(missing),
        (ScoreVerdict::Marginal, None, None) => Assessment::inconclusive(said(wanted.pass)),
        (ScoreVerdict::Pass, None, None) => Assessment::healthy(said(wanted.pass)),
    };
    let total = Measurement::new("score", total.score, "1").on(Side::Candidate).against(wanted.pass).tested_by("kayenta");
    Ok(assessment.measured([total]).measured(measured))
}

fn classifier(metric: &KayentaMetric) -> Classifier {
    let usual = Classifier::default();
    Classifier {
        direction: match metric.direction {
            Direction::Increase => Counts::Increase,
            Direction::Decrease => Counts::Decrease,
            Direction::Either => Counts::Either,
        },
        missing: if metric.missing_are_zero { Missing::Replace } else { Missing::Remove },
        outliers: metric.outlier_factor.map_or(Outliers::Keep, |factor| Outliers::Remove { factor }),
        allowed: metric.allowed.unwrap_or(usual.allowed),
        critical: metric.critical,
        must_have_data: metric.must_have_data,
        ..usual
    }
}

fn label(label: Label) -> &'static str {
    match label {
        Label::Pass => "no different",
        Label::High => "higher",
        Label::Low => "lower",
        Label::NoData => "without data",
        Label::NoDataFail => "without data, which it must have",
        Label::Error => "not to be computed",
    }
}

fn measurements(metric: &KayentaMetric, found: &Classification, experiment: &[f64], control: &[f64]) -> Vec<Measurement> {
    let name = kebab(&metric.name);
    let of = |values: &[f64], side: Side| {
        let value = mean(&verdict::sample::sorted(values))?;
        Some(Measurement::new(&name, value, "1").on(side).of_samples(u64::try_from(values.len()).unwrap_or(u64::MAX)))
    };
    let test = format!("Mann-Whitney as Kayenta computes it: {}", label(found.label));
    let candidate = of(experiment, Side::Candidate).map(|measured| measured.tested_by(test));
    let shift = found.shift.map(|shift| {
        Measurement::new(&format!("{name}-shift"), shift.estimate, "1")
            .on(Side::Candidate)
            .within(shift.interval.low, shift.interval.high)
    });
    [candidate, of(control, Side::Stable), shift.filter(|shift| shift.value.is_finite())].into_iter().flatten().collect()
}
