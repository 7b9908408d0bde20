//! From a request to its answer, as the documentation of Loki's HTTP API has it.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::loki::evaluate::{self, Direction};
use crate::loki::parse::{Refusal, duration_ns, parse};
use crate::loki::query::{Numbers, Query};
use crate::loki::store::{Entry, Labels, Store};

/// How many lines are answered when nobody says.
const LIMIT_DEFAULT: usize = 100;

/// The most lines that may be asked for: Loki's `max_entries_limit_per_query`.
const LIMIT_MAX: usize = 5_000;

/// The most points of a series that may be asked for.
const POINTS_MAX: i64 = 11_000;

/// How many points are meant when nobody says how far they are apart.
const POINTS_DEFAULT: i64 = 250;

/// The largest body that is unpacked.
const BODY_BYTES_MAX: u64 = 64 << 20;

const NS_PER_SECOND: i64 = 1_000_000_000;

/// Whole numbers with at most so many digits are seconds.
const SECONDS_DIGITS_MAX: usize = 10;

/// An answer: a status and a body, which is JSON when the status is 200.
pub(crate) type Said = (u16, String);

type Parameters = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
struct Push {
    streams: Vec<Stream>,
}

#[derive(Debug, Deserialize)]
struct Stream {
    stream: Labels,
    values: Vec<Vec<Value>>,
}

/// Takes what is pushed: all of it or nothing.
pub(crate) fn push(store: &mut Store, content_type: &str, encoding: &str, body: &[u8]) -> Said {
    if !content_type.starts_with("application/json") {
        return (501, format!("this double of Loki takes application/json, not {content_type:?}"));
    }
    match read_push(encoding, body) {
        Ok(entries) => {
            let added: Result<(), String> = entries.into_iter().try_for_each(|(labels, entry)| store.add(labels, entry));
            added.map_or_else(|full| (429, full), |()| (204, String::new()))
        }
        Err(what) => (400, what),
    }
}

fn read_push(encoding: &str, body: &[u8]) -> Result<Vec<(Labels, Entry)>, String> {
    let mut text = String::new();
    match encoding {
        "gzip" => GzDecoder::new(body).take(BODY_BYTES_MAX).read_to_string(&mut text),
        _ => body.take(BODY_BYTES_MAX).read_to_string(&mut text),
    }
    .map_err(|error| error.to_string())?;
    let push: Push = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mut entries = Vec::new();
    for stream in push.streams {
        if stream.stream.is_empty() {
            return Err("a stream has no labels; expected at least one".to_owned());
        }
        for value in stream.values {
            entries.push((stream.stream.clone(), entry(&value)?));
        }
    }
    Ok(entries)
}

/// Reads a pair of a time and a line. The time is a text, because numbers of JSON are not exact enough.
fn entry(value: &[Value]) -> Result<Entry, String> {
    let [Value::String(at), Value::String(line)] = value else {
        return Err(format!("{value:?} is no entry; expected a time in nanoseconds as a text, and a line"));
    };
    let at_ns = at.parse().map_err(|error| format!("the time {at:?} cannot be read: {error}"))?;
    Ok(Entry { at_ns, line: line.clone() })
}

/// Answers a query over a range of time.
pub(crate) fn query_range(store: &Store, text: &str) -> Said {
    said(range(store, &parameters(text)))
}

/// Answers a query about one moment.
pub(crate) fn query(store: &Store, text: &str) -> Said {
    said(instant(store, &parameters(text)))
}

fn said(answer: Result<Value, Refusal>) -> Said {
    match answer {
        Ok(data) => (200, json!({ "status": "success", "data": data }).to_string()),
        Err(Refusal::Wrong(what)) => (400, what),
        Err(Refusal::Unknown(what)) => (501, format!("this double of Loki does not know {what}")),
    }
}

