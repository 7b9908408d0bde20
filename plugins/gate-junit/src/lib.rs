//! A gate over JUnit reports: enough tests ran, few enough failed, few enough were skipped.
//!
//! It fails closed: without a report there is no pass, and a report that cannot be read to its end is an error, not a small report.

mod report;

use report::Report;
use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::prelude::*;

/// The kind of evidence that is read.
const KIND: &str = "junit";

/// How many failed tests are named in the sentence; the report has them all.
const NAMED_MAX: usize = 3;

/// How the gate is set up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// How many tests may fail (failures and errors together).
    pub failures_max: u32,
    /// How many tests must have run; skipped ones did not.
    pub tests_min: u32,
    /// How many tests may be skipped; without it, any number.
    pub skipped_max: Option<u32>,
    /// The name of the evidence; without it, all evidence of kind `junit` is taken together.
    pub name: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { failures_max: 0, tests_min: 1, skipped_max: None, name: None }
    }
}

/// The gate.
pub struct GateJunit;

impl Gate for GateJunit {
    type Settings = Settings;

    fn evaluate(question: &Question<Settings>) -> Answer {
        let settings = &question.settings;
        let wanted =
            |evidence: &&Evidence| evidence.kind == KIND && settings.name.as_ref().is_none_or(|name| *name == evidence.name);
        let mut total = Report::default();
        let mut reports = 0;
        for evidence in question.evidence.iter().filter(wanted) {
            match report::read(&evidence.content) {
                Ok(report) => total.add(report),
                Err(error) => return Answer::error(format!("the report {:?} cannot be read: {error}", evidence.name)),
            }
            reports += 1;
        }
        match reports {
            0 => Answer::fail(absent(settings)),
            _ => judge(settings, &total),
        }
    }
}

fn absent(settings: &Settings) -> String {
    match &settings.name {
        Some(name) => format!("the artifact has no evidence of kind `{KIND}` with the name {name:?}"),
        None => format!("the artifact has no evidence of kind `{KIND}`"),
    }
}

fn judge(settings: &Settings, report: &Report) -> Answer {
    let Report { run, failed, skipped, .. } = report;
    let too_few = (*run < settings.tests_min).then(|| format!("{run} tests ran, at least {} must", settings.tests_min));
    let too_many_failed = (*failed > settings.failures_max).then(|| {
        let named = report.names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
        format!(
            "{failed} tests failed, at most {} may ({named}{})",
            settings.failures_max,
            if *failed as usize > NAMED_MAX { ", …" } else { "" }
        )
    });
    let skipped_max = settings.skipped_max.filter(|most| skipped > most);
    let too_many_skipped = skipped_max.map(|most| format!("{skipped} tests were skipped, at most {most} may be"));
    let reasons: Vec<_> = [too_few, too_many_failed, too_many_skipped].into_iter().flatten().collect();
    let answer = match reasons.is_empty() {
        true => Answer::pass(format!("{run} tests ran, {failed} failed, {skipped} were skipped")),
        false => Answer::fail(reasons.join("; ")),
    };
    let skipped = Measurement::new("tests-skipped", f64::from(*skipped), "1");
    answer.measured([
        Measurement::new("tests-run", f64::from(*run), "1").against(f64::from(settings.tests_min)),
        Measurement::new("tests-failed", f64::from(*failed), "1").against(f64::from(settings.failures_max)),
        match settings.skipped_max {
            Some(most) => skipped.against(f64::from(most)),
            None => skipped,
        },
    ])
}

towpath_sdk::export_gate!(GateJunit);

#[cfg(test)]
mod tests;
