//! Whether an answer is the expected one.

use serde_json::Value;
use towpath_sdk::helpers::text::clean;
use towpath_sdk::powers::clock;
use towpath_sdk::powers::http::Response;

use super::captured::Captured;
use super::settings::{Capture, Expect, JsonExpect, Step, TextExpect};

/// The largest JSON body that is looked into, in bytes: a path may visit all of it several times.
const JSON_BYTES_MAX: usize = 1 << 20;

/// How much of what was found stands in a sentence, in characters.
const SHOWN_MAX: usize = 80;

/// Milliseconds in a day.
const DAY_MS: f64 = 86_400_000.0;

/// Why an answer is not taken.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// It is not the expected one.
    Answer(String),
    /// It is one that this check cannot judge.
    Check(String),
}

/// What is measured of a good answer, beside its time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// How long the certificate is still valid, in days, and how long it must be.
    pub(crate) certificate_days: Option<(f64, u32)>,
}

/// Holds an answer against what a step expects, and captures what later steps need.
pub(crate) fn judge(step: &Step, answer: &Response, captured: &mut Captured) -> Result<Measured, Wrong> {
    let Expect { status, headers, json, body, .. } = &step.expect;
    if !status.iter().any(|range| range.holds(answer.status)) {
        let ranges: Vec<_> = status.iter().map(ToString::to_string).collect();
        return Err(Wrong::Answer(format!("status {}, expected {}", answer.status, ranges.join(" or "))));
    }
    for (name, expect) in headers {
        let found = answer.header(name).ok_or_else(|| Wrong::Answer(format!("there is no header {name:?}")))?;
        text(&format!("header {name:?}"), found, expect, captured)?;
    }
    let needs_json = !json.is_empty() || step.capture.values().any(|capture| capture.json.is_some());
    let document = if needs_json { document(answer)? } else { Value::Null };
    for expect in json {
        value(&document, expect, captured)?;
    }
    if let Some(expect) = body {
        text("the body", &String::from_utf8_lossy(&answer.body), expect, captured)?;
    }
    let certificate_days = step.expect.certificate_days_min.map(|min| certificate(answer, min)).transpose()?;
    time(&step.expect, answer.elapsed_ms)?;
    for (name, capture) in &step.capture {
        let found = found(name, capture, answer, &document).map_err(Wrong::Answer)?;
        captured.keep(name, found).map_err(Wrong::Answer)?;
    }
    Ok(Measured { certificate_days })
}

fn text(what: &str, found: &str, expect: &TextExpect, captured: &Captured) -> Result<(), Wrong> {
    let filled = |text: &Option<String>| {
        text.as_deref().map(|text| captured.in_text(text)).transpose().map_err(|name| Wrong::Check(name.to_string()))
    };
    let wrong = |expected: String| Err(Wrong::Answer(format!("{what} is {}, expected {expected}", shown(found))));
    if let Some(equals) = filled(&expect.equals)?
        && found != equals
    {
        return wrong(shown(&equals));
    }
    if let Some(contains) = filled(&expect.contains)?
        && !found.contains(&contains)
    {
        return wrong(format!("one with {} in it", shown(&contains)));
    }
    match &expect.matches {
        Some(pattern) if !pattern.regex().is_match(found) => wrong(format!("one that fits {}", shown(pattern.as_str()))),
        Some(_) | None => Ok(()),
    }
}

fn document(answer: &Response) -> Result<Value, Wrong> {
    if answer.body.len() > JSON_BYTES_MAX {
        return Err(Wrong::Check(format!("the body has {} bytes, JSON is read up to {JSON_BYTES_MAX}", answer.body.len())));
    }
    serde_json::from_slice(&answer.body).map_err(|error| {
        let kind = answer.header("content-type").map_or_else(String::new, |kind| format!(" of {}", clean(kind, SHOWN_MAX)));
        let begins = String::from_utf8_lossy(&answer.body[..answer.body.len().min(SHOWN_MAX)]).into_owned();
        Wrong::Answer(format!("the body{kind} is no JSON, it begins with {}: {error}", shown(&begins)))
    })
}

