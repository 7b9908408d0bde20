//! Verdicts over scripted programs. Each row of the plugin's README has its test here; real programs run in the host's tests.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use towpath_sdk::health::{Assessment, Look, Subject, Subjects, Verdict, Window};
use towpath_sdk::powers::command::{Error, Outcome, Request};
use towpath_sdk::testing::conformance::{self, HealthCase};
use towpath_sdk::testing::{World, context, in_world};
use towpath_sdk::{HealthCheck, Side};

use super::{HealthCommand, Settings};

/// Has every program end like this.
struct Machine {
    end: Result<Outcome, Error>,
    ran: Arc<Mutex<Vec<Request>>>,
}

impl World for Machine {
    fn run_command(&mut self, request: &Request) -> Result<Outcome, Error> {
        self.ran.lock().expect("nobody panicked").push(request.clone());
        self.end.clone()
    }
}

fn look(settings: &Value) -> Look<Settings> {
    let side = |release: &str, label: &str, endpoint: Option<&str>| {
        Some(Subject { label: label.to_owned(), endpoint: endpoint.map(str::to_owned), ..Subject::new(release) })
    };
    Look {
        context: context(&settings.to_string()),
        settings: serde_json::from_value(settings.clone()).expect("settings"),
        subjects: Subjects {
            stable: side("r-1", "v1", None),
            candidate: side("r-2", "v2", Some("127.0.0.1:4000")),
            public_endpoint: Some("127.0.0.1:8080".to_owned()),
        },
        window: Window { started_ms: 0, ends_ms: 60_000 },
    }
}

fn assess(settings: &Value, end: Result<Outcome, Error>) -> (Assessment, Vec<Request>) {
    let ran = Arc::new(Mutex::new(Vec::new()));
    let look = look(settings);
    let found = in_world(Machine { end, ran: Arc::clone(&ran) }, || HealthCommand::assess(&look));
    let ran = ran.lock().expect("nobody panicked").clone();
    (found, ran)
}

fn ended(exit_code: i32, stdout: &[u8], stderr: &[u8]) -> Result<Outcome, Error> {
    let (stdout, stderr) = (stdout.to_vec(), stderr.to_vec());
    Ok(Outcome { exit_code, stdout, stderr, cut: false, files: Vec::new(), elapsed_ms: 12 })
}

#[track_caller]
fn check(settings: &Value, end: Result<Outcome, Error>, verdict: Verdict, sentence: &str) -> Assessment {
    let (found, _) = assess(settings, end);
    assert_eq!(found.sentence, sentence);
    assert_eq!(found.verdict, verdict);
    found
}

fn by(convention: &str) -> Value {
    json!({ "program": "check", "convention": convention })
}

#[test]
fn the_exit_code_is_the_verdict() {
    let found = check(
        &by("exit"),
        ended(0, b"all well\nreally", b""),
        Verdict::Healthy,
        "check ended with 0, which means healthy (healthy: 0): all well",
    );
    let numbers: Vec<_> =
        found.measurements.iter().map(|found| (found.name.as_str(), found.value, found.limit, found.side)).collect();
    let expect =
        [("exit-code", 0.0, Some(0.0), Some(Side::Candidate)), ("program-time", 12.0, Some(8_000.0), Some(Side::Candidate))];
    assert_eq!(numbers, expect);
    let one = "check ended with 1, which means unhealthy (healthy: 0): disk 93 % full";
    check(&by("exit"), ended(1, b"\n  disk 93 % full \n", b"noise"), Verdict::Unhealthy, one);
    let usage = "check ended with 2, which means an error (healthy: 0): usage: check URL";
    check(&by("exit"), ended(2, b"", b"usage: check URL\n"), Verdict::Error, usage);
    for code in [3, 126, 127, 137, 255, -1] {
        let silent = format!("check ended with {code}, which means an error (healthy: 0): it said nothing");
        check(&by("exit"), ended(code, b"", b""), Verdict::Error, &silent);
    }
}

