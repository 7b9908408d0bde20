//! Verdicts over the answers of a scripted Prometheus.

mod bad_input;
mod conditions;
mod questions;
mod schema;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use towpath_sdk::HealthCheck;
use towpath_sdk::health::{Assessment, Look, Subject, Subjects, Verdict, Window};
use towpath_sdk::powers::http;
use towpath_sdk::testing::conformance::{self, HealthCase};
use towpath_sdk::testing::{World, context, in_world};

use super::{HealthPrometheus, Settings};

/// When watches begin.
const BEGAN_MS: i64 = 1_790_000_000_000;

/// How old the watch is at a look, unless a test says otherwise: longer than anything looks back.
const AGE_MS: i64 = 600_000;

/// What is asked: the fields of the form.
type Form = BTreeMap<String, String>;

type Answer = Result<http::Response, http::Error>;

/// A Prometheus that answers as the test says, and what it was asked.
struct Scripted {
    answer: Box<dyn FnMut(&Form) -> Answer + Send>,
    asked: Arc<Mutex<Vec<(http::Request, Form)>>>,
    age_ms: i64,
}

impl World for Scripted {
    fn fetch(&mut self, request: &http::Request) -> Answer {
        let form = decoded(&String::from_utf8_lossy(&request.body));
        self.asked.lock().unwrap().push((request.clone(), form.clone()));
        if form["query"] == "time()" {
            return success(json!({ "resultType": "scalar", "result": [(BEGAN_MS + self.age_ms) as f64 / 1_000.0, "1"] }));
        }
        (self.answer)(&form)
    }

    fn now_ms(&mut self) -> i64 {
        BEGAN_MS + self.age_ms
    }
}

fn decoded(body: &str) -> Form {
    let text = |encoded: &str| {
        let mut parts = encoded.split('%');
        let mut bytes = parts.next().unwrap_or_default().replace('+', " ").into_bytes();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
            bytes.extend(part[2..].replace('+', " ").into_bytes());
        }
        String::from_utf8(bytes).unwrap()
    };
    body.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (text(name), text(value))).collect()
}

fn success(data: Value) -> Answer {
    Ok(http::Response::new(200, json!({ "status": "success", "data": data }).to_string()))
}

/// A vector of one sample without labels.
fn number(value: &str) -> Answer {
    success(json!({ "resultType": "vector", "result": [{ "metric": {}, "value": [BEGAN_MS / 1_000, value] }] }))
}

fn nothing() -> Answer {
    success(json!({ "resultType": "vector", "result": [] }))
}

/// A matrix of one series with these values, a step apart, the newest at the end of what was asked for.
fn values(form: &Form, values: &[&str]) -> Answer {
    let (end, step): (f64, f64) =
        (form["end"].parse().unwrap(), form["step"].trim_end_matches("ms").parse::<f64>().unwrap() / 1_000.0);
    let at = |place: usize| end - step * (values.len() - 1 - place) as f64;
    let points: Vec<_> = values.iter().enumerate().map(|(place, value)| json!([at(place), value])).collect();
    success(json!({ "resultType": "matrix", "result": [{ "metric": {}, "values": points }] }))
}

