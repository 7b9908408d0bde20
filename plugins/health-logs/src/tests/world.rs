//! Sources of lines that say what they are told: the local runtime's power, and what a Loki answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use towpath_sdk::powers::http::{self, Request, Response};
use towpath_sdk::powers::runtime::{self, LogLine, LogStream};
use towpath_sdk::testing::World;

/// A source of lines, whose world is seen at some moment.
pub(super) trait Source {
    /// Returns the world at this moment, in Unix milliseconds.
    fn at(&self, now_ms: i64) -> Self::World;

    /// Its world.
    type World: World + 'static;
}

/// Lines that the local runtime keeps.
#[derive(Clone, Default)]
pub(super) struct Runtime {
    lines: BTreeMap<String, Vec<LogLine>>,
    now_ms: i64,
}

impl Runtime {
    pub(super) fn write(&mut self, release: &str, at_ms: i64, text: &str) {
        self.write_to(release, at_ms, LogStream::Output, text);
    }

    pub(super) fn write_to(&mut self, release: &str, at_ms: i64, stream: LogStream, text: &str) {
        let line = LogLine { at_ms, instance: 0, stream, text: text.to_owned() };
        self.lines.entry(release.to_owned()).or_default().push(line);
    }
}

impl Source for Runtime {
    type World = Self;

    fn at(&self, now_ms: i64) -> Self {
        Self { now_ms, ..self.clone() }
    }
}

impl World for Runtime {
    fn runtime_logs(&mut self, release: &str, lines: u32) -> Result<Vec<LogLine>, runtime::Error> {
        let mut written = self.lines.get(release).cloned().unwrap_or_default();
        written.retain(|line| line.at_ms <= self.now_ms.max(50_000));
        written.sort_by_key(|line| line.at_ms);
        let surplus = written.len().saturating_sub(lines.min(1_000) as usize);
        Ok(written.split_off(surplus))
    }

    fn now_ms(&mut self) -> i64 {
        self.now_ms
    }
}

/// A Loki with one stream for each release and instance. A clone has the same lines and writes down its questions in the same place.
#[derive(Clone, Default)]
pub(super) struct Loki {
    /// By release: instance, time and line.
    pub(super) lines: BTreeMap<String, Vec<(u32, i64, String)>>,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
    /// Answers in place of lines.
    pub(super) says: Option<Result<Response, http::Error>>,
    /// How far its clock is ahead of ours, in milliseconds; `None` says no time.
    pub(super) ahead_ms: Option<i64>,
    /// The largest answer, in bytes.
    pub(super) bytes_max: Option<usize>,
    /// Whether the end of a range is a part of it.
    pub(super) takes_end: bool,
    pub(super) now_ms: i64,
}

/// A question, as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) tenant: Option<String>,
}

impl Loki {
    pub(super) fn write(&mut self, release: &str, at_ns: i64, line: &str) {
        self.write_by(release, 0, at_ns, line);
    }

    pub(super) fn write_by(&mut self, release: &str, instance: u32, at_ns: i64, line: &str) {
        self.lines.entry(release.to_owned()).or_default().push((instance, at_ns, line.to_owned()));
    }

    fn answer(&self, asked: &Asked) -> Value {
        let number = |name: &str| asked.parameters[name].parse::<i64>().expect("a number");
        let (start, end, limit) = (number("start"), number("end"), number("limit") as usize);
        let release = asked.parameters["query"].split('"').nth(1).expect("a release in quotes");
        let mut lines = self.lines.get(release).cloned().unwrap_or_default();
        lines.retain(|(_, at, _)| (start..end).contains(at) || (self.takes_end && *at == end));
        lines.sort_by_key(|(_, at, _)| *at);
        if asked.parameters["direction"] == "backward" {
            lines.reverse();
        }
        lines.truncate(limit);
        let instances: std::collections::BTreeSet<u32> = lines.iter().map(|(instance, ..)| *instance).collect();
        let stream = |instance: &u32| {
            let of = lines.iter().filter(|(found, ..)| found == instance);
            // Newer ones say more of a line than its text.
            let values: Vec<Value> = of.map(|(_, at, line)| json!([at.to_string(), line, { "trace": "x" }])).collect();
            json!({ "stream": { "release": release, "instance": instance.to_string() }, "values": values })
        };
        let result: Vec<Value> = instances.iter().map(stream).collect();
        json!({ "status": "success", "data": { "resultType": "streams", "result": result, "stats": {} } })
    }
}

impl Source for Loki {
    type World = Self;

    fn at(&self, now_ms: i64) -> Self {
        Self { now_ms, ..self.clone() }
    }
}

impl World for Loki {
    fn fetch(&mut self, request: &Request) -> Result<Response, http::Error> {
        let (_, query) = request.url.split_once('?').expect("a query");
        let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), decoded(value))).expect("a pair");
        let parameters = query.split('&').map(pair).collect();
        let tenant = request.headers.iter().find(|(name, _)| name == "x-scope-orgid").map(|(_, value)| value.clone());
        let asked = Asked { url: request.url.clone(), parameters, tenant };
        self.asked.lock().expect("nobody panicked").push(asked.clone());
        if let Some(says) = &self.says {
            return says.clone();
        }
        let body = self.answer(&asked).to_string();
        if let Some(most) = self.bytes_max.filter(|most| body.len() > *most) {
            return Err(http::Error::TooLarge(most as u64));
        }
        let mut answer = Response::new(200, body);
        answer.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        if let Some(ahead_ms) = self.ahead_ms {
            answer.headers.push(("date".to_owned(), date(self.now_ms + ahead_ms)));
        }
        Ok(answer)
    }

    fn now_ms(&mut self) -> i64 {
        self.now_ms
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        let digit = |byte: Option<u8>| char::from(byte.expect("a digit")).to_digit(16).expect("a digit") as u8;
        bytes.push(if byte == b'%' { digit(left.next()) * 16 + digit(left.next()) } else { byte });
    }
    String::from_utf8(bytes).expect("text")
}

/// Returns an instant of 27 November 2026 as HTTP writes it.
fn date(at_ms: i64) -> String {
    let second = at_ms.div_euclid(1_000).rem_euclid(86_400);
    format!("Fri, 27 Nov 2026 {:02}:{:02}:{:02} GMT", second / 3_600, second / 60 % 60, second % 60)
}