#[test]
fn exit_codes_can_mean_something_else() {
    let settings = json!({ "program": "check", "exitCodes": { "2": "unhealthy", "3": "inconclusive", "10": "healthy" } });
    for (code, verdict) in [
        (0, Verdict::Healthy),
        (1, Verdict::Unhealthy),
        (2, Verdict::Unhealthy),
        (3, Verdict::Inconclusive),
        (10, Verdict::Healthy),
        (4, Verdict::Error),
    ] {
        assert_eq!(assess(&settings, ended(code, b"", b"")).0.verdict, verdict, "{code}");
    }
    let found = check(
        &settings,
        ended(2, b"x", b""),
        Verdict::Unhealthy,
        "check ended with 2, which means unhealthy (healthy: 0, 10): x",
    );
    assert_eq!(found.measurements[0].limit, None, "one number is no limit where there are two good ones");
}

#[test]
fn monitoring_plugins_say_four_things_and_numbers() {
    let line = b"HTTP WARNING: 200 OK in 1.2 s |time=1.2s;1;2;0 size=348B 'error rate'=0.5%;;1\nmore";
    let sentence = "check ended with 1, which means inconclusive (healthy: 0): HTTP WARNING: 200 OK in 1.2 s";
    let found = check(&by("nagios"), ended(1, line, b""), Verdict::Inconclusive, sentence);
    let numbers: Vec<_> = found.measurements[2..].iter().map(|found| (found.name.as_str(), found.value, found.limit)).collect();
    assert_eq!(numbers, [("time", 1.2, Some(2.0)), ("size", 348.0, None), ("error-rate", 0.5, Some(1.0))]);
    assert_eq!(found.measurements[2].side, Some(Side::Candidate));
    for (code, verdict) in [(0, Verdict::Healthy), (2, Verdict::Unhealthy), (3, Verdict::Error), (4, Verdict::Error)] {
        assert_eq!(assess(&by("nagios"), ended(code, b"|", b"")).0.verdict, verdict, "{code}");
    }
}

#[test]
fn a_report_is_a_verdict_with_its_numbers() {
    let report = json!({ "verdict": "unhealthy", "sentence": "31 of 1290 carts are empty, 0 may be", "measurements": [
        { "name": "carts-empty", "value": 31, "unit": "1", "limit": 0, "samples": 1290 },
        { "name": "carts-empty", "value": -2.5, "unit": "1", "side": "stable" }
    ] });
    let sentence = "check: 31 of 1290 carts are empty, 0 may be";
    let found = check(&by("json"), ended(0, report.to_string().as_bytes(), b"noise"), Verdict::Unhealthy, sentence);
    let first = &found.measurements[0];
    assert_eq!((first.value, first.limit, first.samples, first.side), (31.0, Some(0.0), Some(1290), Some(Side::Candidate)));
    assert_eq!((found.measurements[1].value, found.measurements[1].side), (-2.5, Some(Side::Stable)));
    let short = br#" {"verdict":"healthy","sentence":"fine"} "#;
    check(&by("json"), ended(0, short, b""), Verdict::Healthy, "check: fine");
}