fn parameters(text: &str) -> Parameters {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn range(store: &Store, parameters: &Parameters) -> Result<Value, Refusal> {
    let query = parse(parameters.get("query").map_or("", String::as_str))?;
    let now = now_ns();
    let end = time(parameters, "end")?.unwrap_or(now);
    let since = match parameters.get("since") {
        Some(text) => duration_ns(text).ok_or_else(|| wrong("since", text, "a duration"))?,
        None => 3_600 * NS_PER_SECOND,
    };
    let start = time(parameters, "start")?.unwrap_or(end.min(now).saturating_sub(since));
    if end <= start {
        return Err(Refusal::Wrong(format!("the end, {end}, is not after the start, {start}")));
    }
    match query {
        Query::Lines(selection) => {
            if parameters.contains_key("interval") {
                return Err(Refusal::Unknown("the parameter interval".to_owned()));
            }
            let found = evaluate::lines(store, &selection, (start, end), direction(parameters)?, limit(parameters)?);
            Ok(data("streams", found.iter().map(|(labels, entries)| stream(labels, entries)).collect()))
        }
        Query::Numbers(numbers) => matrix(store, &numbers, (start, end), step(parameters, start, end)?),
    }
}

fn instant(store: &Store, parameters: &Parameters) -> Result<Value, Refusal> {
    let query = parse(parameters.get("query").map_or("", String::as_str))?;
    let at = time(parameters, "time")?.unwrap_or_else(now_ns);
    match query {
        Query::Lines(_) => Err(Refusal::Wrong("lines cannot be asked for at one moment; ask query_range".to_owned())),
        Query::Numbers(numbers) => {
            let found = evaluate::numbers(store, &numbers, at);
            let sample = |(labels, value): (&Labels, &f64)| json!({ "metric": labels, "value": point(at, *value) });
            Ok(data("vector", found.iter().map(sample).collect()))
        }
    }
}

fn matrix(store: &Store, numbers: &Numbers, (start, end): (i64, i64), step: i64) -> Result<Value, Refusal> {
    if (end - start) / step > POINTS_MAX {
        return Err(Refusal::Wrong(format!("a step of {step} ns makes more than {POINTS_MAX} points of a series")));
    }
    let mut series: BTreeMap<Labels, Vec<Value>> = BTreeMap::new();
    let moments = std::iter::successors(Some(start), |at| at.checked_add(step)).take_while(|at| *at <= end);
    for at in moments {
        for (labels, value) in evaluate::numbers(store, numbers, at) {
            series.entry(labels).or_default().push(point(at, value));
        }
    }
    Ok(data("matrix", series.iter().map(|(labels, values)| json!({ "metric": labels, "values": values })).collect()))
}

fn data(kind: &str, result: Vec<Value>) -> Value {
    json!({ "resultType": kind, "result": result, "stats": {} })
}

fn stream(labels: &Labels, entries: &[Entry]) -> Value {
    let values: Vec<[String; 2]> = entries.iter().map(|entry| [entry.at_ns.to_string(), entry.line.clone()]).collect();
    json!({ "stream": labels, "values": values })
}

fn point(at_ns: i64, value: f64) -> Value {
    json!([at_ns as f64 / NS_PER_SECOND as f64, value.to_string()])
}

/// Reads a time: nanoseconds, seconds, seconds with a fraction, or as RFC 3339 has it.
fn time(parameters: &Parameters, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = parameters.get(name) else { return Ok(None) };
    if let Ok(whole) = text.parse::<i64>() {
        let seconds = text.len() <= SECONDS_DIGITS_MAX;
        return Ok(Some(if seconds { whole.saturating_mul(NS_PER_SECOND) } else { whole }));
    }
    if let Some(seconds) = text.parse::<f64>().ok().filter(|seconds| seconds.is_finite()) {
        return Ok(Some((seconds * NS_PER_SECOND as f64) as i64));
    }
    let parsed: Result<Timestamp, _> = text.parse();
    let ns = parsed.ok().and_then(|found| i64::try_from(found.as_nanosecond()).ok());
    ns.map(Some).ok_or_else(|| wrong(name, text, "a time"))
}

fn step(parameters: &Parameters, start: i64, end: i64) -> Result<i64, Refusal> {
    let Some(text) = parameters.get("step") else {
        let seconds = (end - start) / NS_PER_SECOND / POINTS_DEFAULT;
        return Ok(seconds.max(1) * NS_PER_SECOND);
    };
    let seconds = || text.parse::<f64>().ok().map(|seconds| (seconds * NS_PER_SECOND as f64) as i64);
    let found = duration_ns(text).or_else(seconds).filter(|step| *step > 0);
    found.ok_or_else(|| wrong("step", text, "a duration above zero"))
}

fn limit(parameters: &Parameters) -> Result<usize, Refusal> {
    let Some(text) = parameters.get("limit") else { return Ok(LIMIT_DEFAULT) };
    let limit = text.parse().ok().filter(|limit| *limit > 0).ok_or_else(|| wrong("limit", text, "a number above zero"))?;
    if limit > LIMIT_MAX {
        return Err(Refusal::Wrong(format!("limit is {limit}; at most {LIMIT_MAX} entries are answered to a query")));
    }
    Ok(limit)
}

fn direction(parameters: &Parameters) -> Result<Direction, Refusal> {
    match parameters.get("direction").map_or("backward", String::as_str).to_ascii_lowercase().as_str() {
        "backward" => Ok(Direction::Backward),
        "forward" => Ok(Direction::Forward),
        other => Err(wrong("direction", other, "forward or backward")),
    }
}

fn wrong(name: &str, found: &str, expected: &str) -> Refusal {
    Refusal::Wrong(format!("{name} is {found:?}; expected {expected}"))
}

fn now_ns() -> i64 {
    i64::try_from(Timestamp::now().as_nanosecond()).expect("64 bits of nanoseconds last until 2262")
}
