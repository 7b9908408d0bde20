//! How journeys are set up.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use towpath_sdk::health::Judged;
use towpath_sdk::helpers::placeholders::{Piece, pieces};

use super::words::{JsonPath, Pattern, StatusRange};
use crate::settings::Scheme;

/// A look lasts seconds; journeys that need more than these belong into checks of their own.
const JOURNEYS_MAX: usize = 10;

/// The longest journey: a person's way through a shop has about ten requests.
const STEPS_MAX: usize = 20;

/// All requests of a look, attempts included: at a tenth of a second each, the look is over.
const REQUESTS_MAX: usize = 100;

/// Steps whose times are kept from look to look. All of their samples must fit into what a plugin may keep.
const TIMED_STEPS_MAX: usize = 40;

/// More attempts than this hide a service that is not well.
const ATTEMPTS_MAX: u32 = 5;

/// Samples of one step that are kept, the latest ones.
pub(crate) const SAMPLES_MAX: u32 = 100;

/// The longest path, body or header that is sent, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Requests one after the other, each with what is expected of its answer. A journey that fails at a step is begun again from its first one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Journey {
    /// What people call it: small letters, digits and hyphens.
    #[schemars(length(min = 1, max = 40), regex(pattern = "^[a-z][a-z0-9-]*$"))]
    pub name: String,
    /// What is asked; without it, what `subject` beside the journeys says.
    #[serde(default)]
    pub subject: Option<Judged>,
    /// How it is asked.
    #[serde(default)]
    pub scheme: Scheme,
    /// How often it is tried in one look before it has failed: one lost packet decides nothing.
    #[serde(default = "attempts")]
    #[schemars(range(min = 1, max = 5))]
    pub attempts: u32,
    /// The requests.
    #[schemars(length(min = 1, max = 20))]
    pub steps: Vec<Step>,
}

/// One request and what is expected of its answer.
///
/// In `path`, `headers`, `body`, `json` and in what is expected to be equal or contained, `$name` stands for what an earlier step captured, and
/// `$$` for a dollar sign.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// GET, POST, …
    #[serde(default = "get")]
    #[schemars(regex(pattern = "^[A-Z]+$"))]
    pub method: String,
    /// The path with its query, beginning with a slash. What is put into it is escaped, so that it cannot lead elsewhere.
    #[schemars(regex(pattern = "^/"))]
    pub path: String,
    /// Header names and values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, as text.
    #[serde(default)]
    pub body: Option<String>,
    /// The body, as JSON. A text that is `$name` alone becomes what was captured with its type.
    #[serde(default)]
    pub json: Option<Value>,
    /// How long the answer may take, in milliseconds; without it, what `timeoutMs` beside the journeys says.
    #[serde(default)]
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: Option<u32>,
    /// What is expected of the answer. All of it must hold.
    #[serde(default)]
    pub expect: Expect,
    /// What later steps need of the answer, by the name that they use.
    #[serde(default)]
    pub capture: BTreeMap<String, Capture>,
}

/// What is expected of an answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Expect {
    /// Status codes (`204`) and classes of them (`"2xx"`); one of them must be the answer's.
    pub status: Vec<StatusRange>,
    /// Headers, by name; where one is there several times, the first counts.
    pub headers: BTreeMap<String, TextExpect>,
    /// Values in a JSON body.
    #[schemars(length(max = 20))]
    pub json: Vec<JsonExpect>,
    /// The body as text.
    pub body: Option<TextExpect>,
    /// The longest time from sending the request to the end of the answer, in milliseconds.
    #[schemars(range(min = 1, max = 60_000))]
    pub time_ms_max: Option<u32>,
    /// How many answers the time is judged over. With 1, each answer alone is held against the limit; with more, the percentile of the latest
    /// 100 answers of the watch is, and until there are so many nothing is healthy.
    #[schemars(range(min = 1, max = 100))]
    pub time_samples_min: u32,
    /// The percentile of the times, where they are judged over several answers.
    pub time_percentile: Percentile,
    /// How many days the certificate must still be valid.
    #[schemars(range(max = 3_650))]
    pub certificate_days_min: Option<u32>,
}

/// What is expected of a text. All that is said must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TextExpect {
    /// It is this.
    pub equals: Option<String>,
    /// It has this in it.
    pub contains: Option<String>,
    /// It has something in it that this regular expression fits.
    pub matches: Option<Pattern>,
}