/// Settings of one metric, `errors`, with more of it.
fn settings(metric: Value) -> String {
    let mut whole = json!({ "name": "error rate", "query": r#"errors{release="$release"}"#, "unit": "ratio" });
    for (key, value) in metric.as_object().expect("an object") {
        whole[key] = value.clone();
    }
    json!({ "url": "http://prometheus.test:9090", "metrics": [whole] }).to_string()
}

/// Looks at a watch of this age.
fn look(settings: &str, age_ms: i64, answer: impl FnMut(&Form) -> Answer + Send + 'static) -> (Assessment, Vec<Form>) {
    let subject = |release: &str| Some(Subject { basis_points: 500, ..Subject::new(release) });
    let mut context = context(settings);
    context.deadline_ms = BEGAN_MS + age_ms + 20_000;
    let look = Look {
        context,
        settings: serde_json::from_str::<Settings>(settings).unwrap_or_else(|why| panic!("{settings}: {why}")),
        subjects: Subjects { stable: subject("v1"), candidate: subject("v2"), public_endpoint: None },
        window: Window { started_ms: BEGAN_MS, ends_ms: BEGAN_MS + 60_000 },
    };
    look_at(&look, age_ms, answer)
}

fn look_at(look: &Look<Settings>, age_ms: i64, answer: impl FnMut(&Form) -> Answer + Send + 'static) -> (Assessment, Vec<Form>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let world = Scripted { answer: Box::new(answer), asked: Arc::clone(&asked), age_ms };
    let found = in_world(world, || HealthPrometheus::assess(look));
    let asked = asked.lock().unwrap().iter().map(|(_, form)| form.clone()).collect();
    (found, asked)
}

/// Looks, and compares verdict and sentence.
#[track_caller]
fn check(metric: Value, answer: impl FnMut(&Form) -> Answer + Send + 'static, verdict: Verdict, sentence: &str) -> Assessment {
    let (found, _) = look(&settings(metric), AGE_MS, answer);
    assert_eq!((found.verdict, found.sentence.as_str()), (verdict, sentence));
    let finite = |measured: &towpath_sdk::Measurement| measured.value.is_finite() && measured.limit.is_none_or(f64::is_finite);
    assert!(found.measurements.iter().all(finite), "{:?}", found.measurements);
    found
}

/// Answers with one number for each side.
fn sides(candidate: &'static str, stable: &'static str) -> impl FnMut(&Form) -> Answer + Send {
    move |form| number(if form["query"].contains("v2") { candidate } else { stable })
}

#[test]
fn it_does_what_every_health_check_owes() {
    let settings = settings(json!({
        "success": "candidate < 0.01 || candidate < 1.5 * stable", "failure": "candidate > 0.05",
        "fresh": { "series": "requests{release=\"$release\"}", "maxAge": "60s" },
        "samples": { "query": "sum(increase(requests{release=\"$release\"}[$window]))", "min": 50 },
    }));
    conformance::health::<HealthPrometheus>(&HealthCase::new(settings, || Box::new(Well)).without_endpoint());
}

/// Files whose tests the README's table names, seen from this crate.
const TESTED_IN: [&str; 7] = [
    "src/condition/tests.rs",
    "src/tests/bad_input.rs",
    "src/tests/conditions.rs",
    "src/tests/questions.rs",
    "../../core/plugin-host/tests/it/prometheus/mod.rs",
    "../../core/plugin-host/tests/it/prometheus/proven.rs",
    "../../core/plugin-host/tests/it/prometheus/troubles.rs",
];

#[test]
fn every_row_of_bad_input_names_tests_that_there_are() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests =
        TESTED_IN.map(|file| std::fs::read_to_string(folder.join(file)).unwrap_or_else(|why| panic!("{file}: {why}"))).concat();
    let table = include_str!("../README.md").split_once("## Bad input").expect("a table").1;
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 25, "{rows:?}");
    for row in rows {
        let named = row.rsplit('|').nth(1).expect("a column of tests");
        let names: Vec<_> = named.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty() || named.trim() == "the same", "{row}");
        names.iter().for_each(|name| assert!(tests.contains(&format!("fn {name}(")), "there is no test {name}"));
    }
}

/// A world in which all is well, at the times of the suite.
struct Well;

impl World for Well {
    fn fetch(&mut self, request: &http::Request) -> Answer {
        let form = decoded(&String::from_utf8_lossy(&request.body));
        number(match form["query"].as_str() {
            query if query.starts_with("time()") => "2.5",
            query if query.contains("increase") => "812.4",
            _ => "0.002",
        })
    }

    fn now_ms(&mut self) -> i64 {
        30_000
    }
}
