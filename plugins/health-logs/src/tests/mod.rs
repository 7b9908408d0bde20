//! Verdicts over scripted sources of lines. Each row of the plugin's README has its test here.

mod loki;
mod rules;
mod world;

use serde_json::{Value, json};
use towpath_sdk::health::{Assessment, Look, Subject, Subjects, Verdict, Window};
use towpath_sdk::testing::conformance::{self, HealthCase};
use towpath_sdk::testing::{World, context, in_world};
use towpath_sdk::{HealthCheck, Side};
use world::{Runtime, Source};

use crate::{HealthLogs, Settings};

/// When the watch began, in Unix milliseconds.
const STARTED_MS: i64 = 1_795_809_600_000;

/// A second in nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// Returns an instant of the watch: seconds after it began, in nanoseconds.
fn at(seconds: i64) -> i64 {
    STARTED_MS * 1_000_000 + seconds * SECOND
}

fn look(settings: &Value, seconds: i64, state: Option<Vec<u8>>) -> Look<Settings> {
    let side = |release: &str, label: &str, basis_points| {
        Some(Subject { label: label.to_owned(), basis_points, ..Subject::new(release) })
    };
    let mut context = context(&settings.to_string());
    let now_ms = STARTED_MS + seconds * 1_000;
    (context.now_ms, context.deadline_ms, context.state) = (now_ms, now_ms + 10_000, state);
    Look {
        context,
        settings: serde_json::from_value(settings.clone()).expect("settings"),
        subjects: Subjects { stable: side("r-1", "v1", 9_500), candidate: side("r-2", "v2", 500), public_endpoint: None },
        window: Window { started_ms: STARTED_MS, ends_ms: STARTED_MS + 600_000 },
    }
}

/// Looks once, so many seconds after the watch began.
fn assess<S: Source>(source: &S, settings: &Value, seconds: i64, state: Option<Vec<u8>>) -> Assessment {
    let look = look(settings, seconds, state);
    in_world(source.at(look.context.now_ms), || HealthLogs::assess(&look))
}

/// Looks at these moments, each time with what the last look left; returns the last answer.
fn watched<S: Source>(source: &S, settings: &Value, moments: impl IntoIterator<Item = i64>) -> Assessment {
    let mut found: Option<Assessment> = None;
    for seconds in moments {
        let state = found.as_mut().and_then(|found| found.state.take());
        found = Some(assess(source, settings, seconds, state));
    }
    found.expect("at least one look")
}

#[track_caller]
fn is(found: &Assessment, verdict: Verdict, sentence: &str) {
    assert_eq!(found.sentence, sentence);
    assert_eq!(found.verdict, verdict);
}

fn measured(found: &Assessment, name: &str, side: Side) -> Option<(f64, Option<f64>, Option<u64>)> {
    let of = |measured: &&towpath_sdk::Measurement| measured.name == name && measured.side == Some(side);
    found.measurements.iter().find(of).map(|measured| (measured.value, measured.limit, measured.samples))
}

fn per_minute(max: f64) -> Value {
    json!({ "runtime": {}, "errors": { "matches": ["ERROR"], "perMinuteMax": max } })
}