/// What is expected of values in a JSON body: of each that the path finds, and it must find one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JsonExpect {
    /// Where: a JSONPath (RFC 9535, without functions), as `$.items[0].state`.
    pub path: JsonPath,
    /// It is this value. Numbers are compared as numbers.
    #[serde(default, deserialize_with = "said")]
    pub equals: Option<Value>,
    /// Whether there is such a value, or none.
    #[serde(default)]
    pub exists: Option<bool>,
    /// It is a number, and at least this.
    #[serde(default)]
    pub min: Option<f64>,
    /// It is a number, and at most this.
    #[serde(default)]
    pub max: Option<f64>,
    /// It is a text, and has something in it that this regular expression fits.
    #[serde(default)]
    pub matches: Option<Pattern>,
}

/// What is kept of an answer for later steps: one text, number or boolean. An answer without it has failed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capture {
    /// From the JSON body: the first value that this JSONPath finds.
    #[serde(default)]
    pub json: Option<JsonPath>,
    /// From this header.
    #[serde(default)]
    pub header: Option<String>,
    /// Of that, the part that this regular expression fits; if it has a group, what its first group fits.
    #[serde(default)]
    pub matches: Option<Pattern>,
}

/// A percentile of times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Percentile {
    /// Half of the answers.
    P50,
    /// 95 of a hundred.
    #[default]
    P95,
    /// 99 of a hundred.
    P99,
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            status: vec![StatusRange::SUCCESS],
            headers: BTreeMap::new(),
            json: Vec::new(),
            body: None,
            time_ms_max: None,
            time_samples_min: 1,
            time_percentile: Percentile::P95,
            certificate_days_min: None,
        }
    }
}

/// Returns what does not make sense in journeys.
pub(crate) fn check(journeys: &[Journey]) -> Result<(), String> {
    if journeys.len() > JOURNEYS_MAX {
        return Err(format!("there are {} journeys, at most {JOURNEYS_MAX} may be", journeys.len()));
    }
    let requests: usize = journeys.iter().map(|journey| journey.steps.len() * journey.attempts as usize).sum();
    if requests > REQUESTS_MAX {
        return Err(format!("the journeys have {requests} requests with all attempts, at most {REQUESTS_MAX} may be in a look"));
    }
    let timed = journeys.iter().flat_map(|journey| &journey.steps).filter(|step| step.expect.is_timed_over_looks()).count();
    if timed > TIMED_STEPS_MAX {
        return Err(format!("{timed} steps judge times over several answers, at most {TIMED_STEPS_MAX} may"));
    }
    let mut names = BTreeSet::new();
    for journey in journeys {
        if !names.insert(&journey.name) {
            return Err(format!("two journeys are called {:?}", journey.name));
        }
        journey.check().map_err(|why| format!("journey {:?}: {why}", journey.name))?;
    }
    Ok(())
}

impl Journey {
    fn check(&self) -> Result<(), String> {
        let named = self.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !named || !self.name.starts_with(|c: char| c.is_ascii_lowercase()) || self.name.len() > 40 {
            return Err("its name must have small letters, digits and hyphens, at most 40, and begin with a letter".to_owned());
        }
        if self.attempts == 0 || self.attempts > ATTEMPTS_MAX {
            return Err(format!("attempts is {}, expected 1 to {ATTEMPTS_MAX}", self.attempts));
        }
        if self.steps.is_empty() || self.steps.len() > STEPS_MAX {
            return Err(format!("it has {} steps, expected 1 to {STEPS_MAX}", self.steps.len()));
        }
        let mut captured = BTreeSet::new();
        for (place, step) in self.steps.iter().enumerate() {
            step.check(&captured, self.scheme).map_err(|why| format!("step {}: {why}", place + 1))?;
            captured.extend(step.capture.keys().map(String::as_str));
        }
        Ok(())
    }
}