fn value(document: &Value, expect: &JsonExpect, captured: &Captured) -> Result<(), Wrong> {
    let path = expect.path.as_str();
    let found = expect.path.path().query(document);
    let wrong =
        |found: &Value, expected: String| Err(Wrong::Answer(format!("{path} is {}, expected {expected}", shown_value(found))));
    if expect.exists == Some(false) {
        return found.first().map_or(Ok(()), |found| wrong(found, "nothing there".to_owned()));
    }
    if found.is_empty() {
        return Err(Wrong::Answer(format!("there is nothing at {path}")));
    }
    let equals =
        expect.equals.as_ref().map(|value| captured.in_json(value)).transpose().map_err(|name| Wrong::Check(name.to_string()))?;
    for found in found.iter() {
        if let Some(equals) = &equals
            && !same(found, equals)
        {
            return wrong(found, shown_value(equals));
        }
        if let Some(min) = expect.min
            && !found.as_f64().is_some_and(|number| number >= min)
        {
            return wrong(found, format!("at least {min}"));
        }
        if let Some(max) = expect.max
            && !found.as_f64().is_some_and(|number| number <= max)
        {
            return wrong(found, format!("at most {max}"));
        }
        if let Some(pattern) = &expect.matches
            && !found.as_str().is_some_and(|text| pattern.regex().is_match(text))
        {
            return wrong(found, format!("a text that fits {}", shown(pattern.as_str())));
        }
    }
    Ok(())
}

/// Returns whether two values are the same; `1` and `1.0` are.
fn same(one: &Value, other: &Value) -> bool {
    one == other || matches!((one, other), (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64())
}

fn certificate(answer: &Response, days_min: u32) -> Result<(f64, u32), Wrong> {
    let Some(expires_ms) = answer.certificate_expires_ms else {
        return Err(Wrong::Answer(format!("no certificate was seen, expected one that is valid for {days_min} days")));
    };
    // Milliseconds of any year that a certificate can name are exact in a number with a fraction.
    let days = expires_ms.saturating_sub(clock::now_ms()) as f64 / DAY_MS;
    if days >= f64::from(days_min) {
        return Ok((days, days_min));
    }
    let expires = if days < 0.0 { format!("expired {:.1} days ago", -days) } else { format!("expires in {days:.1} days") };
    Err(Wrong::Answer(format!("the certificate {expires}, expected one that is valid for {days_min} days")))
}

fn time(expect: &Expect, elapsed_ms: u32) -> Result<(), Wrong> {
    match expect.time_ms_max {
        Some(max) if !expect.is_timed_over_looks() && elapsed_ms > max => {
            Err(Wrong::Answer(format!("it took {elapsed_ms} ms, at most {max} ms may be")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Returns what a step captures of an answer.
fn found(name: &str, capture: &Capture, answer: &Response, document: &Value) -> Result<Value, String> {
    let whole = match (&capture.json, &capture.header) {
        (Some(path), _) => {
            let found = path.path().query(document).first().cloned();
            found.ok_or_else(|| format!("there is nothing at {} to capture as ${name}", path.as_str()))?
        }
        (None, Some(header)) => {
            let found = answer.header(header).map(Value::from);
            found.ok_or_else(|| format!("there is no header {header:?} to capture as ${name}"))?
        }
        (None, None) => return Err(format!("${name} is captured from nowhere")),
    };
    let Some(pattern) = &capture.matches else { return Ok(whole) };
    let text = whole.as_str().map_or_else(|| whole.to_string(), str::to_owned);
    let part = pattern
        .regex()
        .captures(&text)
        .and_then(|groups| groups.get(1).or_else(|| groups.get(0)).map(|part| part.as_str().to_owned()));
    part.map(Value::from).ok_or_else(|| format!("what ${name} captures has nothing in it that fits {}", shown(pattern.as_str())))
}

/// Returns a text as it stands in a sentence.
fn shown(text: &str) -> String {
    format!("\"{}\"", clean(text, SHOWN_MAX))
}

fn shown_value(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}
