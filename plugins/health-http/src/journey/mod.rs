//! Synthetic journeys: several requests one after the other, as a user of the service makes them, with what is expected of each answer.
//!
//! A journey that fails at all its attempts makes the look unhealthy, whichever side it went to. `README.md` of the plugin has the table of
//! what else can come back, each with its verdict.

mod captured;
mod expect;
mod run;
pub mod settings;
mod times;
pub mod words;

use run::{End, Ran, run};
pub use settings::Journey;
use times::{Finding, Times};
use towpath_sdk::health::Judged;
use towpath_sdk::prelude::*;

use crate::settings::Settings;

/// Runs the journeys and judges. Ends at the first one that fails: the verdict is certain, and a service that is not well needs no load.
pub(crate) fn assess(look: &Look<Settings>) -> Assessment {
    let journeys = &look.settings.journeys;
    let mut times = Times::of(look);
    let (mut runs, mut findings): (Vec<(&Journey, Ran)>, Vec<Finding>) = (Vec::new(), Vec::new());
    for journey in journeys {
        let subject = subject(look, journey);
        let Some(endpoint) = subject.endpoint(look) else {
            let sentence = format!("the {} has no endpoint for journey {:?}", subject.as_str(), journey.name);
            return Assessment::inconclusive(sentence).measured(measurements(look, &runs)).remembering(&times);
        };
        let ran = run(look, journey, &format!("{}://{endpoint}", journey.scheme.as_str()));
        times.take(journey, &ran.times);
        findings.extend(times.judge(journey));
        let passed = ran.end == End::Passed;
        runs.push((journey, ran));
        if !passed {
            break;
        }
    }
    let assessment = judge(look, &runs, &findings).measured(measurements(look, &runs));
    let assessment = assessment.measured(findings.into_iter().map(|finding| finding.measurement));
    if times.is_empty() { assessment } else { assessment.remembering(&times) }
}

fn subject(look: &Look<Settings>, journey: &Journey) -> Judged {
    journey.subject.unwrap_or(look.settings.subject)
}

fn judge(look: &Look<Settings>, runs: &[(&Journey, Ran)], findings: &[Finding]) -> Assessment {
    let said = |journey: &Journey, verb: &str, why: &str| {
        format!("journey {:?} {verb} on the {} at {why}", journey.name, subject(look, journey).as_str())
    };
    if let Some((journey, Ran { end: End::Failed(why), .. })) = runs.last() {
        return Assessment::unhealthy(format!(
            "{} ({})",
            said(journey, "failed", why),
            counted(journey.attempts as usize, "attempt")
        ));
    }
    let of =
        |verdict: Verdict| findings.iter().find(|finding| finding.verdict == verdict).map(|finding| finding.sentence.clone());
    if let Some(sentence) = of(Verdict::Unhealthy) {
        return Assessment::unhealthy(sentence);
    }
    match runs.last() {
        Some((journey, Ran { end: End::Unable(why), .. })) => Assessment::error(said(journey, "cannot be judged", why)),
        Some((journey, Ran { end: End::OutOfTime(why), .. })) => Assessment::inconclusive(said(journey, "was not finished", why)),
        Some((_, Ran { end: End::Passed | End::Failed(_), .. })) => match of(Verdict::Inconclusive) {
            Some(sentence) => Assessment::inconclusive(sentence),
            None => Assessment::healthy(passed(look, runs)),
        },
        None => Assessment::error("there is no journey to judge by"),
    }
}

fn passed(look: &Look<Settings>, runs: &[(&Journey, Ran)]) -> String {
    let each: Vec<_> = runs
        .iter()
        .map(|(journey, _)| {
            format!("{} ({}, {})", journey.name, subject(look, journey).as_str(), counted(journey.steps.len(), "step"))
        })
        .collect();
    let slowest_ms = runs.iter().map(|(_, ran)| ran.slowest_ms).max().unwrap_or(0);
    format!("{} passed, the slowest answer took {slowest_ms} ms: {}", counted(runs.len(), "journey"), each.join(", "))
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn measurements(look: &Look<Settings>, runs: &[(&Journey, Ran)]) -> Vec<Measurement> {
    let failed = runs.iter().filter(|(_, ran)| matches!(ran.end, End::Failed(_))).count();
    let failed = Measurement::new("journeys-failed", f64::from(u32::try_from(failed).unwrap_or(u32::MAX)), "1");
    let mut measured = vec![failed.against(0.0).of_samples(runs.len() as u64)];
    for (journey, ran) in runs {
        let subject = subject(look, journey);
        if ran.answers > 0 {
            // A sum of at most a hundred times of at most a minute.
            let time = Measurement::new(&format!("{}-time", journey.name), ran.elapsed_ms as f64, "ms").of_samples(ran.answers);
            measured.push(subject.placed(time));
        }
        if let Some((days, min)) = ran.certificate_days {
            let days = Measurement::new(&format!("{}-certificate-days", journey.name), days, "days").against(f64::from(min));
            measured.push(subject.placed(days));
        }
    }
    measured
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_settings;