#[test]
fn what_is_no_report_is_an_error() {
    let error = |stdout: &str, sentence: &str| check(&by("json"), ended(0, stdout.as_bytes(), b""), Verdict::Error, sentence);
    error("", r#"check printed "", which is no report: EOF while parsing a value at line 1 column 0"#);
    error("<html>", r#"check printed "<html>", which is no report: expected value at line 1 column 1"#);
    let starts = |stdout: &str, begins: &str| {
        let (found, _) = assess(&by("json"), ended(0, stdout.as_bytes(), b""));
        assert!(found.verdict == Verdict::Error && found.sentence.contains(begins), "{stdout}: {}", found.sentence);
    };
    starts(
        r#"{"verdict":"good","sentence":"x"}"#,
        "unknown variant `good`, expected one of `healthy`, `unhealthy`, `inconclusive`, `error`",
    );
    starts(r#"{"sentence":"x"}"#, "missing field `verdict`");
    starts(r#"{"verdict":"healthy"}"#, "missing field `sentence`");
    starts(r#"{"verdict":"healthy","sentence":"x","score":1}"#, "unknown field `score`");
    starts(r#"{"verdict":"healthy","sentence":"x"} {}"#, "trailing characters");
    starts(r#"{"verdict":"healthy","sentence":" "}"#, "the report of check has no sentence");
    let number = |number: &str| format!(r#"{{"verdict":"healthy","sentence":"x","measurements":[{number}]}}"#);
    starts(&number(r#"{"name":"a","value":NaN,"unit":"1"}"#), "expected value");
    starts(&number(r#"{"name":"a","value":1e999,"unit":"1"}"#), "number out of range");
    starts(&number(r#"{"name":"a","value":"1","unit":"1"}"#), "expected f64");
    starts(&number(r#"{"name":"a","value":1,"unit":"1","samples":-1}"#), "invalid value");
    starts(&number(r#"{"name":"A b","value":1,"unit":"1"}"#), "\"A b\" is no name of a measurement");
    starts(&number(r#"{"name":"a","value":1,"unit":""}"#), "measurement \"a\" has the unit \"\"");
    let many = vec![r#"{"name":"a","value":1,"unit":"1"}"#; 51].join(",");
    starts(&number(&many), "it has 51 measurements, at most 50 may be");
    let failed = "check ended with 3, expected 0 and a report: \"no route\"";
    check(&by("json"), ended(3, br#"{"verdict":"healthy","sentence":"x"}"#, b"no route"), Verdict::Error, failed);
    let cut = Outcome { cut: true, ..ended(0, br#"{"verdict":"healthy","sentence":"x"}"#, b"").expect("an outcome") };
    check(&by("json"), Ok(cut), Verdict::Error, "check printed more than is kept, 36 bytes of it are no whole report");
}

#[test]
fn what_a_terminal_would_obey_is_not_told() {
    let escapes = b"\x1b[2J\x1b]0;owned\x07all \x1b[32mwell\x1b[0m\xff\0 \xe2\x80\xaeabc\n";
    check(
        &by("exit"),
        ended(0, escapes, b""),
        Verdict::Healthy,
        "check ended with 0, which means healthy (healthy: 0): all well\u{fffd} abc",
    );
    let long = vec![b'x'; 300_000];
    let (found, _) = assess(&by("exit"), ended(1, &long, b""));
    assert!(found.verdict == Verdict::Unhealthy && found.sentence.chars().count() < 320, "{}", found.sentence);
}

#[test]
fn a_program_that_does_not_end_or_is_not_run_is_an_error() {
    check(&by("exit"), Err(Error::Timeout), Verdict::Error, "check did not end within 8000 ms and was killed");
    let not_run = |error: Error, why: &str| check(&by("exit"), Err(error), Verdict::Error, &format!("check was not run: {why}"));
    not_run(Error::Refused("no grant".to_owned()), "not allowed: no grant");
    not_run(Error::Invalid("a zero byte".to_owned()), "not a request: a zero byte");
    not_run(Error::Unavailable("no such file".to_owned()), "it could not be started: no such file");
}

#[test]
fn arguments_name_what_is_judged() {
    let arguments = json!(["--service=$service", "$environment/$release", "http://$endpoint/", "$label", "5$$", "$", "-v"]);
    let ran = |subject: &str, arguments: &Value| {
        assess(&json!({ "program": "check", "arguments": arguments, "subject": subject }), ended(0, b"", b""))
    };
    let (_, asked) = ran("candidate", &arguments);
    assert_eq!(asked[0].arguments, ["--service=web", "test/r-2", "http://127.0.0.1:4000/", "v2", "5$", "$", "-v"]);
    assert_eq!((asked[0].program.as_str(), asked[0].timeout_ms), ("check", 8_000));
    assert_eq!(ran("public", &json!(["$endpoint", "$label"])).1[0].arguments, ["127.0.0.1:8080", "v2"]);
    let (found, asked) = ran("stable", &json!(["$label"]));
    assert_eq!((asked[0].arguments.as_slice(), found.measurements[0].side), (&["v1".to_owned()][..], Some(Side::Stable)));
    let (found, asked) = ran("stable", &json!(["a", "$endpoint"]));
    assert_eq!(found.sentence, "the stable side has no endpoint, which $endpoint in argument 2 stands for");
    assert!(found.verdict == Verdict::Inconclusive && asked.is_empty());
    let (found, asked) = ran("candidate", &json!(["$serivce"]));
    assert_eq!(found.sentence, "argument 1: $serivce stands for nothing here; write $$ for a dollar sign");
    assert!(found.verdict == Verdict::Error && asked.is_empty());
}

#[test]
fn what_a_placeholder_stands_for_is_never_an_option() {
    let settings = json!({ "program": "check", "arguments": ["$label"] });
    let mut look = look(&settings);
    look.subjects.candidate.as_mut().expect("a candidate").label = "--config=evil".to_owned();
    let ran = Arc::new(Mutex::new(Vec::new()));
    let machine = Machine { end: ended(0, b"", b""), ran: Arc::clone(&ran) };
    let found = in_world(machine, || HealthCommand::assess(&look));
    assert_eq!(found.sentence, "argument 1 would begin with \"-\" by what \"$label\" stands for");
    assert!(found.verdict == Verdict::Error && ran.lock().expect("nobody panicked").is_empty());
}

#[test]
fn settings_that_make_no_sense_are_an_error() {
    let refused = |settings: &Value, sentence: &str| {
        let (found, ran) = assess(settings, ended(0, b"", b""));
        assert_eq!(found.sentence, sentence);
        assert!(found.verdict == Verdict::Error && ran.is_empty());
    };
    refused(&json!({ "program": "" }), "program is empty, expected the name that the operator gave one in the grant");
    refused(&json!({ "program": "a", "arguments": vec!["x"; 51] }), "there are 51 arguments, at most 50 may be");
    refused(&json!({ "program": "a", "arguments": ["x".repeat(5_000)] }), "argument 1 has 5000 bytes, at most 4096 may be");
    let beside = "exitCodes is set beside convention json, where the report is the verdict";
    refused(&json!({ "program": "a", "convention": "json", "exitCodes": { "1": "healthy" } }), beside);
    let others = "exitCodes names 137, expected 0 to 125: others do not come from the program";
    refused(&json!({ "program": "a", "exitCodes": { "137": "healthy" } }), others);
}

#[test]
fn without_what_is_judged_nothing_is_run() {
    for (subject, sentence) in [("candidate", "there is no candidate to judge"), ("stable", "there is no stable side to judge")] {
        let mut look = look(&json!({ "program": "check", "subject": subject }));
        (look.subjects.candidate, look.subjects.stable) = (None, None);
        let found = HealthCommand::assess(&look);
        assert_eq!((found.verdict, found.sentence.as_str()), (Verdict::Inconclusive, sentence));
    }
}

#[test]
fn it_does_what_every_health_check_owes() {
    let world = || Box::new(Machine { end: ended(0, b"well", b""), ran: Arc::default() }) as Box<dyn World>;
    let settings = json!({ "program": "check", "arguments": ["$endpoint"] });
    conformance::health::<HealthCommand>(&HealthCase::new(settings.to_string(), world));
    let world = || {
        let end = ended(0, br#"{"verdict":"healthy","sentence":"well"}"#, b"");
        Box::new(Machine { end, ran: Arc::default() }) as Box<dyn World>
    };
    conformance::health::<HealthCommand>(&HealthCase::new(by("json").to_string(), world).without_endpoint());
}