#[test]
fn settings_that_make_no_sense_are_an_error() {
    let loki = |url: &str, query: &str| json!({ "loki": { "url": url, "query": query }, "newPatterns": {} });
    let query = "{r=\"$release\"}";
    for (settings, sentence) in [
        (json!({ "newPatterns": {} }), "no source of lines is set; say loki or runtime"),
        (
            json!({ "loki": loki("http://a", query)["loki"], "runtime": {}, "newPatterns": {} }),
            "both loki and runtime are set, expected one source of lines",
        ),
        (
            json!({ "runtime": {} }),
            "no rule is set; a check without one would find everything healthy; say errors or newPatterns",
        ),
        (json!({ "runtime": {}, "newPatterns": {}, "linesMin": 0 }), "linesMin is 0, expected at least 1: no line is no data"),
        (json!({ "runtime": {}, "newPatterns": { "linesMin": 0 } }), "newPatterns.linesMin is 0, expected at least 1"),
        (json!({ "runtime": {}, "errors": { "matches": ["a"] } }), "errors has no limit; say perMinuteMax or shareOfStableMax"),
        (
            json!({ "runtime": {}, "errors": { "matches": [], "perMinuteMax": 1 } }),
            "errors.matches is empty, so that no line would tell of an error",
        ),
        (
            json!({ "runtime": {}, "errors": { "matches": vec!["a"; 21], "perMinuteMax": 1 } }),
            "errors.matches has 21 expressions, at most 20 may be",
        ),
        (
            json!({ "runtime": {}, "errors": { "matches": ["a"], "perMinuteMax": -1 } }),
            "errors.perMinuteMax is -1, expected a number that is not negative",
        ),
        (
            loki("http://user:secret@a", query),
            "loki.url is no plain address; expected https://HOST or http://HOST, without user, query and blanks",
        ),
        (
            loki("logs:3100", query),
            "loki.url is no plain address; expected https://HOST or http://HOST, without user, query and blanks",
        ),
        (
            loki("http://a", "{app=\"$service\"}"),
            "loki.query has none of $release, $label, $side and $digest, so that both sides would be one",
        ),
        (
            loki("http://a", "{app=$release}"),
            "$release stands outside of quotes in loki.query, expected as in {app=\"$release\"}",
        ),
        (loki("http://a", "{app=\"$serivce\", r=\"$release\"}"), "$serivce stands for nothing here; write $$ for a dollar sign"),
    ] {
        is(&assess(&Runtime::default(), &settings, 60, None), Verdict::Error, sentence);
    }
    let tolerance = json!({ "runtime": {}, "errors": { "matches": ["a"], "shareOfStableMax": 0.5 } });
    let found = assess(&Runtime::default(), &tolerance, 60, None);
    assert!(found.verdict == Verdict::Error && found.sentence.contains("tolerance"), "{}", found.sentence);
}

#[test]
fn expressions_that_cannot_be_read_are_refused_with_the_settings() {
    let settings = r#"{ "runtime": {}, "errors": { "matches": ["("], "perMinuteMax": 1 } }"#;
    let subjects = Subjects { stable: None, candidate: None, public_endpoint: None };
    let window = Window { started_ms: 0, ends_ms: 0 };
    let found = towpath_sdk::health::assess::<HealthLogs>(context(settings), subjects, window);
    assert_eq!(found.verdict, Verdict::Error);
    assert!(found.sentence.contains("errors.matches[0]: the regular expression \"(\" cannot be read"), "{}", found.sentence);
}

#[test]
fn without_a_candidate_or_its_label_nothing_is_known() {
    let mut nobody = look(&per_minute(1.0), 60, None);
    nobody.subjects.candidate = None;
    is(&HealthLogs::assess(&nobody), Verdict::Inconclusive, "there is no candidate whose lines could be judged");
    let settings =
        json!({ "loki": { "url": "http://a", "query": "{r=\"$label\"}" }, "errors": { "matches": ["a"], "perMinuteMax": 1 } });
    let mut nameless = look(&settings, 60, None);
    nameless.subjects.candidate.as_mut().expect("a candidate").label = String::new();
    let found = in_world(Runtime::default().at(STARTED_MS + 60_000), || HealthLogs::assess(&nameless));
    is(&found, Verdict::Inconclusive, "the candidate has no label, which $label in loki.query stands for");
}

/// A service that writes one line a second, on both sides.
struct Chatty;

impl World for Chatty {
    fn runtime_logs(
        &mut self,
        release: &str,
        lines: u32,
    ) -> Result<Vec<towpath_sdk::powers::runtime::LogLine>, towpath_sdk::powers::runtime::Error> {
        let mut runtime = Runtime::default();
        (0..40).for_each(|second| runtime.write("v1", second * 1_000, "served"));
        (0..40).for_each(|second| runtime.write("v2", second * 1_000, "served"));
        runtime.runtime_logs(release, lines)
    }

    fn now_ms(&mut self) -> i64 {
        50_000
    }
}

#[test]
fn it_does_what_every_health_check_owes() {
    let settings = json!({ "runtime": {}, "newPatterns": {}, "errors": { "matches": ["ERROR"], "perMinuteMax": 1, "shareOfStableMax": 1.5 } });
    conformance::health::<HealthLogs>(&HealthCase::new(settings.to_string(), || Box::new(Chatty)).without_endpoint());
    let loki = json!({ "loki": { "url": "http://logs.example.com", "query": "{r=\"$release\"}" }, "newPatterns": {} });
    let world = || {
        let mut loki = world::Loki::default();
        (0..40).for_each(|second| loki.write("v1", second * SECOND, "served"));
        (0..40).for_each(|second| loki.write("v2", second * SECOND, "served"));
        Box::new(loki.at(50_000)) as Box<dyn World>
    };
    conformance::health::<HealthLogs>(&HealthCase::new(loki.to_string(), world).without_endpoint());
}
