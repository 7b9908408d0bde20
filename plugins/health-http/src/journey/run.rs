//! A journey from its first step to its last, or to the one where it ends.

use towpath_sdk::helpers::placeholders::UnknownName;
use towpath_sdk::helpers::text::clean;
use towpath_sdk::powers::http::{Error, Request};
use towpath_sdk::prelude::*;

use super::captured::Captured;
use super::expect::{Wrong, judge};
use super::settings::{Journey, Step};
use crate::settings::Settings;

/// What a look keeps of its time to judge and to answer in, in milliseconds.
const RESERVE_MS: u32 = 500;

/// The longest sentence about a step, in characters: the whole must fit into what a deployment keeps.
const SENTENCE_MAX: usize = 320;

/// How a journey ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Every answer was the expected one.
    Passed,
    /// At every attempt, an answer was not the expected one, or there was none.
    Failed(String),
    /// It cannot be asked or judged like this.
    Unable(String),
    /// The look's time was over.
    OutOfTime(String),
}

/// What came of a journey.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) end: End,
    /// How many answers came, over all attempts.
    pub(crate) answers: u64,
    /// From the first request to the last answer of the last attempt, without the time between them.
    pub(crate) elapsed_ms: u64,
    pub(crate) slowest_ms: u32,
    /// The shortest time that a certificate is still valid, in days, and how long it must be.
    pub(crate) certificate_days: Option<(f64, u32)>,
    /// The times of steps that are judged over several answers: the step's place and its time.
    pub(crate) times: Vec<(usize, u32)>,
}

/// Runs a journey until it passes or all its attempts are used up.
pub(crate) fn run(look: &Look<Settings>, journey: &Journey, base: &str) -> Ran {
    let mut ran = Ran { end: End::Passed, answers: 0, elapsed_ms: 0, slowest_ms: 0, certificate_days: None, times: Vec::new() };
    for _ in 0..journey.attempts {
        ran.end = attempt(look, journey, base, &mut ran);
        if !matches!(ran.end, End::Failed(_)) {
            break;
        }
    }
    ran
}

fn attempt(look: &Look<Settings>, journey: &Journey, base: &str, ran: &mut Ran) -> End {
    let mut captured = Captured::default();
    ran.elapsed_ms = 0;
    for (place, step) in journey.steps.iter().enumerate() {
        // The path as the settings have it: what was captured is told to nobody.
        let named = format!("step {} of {} ({} {})", place + 1, journey.steps.len(), step.method, clean(&step.path, 80));
        let said = |why: &str, captured: &Captured| clean(&captured.hide(&format!("{named}: {why}")), SENTENCE_MAX);
        let left_ms = look.left_ms().saturating_sub(RESERVE_MS);
        if left_ms == 0 {
            return End::OutOfTime(said("the look's time was over before it", &captured));
        }
        let wanted_ms = step.timeout_ms.unwrap_or(look.settings.timeout_ms);
        let request = match request(step, base, &captured) {
            Ok(request) => request.timeout_ms(wanted_ms.min(left_ms)),
            Err(Unsendable::Answer(why)) => return End::Failed(said(&why, &captured)),
            Err(Unsendable::Check(why)) => return End::Unable(said(&why, &captured)),
        };
        let answer = match request.send() {
            Ok(answer) => answer,
            Err(Error::Timeout) if left_ms < wanted_ms => {
                return End::OutOfTime(said(
                    &format!("no answer in the {left_ms} ms that the look had left, {wanted_ms} ms may be"),
                    &captured,
                ));
            }
            Err(Error::Timeout) => return End::Failed(said(&format!("no answer within {wanted_ms} ms"), &captured)),
            Err(error @ (Error::Refused(_) | Error::Invalid(_) | Error::TooLarge(_))) => {
                return End::Unable(said(&error.sentence(), &captured));
            }
            Err(error @ (Error::Unreachable(_) | Error::Broken(_))) => return End::Failed(said(&error.sentence(), &captured)),
        };
        ran.answers += 1;
        ran.elapsed_ms += u64::from(answer.elapsed_ms);
        ran.slowest_ms = ran.slowest_ms.max(answer.elapsed_ms);
        if step.expect.is_timed_over_looks() {
            ran.times.push((place, answer.elapsed_ms));
        }
        match judge(step, &answer, &mut captured) {
            Ok(measured) => ran.certificate_days = shorter(ran.certificate_days, measured.certificate_days),
            Err(Wrong::Answer(why)) => return End::Failed(said(&why, &captured)),
            Err(Wrong::Check(why)) => return End::Unable(said(&why, &captured)),
        }
    }
    End::Passed
}

/// Why a request is not sent.
enum Unsendable {
    /// What an earlier answer gave does not fit.
    Answer(String),
    /// The settings do not.
    Check(String),
}

impl From<UnknownName> for Unsendable {
    fn from(name: UnknownName) -> Self {
        Self::Check(name.to_string())
    }
}

fn request(step: &Step, base: &str, captured: &Captured) -> Result<Request, Unsendable> {
    let mut request = Request::new(step.method.clone(), format!("{base}{}", captured.in_path(&step.path)?));
    if let Some(value) = &step.json {
        request = request.json(&captured.in_json(value)?);
    } else if let Some(body) = &step.body {
        request = request.body(captured.in_text(body)?);
    }
    for (name, value) in &step.headers {
        let value = captured.in_text(value)?;
        if value.contains(char::is_control) {
            let why = format!("what was captured for header {name:?} has a control character in it, which no header may have");
            return Err(Unsendable::Answer(why));
        }
        // One that is said takes the place of the one that goes with JSON.
        request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        request = request.header(name.clone(), value);
    }
    Ok(request)
}

fn shorter(one: Option<(f64, u32)>, other: Option<(f64, u32)>) -> Option<(f64, u32)> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.0 < one.0 { other } else { one }),
        (one, other) => one.or(other),
    }
}
