//! A health check over what a service writes: lines that tell of errors, against a limit and beside stable's, and forms of lines that stable never
//! wrote.
//!
//! Each look reads the lines since the last one, of both sides, from a Loki or from the local runtime. Nothing is read twice and little is kept: counts, and
//! the forms of lines. No line is no data, and never healthy; the table in `README.md` has each case.

mod errors;
mod finding;
mod forms;
mod logql;
mod mask;
mod memory;
mod novelty;
mod pattern;
mod settings;
mod source;

use finding::{Finding, counted};
use memory::Memory;
pub use pattern::Pattern;
pub use settings::{Errors, Loki, NewPatterns, Runtime, Settings};
use source::{Of, Reading, Unread};
use towpath_sdk::health::Subject;
use towpath_sdk::powers::clock;
use towpath_sdk::prelude::*;

/// The check.
pub struct HealthLogs;

impl HealthCheck for HealthLogs {
    type Settings = Settings;

    fn assess(look: &Look<Settings>) -> Assessment {
        if let Err(sentence) = look.settings.check() {
            return Assessment::error(sentence);
        }
        let Some(candidate) = &look.subjects.candidate else {
            return Assessment::inconclusive("there is no candidate whose lines could be judged");
        };
        let mut memory = Memory::of(look);
        // What was read up to now stays known when this look fails.
        let before = memory.clone();
        match assess(look, candidate, &mut memory) {
            Ok(assessment) => assessment.remembering(&memory),
            Err(Unread::Error(sentence)) => Assessment::error(sentence).remembering(&before),
            Err(Unread::Unsure(sentence)) => Assessment::inconclusive(sentence).remembering(&before),
        }
    }
}

fn assess(look: &Look<Settings>, candidate: &Subject, memory: &mut Memory) -> Result<Assessment, Unread> {
    let settings = &look.settings;
    let now_ms = clock::now_ms();
    let (from_ns, until_ns) = (memory.read_until_ns, source::until_ns(settings, now_ms).max(memory.read_until_ns));
    let stable =
        look.subjects.stable.as_ref().filter(|_| settings.needs_stable()).map(|subject| Of { side: Side::Stable, subject });
    if let (Some(stable), Some(rule), false) = (stable, &settings.new_patterns, memory.knows_before) {
        memory.forms.learn(rule, &source::read_before(look, stable, rule.look_back_minutes, from_ns)?);
        memory.knows_before = true;
    }
    let stable = stable.map(|stable| source::read(look, stable, from_ns, until_ns)).transpose()?;
    let candidate = source::read(look, Of { side: Side::Candidate, subject: candidate }, from_ns, until_ns)?;
    memory.read_until_ns = until_ns;
    memory.candidate_lines = memory.candidate_lines.saturating_add(candidate.lines.len() as u64);
    memory.stable_lines = memory.stable_lines.saturating_add(stable.as_ref().map_or(0, |stable| stable.lines.len() as u64));
    (memory.span_ms, memory.read_ms) = (memory.span_ms + candidate.span_ms, memory.read_ms + candidate.read_ms);
    let elapsed_ms = u64::try_from(now_ms.saturating_sub(look.window.started_ms)).unwrap_or(0);
    let findings = findings(look, memory, &candidate, stable.as_ref(), elapsed_ms).map_err(Unread::Error)?;
    Ok(judged(settings, memory, findings))
}

fn findings(
    look: &Look<Settings>,
    memory: &mut Memory,
    candidate: &Reading,
    stable: Option<&Reading>,
    elapsed_ms: u64,
) -> Result<Vec<Finding>, String> {
    let settings = &look.settings;
    let mut findings = Vec::new();
    if let Some(errors) = &settings.errors {
        // Where stable takes no traffic any more there is nothing to compare with; what was found while it did was said then.
        let takes_traffic = look.subjects.stable.as_ref().is_some_and(|stable| stable.basis_points > 0);
        let beside = stable.filter(|_| takes_traffic);
        findings.extend(memory.seen.judge(settings, errors, candidate, beside, elapsed_ms)?);
    }
    if let Some(rule) = &settings.new_patterns {
        memory.forms.learn(rule, stable.map_or(&[], |stable| &stable.lines));
        memory.forms.take(rule, &candidate.lines);
        findings.push(memory.forms.judge(rule, settings.lines_min));
    }
    Ok(findings)
}

/// Judges: unhealthy if any rule says so, else inconclusive if there are too few lines or any rule cannot tell, else healthy.
fn judged(settings: &Settings, memory: &Memory, findings: Vec<Finding>) -> Assessment {
    let sentences = |verdict: Verdict| {
        let of_verdict = findings.iter().filter(|finding| finding.verdict == verdict);
        of_verdict.map(|finding| finding.sentence.clone()).collect::<Vec<_>>().join("; ")
    };
    let is = |verdict: Verdict| findings.iter().any(|finding| finding.verdict == verdict);
    let (lines, needed) = (memory.candidate_lines, settings.lines_min);
    let left_out = match (memory.read_ms, memory.span_ms) {
        (read, span) if read < span => {
            let seconds = |ms: u64| format!("{}.{}", ms / 1_000, ms % 1_000 / 100);
            format!("; not all lines were read, those of {} of {} s were", seconds(read), seconds(span))
        }
        _ => String::new(),
    };
    let assessment = if is(Verdict::Unhealthy) {
        Assessment::unhealthy(sentences(Verdict::Unhealthy) + &left_out)
    } else if lines < needed {
        Assessment::inconclusive(format!(
            "the candidate has written {}, {needed} are needed for a verdict",
            counted(lines, "line")
        ))
    } else if is(Verdict::Inconclusive) {
        Assessment::inconclusive(sentences(Verdict::Inconclusive) + &left_out)
    } else {
        Assessment::healthy(sentences(Verdict::Healthy) + &left_out)
    };
    // Counts of lines are far below what a number with a fraction loses.
    let wrote = |count: u64, side: Side| Measurement::new("lines", count as f64, "1").on(side).of_samples(count);
    let stable = (memory.stable_lines > 0).then(|| wrote(memory.stable_lines, Side::Stable));
    let candidate = Measurement { limit: Some(needed as f64), ..wrote(lines, Side::Candidate) };
    let measured = findings.into_iter().flat_map(|finding| finding.measurements);
    assessment.measured([candidate]).measured(stable).measured(measured)
}

towpath_sdk::export_health_check!(HealthLogs);

#[cfg(test)]
mod tests;
