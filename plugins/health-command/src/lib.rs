//! A health check that runs a program which the operator allowed: any script, and any plugin of a monitoring system, judges a candidate.
//!
//! The verdict is the exit code's, or that of a report in JSON. A program that hangs, crashes or says what cannot be read is an error, never
//! healthy; the table in `README.md` has each case.

mod performance;
mod report;
mod settings;

use performance::performance;
pub use settings::{Convention, Means, Settings};
use towpath_sdk::health::{Judged, Subject};
use towpath_sdk::helpers::placeholders::{Placeholders, UnknownName, fill};
use towpath_sdk::helpers::text::clean;
use towpath_sdk::powers::command::{self, Outcome, Request};
use towpath_sdk::prelude::*;

/// What a look keeps of its time to judge and to answer in, in milliseconds.
const RESERVE_MS: u32 = 500;

/// How much of what a program printed stands in a sentence, in characters.
const LINE_MAX: usize = 240;

/// How much of a program's name stands in a sentence, in characters.
const NAME_MAX: usize = 60;

/// The check.
pub struct HealthCommand;

impl HealthCheck for HealthCommand {
    type Settings = Settings;

    fn assess(look: &Look<Settings>) -> Assessment {
        let settings = &look.settings;
        if let Err(sentence) = settings.check() {
            return Assessment::error(sentence);
        }
        let judged = settings.judged;
        let Some(subject) = judged.subject(look) else {
            let absent = if judged == Judged::Stable { "stable side" } else { "candidate" };
            return Assessment::inconclusive(format!("there is no {absent} to judge"));
        };
        let arguments = match arguments(look, subject) {
            Ok(arguments) => arguments,
            Err(assessment) => return *assessment,
        };
        let name = clean(&settings.program, NAME_MAX);
        let timeout_ms = settings.timeout_ms.min(look.left_ms().saturating_sub(RESERVE_MS)).max(1);
        let request = arguments.into_iter().fold(Request::new(&settings.program), Request::argument).timeout_ms(timeout_ms);
        match command::run(&request) {
            Ok(outcome) => judge(settings, &name, &outcome),
            Err(command::Error::Timeout) => {
                Assessment::error(format!("{name} did not end within {timeout_ms} ms and was killed"))
            }
            Err(error) => Assessment::error(format!("{name} was not run: {}", clean(&error.sentence(), LINE_MAX))),
        }
    }
}

/// Returns the arguments with what their placeholders stand for. The error is boxed: it is the answer, and larger than what goes on.
fn arguments(look: &Look<Settings>, subject: &Subject) -> Result<Vec<String>, Box<Assessment>> {
    let judged = look.settings.judged;
    let known = Placeholders::of(&look.context).on(judged.side(), subject);
    let value = |name: &str| match name {
        "endpoint" => judged.endpoint(look).map(str::to_owned),
        name => known.value(name).map(str::to_owned),
    };
    let filled = look.settings.arguments.iter().enumerate().map(|(place, argument)| {
        let number = place + 1;
        let filled = fill(argument, value).map_err(|UnknownName(name)| match name.as_str() {
            "release" | "label" | "endpoint" => {
                let absent = format!("the {} has no {name}, which ${name} in argument {number} stands for", judged.as_str());
                Assessment::inconclusive(absent)
            }
            _ => Assessment::error(format!("argument {number}: {}", UnknownName(name))),
        })?;
        // A label that begins like an option would be read as one.
        if filled.starts_with('-') && !argument.starts_with('-') {
            let why = format!("argument {number} would begin with \"-\" by what {:?} stands for", clean(argument, NAME_MAX));
            return Err(Box::new(Assessment::error(why)));
        }
        Ok(filled)
    });
    filled.collect()
}

fn judge(settings: &Settings, name: &str, outcome: &Outcome) -> Assessment {
    let time = Measurement::new("program-time", f64::from(outcome.elapsed_ms), "ms").against(f64::from(settings.timeout_ms));
    let time = settings.judged.placed(time.of_samples(1));
    match settings.convention {
        Convention::Exit => by_code(settings, name, outcome, first_line(outcome)).measured([time]),
        Convention::Nagios => {
            let line = first_line(outcome);
            let (line, numbers) = line.split_once('|').unwrap_or((&line, ""));
            let numbers = performance(numbers).into_iter().map(|measured| settings.judged.placed(measured));
            by_code(settings, name, outcome, line.to_owned()).measured([time]).measured(numbers)
        }
        Convention::Json => report::judge(settings, name, outcome).measured([time]),
    }
}

fn by_code(settings: &Settings, name: &str, outcome: &Outcome, line: String) -> Assessment {
    let (code, means) = (outcome.exit_code, settings.meaning(outcome.exit_code));
    let healthy = settings.healthy_codes();
    let expected: Vec<_> = healthy.iter().take(5).map(ToString::to_string).collect();
    let expected = if expected.is_empty() { "none".to_owned() } else { expected.join(", ") };
    let said = match clean(&line, LINE_MAX).as_str() {
        "" => "it said nothing".to_owned(),
        line => line.to_owned(),
    };
    let sentence = format!("{name} ended with {code}, which means {} (healthy: {expected}): {said}", means.as_str());
    let measured = Measurement::new("exit-code", f64::from(code), "1").of_samples(1);
    let measured = if healthy == [0] { measured.against(0.0) } else { measured };
    means.assessment(sentence).measured([settings.judged.placed(measured)])
}

/// Returns the first line that a program printed: on standard output, or else on standard error.
fn first_line(outcome: &Outcome) -> String {
    let first = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
    };
    first(&outcome.stdout).or_else(|| first(&outcome.stderr)).unwrap_or_default()
}

towpath_sdk::export_health_check!(HealthCommand);

#[cfg(test)]
mod tests;
