//! From counts to a verdict.

use towpath_sdk::prelude::*;

use crate::counters::{Counted, float, ratio};
use crate::settings::Settings;

/// One limit, and how it was met.
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) sentence: String,
    pub(crate) measurement: Measurement,
}

/// Judges the candidate: unhealthy if any limit is exceeded, else inconclusive if any cannot be judged yet, else healthy.
/// `compared` is what the comparison of both sides over the whole watch has found.
pub(crate) fn judge(settings: &Settings, candidate: &Counted, stable: Option<&Counted>, compared: Option<Finding>) -> Assessment {
    let findings: Vec<_> = [
        settings.max_error_rate.map(|limit| error_rate(settings, candidate, limit)),
        settings.max_error_rate_above_stable.map(|limit| error_rate_above_stable(settings, candidate, stable, limit)),
        settings.max_latency_ms.map(|limit| latency(settings, candidate, limit)),
        settings.max_latency_ratio.map(|limit| latency_ratio(settings, candidate, stable, limit)),
    ]
    .into_iter()
    .flatten()
    .chain(compared)
    .collect();
    let sentences = |verdict: Verdict| {
        let of_verdict = findings.iter().filter(|finding| finding.verdict == verdict);
        of_verdict.map(|finding| finding.sentence.clone()).collect::<Vec<_>>().join("; ")
    };
    let is = |verdict: Verdict| findings.iter().any(|finding| finding.verdict == verdict);
    let assessment = if is(Verdict::Unhealthy) {
        Assessment::unhealthy(sentences(Verdict::Unhealthy))
    } else if is(Verdict::Inconclusive) {
        Assessment::inconclusive(sentences(Verdict::Inconclusive))
    } else {
        Assessment::healthy(sentences(Verdict::Healthy))
    };
    let requests = Measurement::new("requests", float(candidate.requests), "1").on(Side::Candidate);
    let stable_rate =
        stable.and_then(Counted::error_rate).map(|rate| Measurement::new("error-rate", rate, "ratio").on(Side::Stable));
    let measured = findings.into_iter().map(|finding| finding.measurement);
    assessment.measured(measured).measured([requests]).measured(stable_rate)
}

fn error_rate(settings: &Settings, candidate: &Counted, limit: f64) -> Finding {
    let Counted { requests, errors, .. } = candidate;
    let rate = candidate.error_rate().unwrap_or(0.0);
    // Before enough requests came, suppose that all those missing go well: if even that is too bad, waiting helps nobody.
    let at_best = ratio(*errors, (*requests).max(settings.min_requests));
    let counted = format!("{errors} of {requests} requests to the candidate failed");
    let (verdict, sentence) = if at_best > limit {
        (Verdict::Unhealthy, format!("{counted}, at most {} may", percent(limit)))
    } else if *requests < settings.min_requests {
        (Verdict::Inconclusive, format!("{counted}, {} are needed for a verdict", settings.min_requests))
    } else {
        (Verdict::Healthy, format!("{counted}, {} may", percent(limit)))
    };
    Finding { verdict, sentence, measurement: Measurement::new("error-rate", rate, "ratio").on(Side::Candidate).against(limit) }
}

fn error_rate_above_stable(settings: &Settings, candidate: &Counted, stable: Option<&Counted>, limit: f64) -> Finding {
    let measure = |value: f64| Measurement::new("error-rate-above-stable", value, "ratio").on(Side::Candidate).against(limit);
    let Some(stable) = enough(settings, candidate, stable) else {
        let sentence = format!("both sides need {} requests to compare their errors", settings.min_requests);
        return Finding { verdict: Verdict::Inconclusive, sentence, measurement: measure(0.0) };
    };
    let (theirs, ours) = (stable.error_rate().unwrap_or(0.0), candidate.error_rate().unwrap_or(0.0));
    let sentence = format!("{} of the candidate's requests failed and {} of stable's", percent(ours), percent(theirs));
    let verdict = if ours - theirs > limit { Verdict::Unhealthy } else { Verdict::Healthy };
    Finding { verdict, sentence, measurement: measure(ours - theirs) }
}

fn latency(settings: &Settings, candidate: &Counted, limit: f64) -> Finding {
    let percentile = settings.percentile.as_str();
    let found = candidate.latency.at(settings.percentile.share());
    let measurement = Measurement::new(&name(settings), found.unwrap_or(0.0), "ms").on(Side::Candidate).against(limit);
    let (verdict, sentence) = match found.filter(|_| candidate.latency.count >= settings.min_requests) {
        None => (Verdict::Inconclusive, format!("{} requests are needed to judge the latency", settings.min_requests)),
        Some(found) if found > limit => {
            (Verdict::Unhealthy, format!("the candidate's {percentile} is {found:.1} ms, at most {limit} ms"))
        }
        Some(found) => (Verdict::Healthy, format!("the candidate's {percentile} is {found:.1} ms")),
    };
    Finding { verdict, sentence, measurement }
}

fn latency_ratio(settings: &Settings, candidate: &Counted, stable: Option<&Counted>, limit: f64) -> Finding {
    let measure = |value: f64| Measurement::new("latency-ratio", value, "ratio").on(Side::Candidate).against(limit);
    let share = settings.percentile.share();
    let both =
        enough(settings, candidate, stable).and_then(|stable| Some((candidate.latency.at(share)?, stable.latency.at(share)?)));
    let Some((ours, theirs)) = both.filter(|(_, theirs)| *theirs > 0.0) else {
        let sentence = format!("both sides need {} requests to compare their latency", settings.min_requests);
        return Finding { verdict: Verdict::Inconclusive, sentence, measurement: measure(0.0) };
    };
    let sentence = format!("the candidate's {} is {ours:.1} ms and stable's {theirs:.1} ms", settings.percentile.as_str());
    let verdict = if ours / theirs > limit { Verdict::Unhealthy } else { Verdict::Healthy };
    Finding { verdict, sentence, measurement: measure(ours / theirs) }
}

/// Returns the stable side if both have enough requests to be compared.
fn enough<'a>(settings: &Settings, candidate: &Counted, stable: Option<&'a Counted>) -> Option<&'a Counted> {
    let enough = |counted: &Counted| counted.requests >= settings.min_requests;
    stable.filter(|stable| enough(stable) && enough(candidate))
}

fn name(settings: &Settings) -> String {
    format!("latency-{}", settings.percentile.as_str())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