impl Step {
    fn check(&self, captured: &BTreeSet<&str>, scheme: Scheme) -> Result<(), String> {
        if self.method.is_empty() || !self.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(format!("method is {:?}, expected one in capital letters", self.method));
        }
        if !self.path.starts_with('/') || self.path.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(format!("path is {:?}, expected one that begins with a slash and has no blanks", self.path));
        }
        if self.body.is_some() && self.json.is_some() {
            return Err("it has both body and json, expected at most one of them".to_owned());
        }
        if let Some(name) = self.headers.keys().find(|name| !is_token(name)) {
            return Err(format!("{name:?} is no name of a header"));
        }
        if let Some((name, _)) = self.headers.iter().find(|(_, value)| value.contains(char::is_control)) {
            return Err(format!("header {name:?} has a control character in it"));
        }
        let mut used = BTreeSet::new();
        let long = self.texts().find(|text| text.len() > TEXT_BYTES_MAX);
        if let Some(long) = long {
            return Err(format!("a text of {} bytes is sent or expected, at most {TEXT_BYTES_MAX} may be", long.len()));
        }
        used.extend(self.texts().flat_map(pieces).filter_map(|piece| match piece {
            Piece::Name(name) => Some(name),
            Piece::Text(_) => None,
        }));
        if let Some(name) = used.iter().find(|name| !captured.contains(**name)) {
            return Err(format!("${name} is used, and no earlier step captures {name:?}; write $$ for a dollar sign"));
        }
        self.expect.check(scheme)?;
        self.capture.iter().try_for_each(|(name, capture)| capture.check(name))
    }

    /// Returns all texts in which placeholders are filled.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let sent = [&self.path].into_iter().chain(self.headers.values()).chain(&self.body).map(String::as_str);
        let expected = self.expect.headers.values().chain(&self.expect.body);
        let expected = expected.flat_map(|text| text.equals.iter().chain(&text.contains)).map(String::as_str);
        let values = self.json.iter().chain(self.expect.json.iter().filter_map(|expect| expect.equals.as_ref()));
        sent.chain(expected).chain(values.flat_map(texts_in))
    }
}

impl Expect {
    /// Returns whether times are kept from look to look.
    pub(crate) fn is_timed_over_looks(&self) -> bool {
        self.time_ms_max.is_some() && self.time_samples_min > 1
    }

    fn check(&self, scheme: Scheme) -> Result<(), String> {
        if self.status.is_empty() {
            return Err("expect.status is empty, so that no answer could be right".to_owned());
        }
        if self.time_samples_min == 0 || self.time_samples_min > SAMPLES_MAX {
            return Err(format!("timeSamplesMin is {}, expected 1 to {SAMPLES_MAX}", self.time_samples_min));
        }
        if self.time_samples_min > 1 && self.time_ms_max.is_none() {
            return Err(format!("timeSamplesMin is {}, and there is no timeMsMax to hold times against", self.time_samples_min));
        }
        if let (Some(days), Scheme::Http) = (self.certificate_days_min, scheme) {
            return Err(format!("certificateDaysMin is {days}, and over http there is no certificate; say `scheme: https`"));
        }
        let texts =
            self.headers.iter().map(|(name, text)| (name.as_str(), text)).chain(self.body.iter().map(|body| ("body", body)));
        for (name, text) in texts {
            if text.equals.is_none() && text.contains.is_none() && text.matches.is_none() {
                return Err(format!("nothing is expected of {name:?}; say equals, contains or matches"));
            }
        }
        self.json.iter().try_for_each(JsonExpect::check)
    }
}

impl JsonExpect {
    fn check(&self) -> Result<(), String> {
        let path = self.path.as_str();
        let values = self.equals.is_some() || self.min.is_some() || self.max.is_some() || self.matches.is_some();
        match (self.exists, values) {
            (None, false) => Err(format!("nothing is expected of {path}; say equals, exists, min, max or matches")),
            (Some(false), true) => Err(format!("{path} is expected to be absent and to have a value")),
            (None | Some(_), _) => match (self.min, self.max) {
                (Some(min), Some(max)) if min > max => Err(format!("{path} is expected to be at least {min} and at most {max}")),
                (Some(_) | None, Some(_) | None) => Ok(()),
            },
        }
    }
}

impl Capture {
    fn check(&self, name: &str) -> Result<(), String> {
        if name.is_empty() || name.len() > 40 || !name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Err(format!("{name:?} is no name to capture by; use letters, at most 40"));
        }
        match (&self.json, &self.header) {
            (Some(_), None) | (None, Some(_)) => Ok(()),
            (Some(_), Some(_)) => Err(format!("{name:?} is captured from json and from a header, expected one of them")),
            (None, None) => Err(format!("{name:?} is captured from nowhere; say json or header")),
        }
    }
}

impl Percentile {
    /// Returns the place of the percentile among so many times in growing order, counted from 1 (nearest rank).
    pub(crate) fn rank(self, count: usize) -> usize {
        let per_cent = match self {
            Self::P50 => 50,
            Self::P95 => 95,
            Self::P99 => 99,
        };
        (count * per_cent).div_ceil(100).max(1)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
        }
    }
}

/// Returns the texts in a JSON value, keys left out: they are names, not values.
fn texts_in(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts_in).collect(),
        Value::Object(fields) => fields.values().flat_map(texts_in).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Returns whether a text may be the name of a header (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Reads a value that is there, `null` among them.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn attempts() -> u32 {
    2
}

fn get() -> String {
    "GET".to_owned()
}
