//! A verdict that a program writes as JSON. Read strictly: a program that does not know the form does not know what it says either.

use serde::Deserialize;
use towpath_sdk::helpers::text::clean;
use towpath_sdk::powers::command::Outcome;
use towpath_sdk::prelude::*;

use crate::settings::{Means, Settings};

/// Measurements that a report may have; an answer keeps a few dozen.
const MEASUREMENTS_MAX: usize = 50;

/// The longest sentence of a report that is kept, in characters.
const SENTENCE_MAX: usize = 400;

/// How much of what was printed stands in a sentence about it, in characters.
const SHOWN_MAX: usize = 120;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Report {
    verdict: Means,
    sentence: String,
    #[serde(default)]
    measurements: Vec<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Number {
    name: String,
    value: f64,
    unit: String,
    limit: Option<f64>,
    samples: Option<u64>,
    side: Option<NumberSide>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum NumberSide {
    Candidate,
    Stable,
}

/// Returns the verdict of a report, or that it is none.
pub(crate) fn judge(settings: &Settings, name: &str, outcome: &Outcome) -> Assessment {
    let printed = |bytes: &[u8]| clean(&String::from_utf8_lossy(bytes), SHOWN_MAX);
    if outcome.exit_code != 0 {
        let said = printed(&outcome.stderr);
        return Assessment::error(format!("{name} ended with {}, expected 0 and a report: {said:?}", outcome.exit_code));
    }
    if outcome.cut {
        let length = outcome.stdout.len();
        return Assessment::error(format!("{name} printed more than is kept, {length} bytes of it are no whole report"));
    }
    let report: Report = match serde_json::from_slice(&outcome.stdout) {
        Ok(report) => report,
        Err(error) => {
            return Assessment::error(format!("{name} printed {:?}, which is no report: {error}", printed(&outcome.stdout)));
        }
    };
    match measurements(settings, report.measurements) {
        Err(why) => Assessment::error(format!("the report of {name}: {why}")),
        Ok(_) if report.sentence.trim().is_empty() => Assessment::error(format!("the report of {name} has no sentence")),
        Ok(measured) => {
            let sentence = format!("{name}: {}", clean(&report.sentence, SENTENCE_MAX));
            report.verdict.assessment(sentence).measured(measured)
        }
    }
}

fn measurements(settings: &Settings, numbers: Vec<Number>) -> Result<Vec<Measurement>, String> {
    if numbers.len() > MEASUREMENTS_MAX {
        return Err(format!("it has {} measurements, at most {MEASUREMENTS_MAX} may be", numbers.len()));
    }
    numbers.into_iter().map(|number| measurement(settings, number)).collect()
}

fn measurement(settings: &Settings, number: Number) -> Result<Measurement, String> {
    let Number { name, value, unit, limit, samples, side } = number;
    let named = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 60
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !named {
        return Err(format!(
            "{:?} is no name of a measurement; use small letters, digits and hyphens, at most 60",
            clean(&name, 60)
        ));
    }
    if unit.is_empty() || unit.len() > 20 || unit.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(format!("measurement {name:?} has the unit {:?}, expected one as ms, ratio or 1", clean(&unit, 20)));
    }
    let measured = Measurement { limit, samples, ..Measurement::new(&name, value, &unit) };
    Ok(match side {
        Some(NumberSide::Candidate) => measured.on(Side::Candidate),
        Some(NumberSide::Stable) => measured.on(Side::Stable),
        None => settings.judged.placed(measured),
    })
}
