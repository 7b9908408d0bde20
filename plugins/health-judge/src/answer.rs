//! From what is known to what is answered.

use towpath_sdk::prelude::*;
use verdict::monitor::{Conclusion, Finding, Outcome, Role, Verdict as Known};

use crate::settings::{Prove, Settings};

/// Evidence is shown up to here; what is more proves no more.
const EVIDENCE_MAX: f64 = 1e9;

/// Returns the answer of a look.
pub(crate) fn of_verdict(known: &Known, settings: &Settings, missing: Option<String>) -> Assessment {
    let (verdict, sentence) = match known.outcome {
        Outcome::Unhealthy => (Verdict::Unhealthy, known.sentence.clone()),
        Outcome::Healthy | Outcome::Inconclusive => match missing {
            Some(missing) => (Verdict::Inconclusive, format!("{missing}; what is not measured is not healthy")),
            None if known.outcome == Outcome::Healthy => (Verdict::Healthy, known.sentence.clone()),
            None => undecided(known, settings),
        },
    };
    let assessment = match verdict {
        Verdict::Healthy => Assessment::healthy(sentence),
        Verdict::Unhealthy => Assessment::unhealthy(sentence),
        Verdict::Inconclusive => Assessment::inconclusive(sentence),
        Verdict::Error => Assessment::error(sentence),
    };
    assessment.measured(known.findings.iter().flat_map(measurements)).measured([evidence(known)])
}

/// Nothing is proven: healthy where that is enough and all that decides has enough data.
fn undecided(known: &Known, settings: &Settings) -> (Verdict, String) {
    let lacks = |finding: &&Finding| {
        finding.role != Role::DryRun
            && (finding.conclusion == Conclusion::NoData || finding.candidate_size < settings.candidate_min)
    };
    match (settings.prove, known.findings.iter().find(lacks)) {
        (Prove::Good, _) | (Prove::NotWorse, Some(_)) => (Verdict::Inconclusive, known.sentence.clone()),
        (Prove::NotWorse, None) => (Verdict::Healthy, known.sentence.clone()),
    }
}

fn measurements(finding: &Finding) -> Vec<Measurement> {
    let name = kebab(&finding.metric);
    let measured = |value: f64, side: Side, size: u64| Measurement::new(&name, value, "1").on(side).of_samples(size);
    let mut found = Vec::new();
    if let Some(value) = finding.candidate.filter(|value| value.is_finite()) {
        let mut candidate = measured(value, Side::Candidate, finding.candidate_size).tested_by(finding.test.clone());
        candidate.limit = finding.yardstick.filter(|limit| limit.is_finite());
        if let Some(interval) = finding.interval {
            candidate = candidate.within(interval.low, interval.high);
        }
        found.push(candidate);
    }
    if let (Some(value), true) = (finding.yardstick.filter(|value| value.is_finite()), finding.stable_size > 0) {
        found.push(measured(value, Side::Stable, finding.stable_size));
    }
    found
}

fn evidence(known: &Known) -> Measurement {
    let value = if known.evidence.is_finite() { known.evidence.min(EVIDENCE_MAX) } else { EVIDENCE_MAX };
    Measurement::new("evidence-of-worse", value, "1").on(Side::Candidate).against(known.needed)
}

/// Returns how what is usual of a metric drifts: the last week's mean over that of the weeks before, 1 where nothing does.
pub(crate) fn drift(metric: &str, drift: f64) -> Measurement {
    Measurement::new(&format!("{}-usual-drift", kebab(metric)), drift, "1")
}

/// Returns a name as measurements have it: "error rate" is `error-rate`.
pub(crate) fn kebab(name: &str) -> String {
    name.trim().to_lowercase().split_whitespace().collect::<Vec<_>>().join("-")
}
