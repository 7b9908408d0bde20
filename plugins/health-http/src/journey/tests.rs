//! Journeys through a scripted service. Each row of the plugin's README has its test here.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use towpath_sdk::health::{self, Assessment, Look, Subjects, Verdict, Window};
use towpath_sdk::powers::http::{Error, Request, Response};
use towpath_sdk::testing::conformance::{self, HealthCase};
use towpath_sdk::testing::{World, context, in_world};
use towpath_sdk::{HealthCheck, Side};

use crate::{HealthHttp, Settings};

type Answer = Result<Response, Error>;

/// Answers as it is told, and writes down what it was asked.
struct Service<F> {
    answer: F,
    asked: Arc<Mutex<Vec<Request>>>,
    now_ms: i64,
}

impl<F: FnMut(&Request) -> Answer + Send> World for Service<F> {
    fn fetch(&mut self, request: &Request) -> Answer {
        self.asked.lock().expect("nobody panicked").push(request.clone());
        (self.answer)(request)
    }

    fn now_ms(&mut self) -> i64 {
        self.now_ms
    }
}

fn look(settings: &Value, state: Option<Vec<u8>>) -> Look<Settings> {
    let side = |release: &str, endpoint: &str| {
        Some(health::Subject { endpoint: Some(endpoint.to_owned()), ..health::Subject::new(release) })
    };
    let mut context = context(&settings.to_string());
    context.state = state;
    Look {
        context,
        settings: serde_json::from_value(settings.clone()).expect("settings"),
        subjects: Subjects {
            stable: side("v1", "127.0.0.1:3999"),
            candidate: side("v2", "127.0.0.1:4000"),
            public_endpoint: Some("shop.example".to_owned()),
        },
        window: Window { started_ms: 0, ends_ms: 60_000 },
    }
}

pub(super) fn assess(settings: &Value, answer: impl FnMut(&Request) -> Answer + Send + 'static) -> (Assessment, Vec<Request>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let service = Service { answer, asked: Arc::clone(&asked), now_ms: 0 };
    let look = look(settings, None);
    let found = in_world(service, || HealthHttp::assess(&look));
    let asked = asked.lock().expect("nobody panicked").clone();
    (found, asked)
}

pub(super) fn one_step(step: &Value) -> Value {
    json!({ "journeys": [{ "name": "buy", "attempts": 1, "steps": [step] }] })
}

/// One step that is answered like this, and what is said of it.
#[track_caller]
fn check(step: &Value, answer: Answer, verdict: Verdict, sentence: &str) {
    let (found, _) = assess(&one_step(step), move |_| answer.clone());
    assert_eq!(found.sentence, sentence);
    assert_eq!(found.verdict, verdict);
}

#[track_caller]
fn fails(step: &Value, answer: Response, why: &str) {
    let sentence = format!("journey \"buy\" failed on the candidate at step 1 of 1 (GET /): {why} (1 attempt)");
    check(step, Ok(answer), Verdict::Unhealthy, &sentence);
}

fn page(status: u16, kind: &str, body: &str) -> Response {
    let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
    Response { headers, elapsed_ms: 7, ..Response::new(status, body) }
}

fn good(body: &Value) -> Answer {
    Ok(page(200, "application/json", &body.to_string()))
}

#[test]
fn what_a_step_captures_goes_into_later_ones() {
    let settings = json!({ "journeys": [{
        "name": "buy", "subject": "public", "scheme": "https",
        "steps": [
            { "method": "POST", "path": "/login", "json": { "name": "probe", "price": "5$$" },
              "expect": { "status": [201, "3xx"] },
              "capture": { "token": { "json": "$.token" }, "number": { "json": "$.cart.number" },
                           "session": { "header": "set-cookie", "matches": "session=([^;]+)" } } },
            { "method": "PUT", "path": "/carts/$token?n=$number", "headers": { "authorization": "Bearer $token", "cookie": "s=$session" },
              "json": { "cart": "$number", "text": "no. $number" },
              "expect": { "json": [{ "path": "$.cart", "equals": "$number" }], "headers": { "x-cart": { "contains": "-$number-" } } } },
            { "path": "/logout", "body": "token=$token" }
        ]
    }] });
    let (found, asked) = assess(&settings, |request| {
        let mut answer = page(200, "application/json", r#"{"cart":7.0}"#);
        if request.method == "POST" {
            answer = page(303, "application/json", r#"{"token":"../a?b &é secret","cart":{"number":7}}"#);
            answer.headers.push(("set-cookie".to_owned(), "session=abc; HttpOnly".to_owned()));
        }
        answer.headers.push(("x-cart".to_owned(), "cart-7-open".to_owned()));
        Ok(answer)
    });
    assert_eq!(found.sentence, "1 journey passed, the slowest answer took 7 ms: buy (public endpoint, 3 steps)");
    assert_eq!(found.verdict, Verdict::Healthy);
    let text = |request: &Request| String::from_utf8(request.body.clone()).expect("text");
    assert_eq!(asked[0].url, "https://shop.example/login");
    assert_eq!(text(&asked[0]), r#"{"name":"probe","price":"5$"}"#);
    assert_eq!(asked[1].url, "https://shop.example/carts/..%2Fa%3Fb%20%26%C3%A9%20secret?n=7");
    assert_eq!(text(&asked[1]), r#"{"cart":7,"text":"no. 7"}"#);
    let header = |name: &str| asked[1].headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    assert_eq!(header("authorization"), Some("Bearer ../a?b &é secret"));
    assert_eq!(header("cookie"), Some("s=abc"));
    assert_eq!((asked[2].method.as_str(), text(&asked[2]).as_str()), ("GET", "token=../a?b &é secret"));
}

#[test]
fn what_was_captured_is_told_to_nobody() {
    let settings = json!({ "journeys": [{ "name": "buy", "attempts": 1, "steps": [
        { "path": "/login", "capture": { "token": { "json": "$.token" } } },
        { "path": "/me/$token", "expect": { "json": [{ "path": "$.echo", "equals": "x" }] } }
    ] }] });
    let (found, _) = assess(&settings, |_| good(&json!({ "token": "s3cret-s3cret", "echo": "you are s3cret-s3cret" })));
    let why = r#"step 2 of 2 (GET /me/$token): $.echo is "you are $token", expected "x""#;
    assert_eq!(found.sentence, format!("journey \"buy\" failed on the candidate at {why} (1 attempt)"));
    assert!(found.state.is_none(), "nothing is remembered of it");
}

#[test]
fn a_journey_is_tried_again_from_its_beginning() {
    let settings = json!({ "journeys": [
        { "name": "login", "attempts": 3, "steps": [{ "path": "/a" }, { "path": "/b" }] },
        { "name": "never", "steps": [{ "path": "/c" }] }
    ] });
    let mut asked_b = 0;
    let (found, asked) = assess(&settings, move |request| {
        asked_b += u32::from(request.url.ends_with("/b"));
        Ok(Response::new(if request.url.ends_with("/b") && asked_b < 3 { 503 } else { 200 }, ""))
    });
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.sentence);
    let paths: Vec<_> = asked.iter().map(|request| &request.url[request.url.len() - 2..]).collect();
    assert_eq!(paths, ["/a", "/b", "/a", "/b", "/a", "/b", "/c"]);

    let (found, asked) = assess(&settings, |request| Ok(Response::new(if request.url.ends_with("/b") { 503 } else { 200 }, "")));
    let why = "step 2 of 2 (GET /b): status 503, expected 2xx (3 attempts)";
    assert_eq!(found.sentence, format!("journey \"login\" failed on the candidate at {why}"));
    assert_eq!((found.verdict, asked.len()), (Verdict::Unhealthy, 6), "the second journey is not begun");
    let failed = &found.measurements[0];
    assert_eq!((failed.name.as_str(), failed.value, failed.limit, failed.samples), ("journeys-failed", 1.0, Some(0.0), Some(1)));
}

#[test]
fn each_side_is_asked_where_it_is() {
    for (subject, place, side) in [
        ("candidate", "http://127.0.0.1:4000/", Some(Side::Candidate)),
        ("stable", "http://127.0.0.1:3999/", Some(Side::Stable)),
        ("public", "http://shop.example/", None),
    ] {
        let settings = json!({ "subject": subject, "journeys": [{ "name": "buy", "steps": [{ "path": "/" }] }] });
        let (found, asked) = assess(&settings, |_| Ok(Response::new(200, "")));
        assert_eq!((asked[0].url.as_str(), found.measurements[1].side), (place, side));
        assert_eq!(found.measurements[1].name, "buy-time");
        let mut nowhere = look(&settings, None);
        nowhere.subjects = Subjects { stable: None, candidate: None, public_endpoint: None };
        let found = HealthHttp::assess(&nowhere);
        assert_eq!(found.verdict, Verdict::Inconclusive);
        assert!(found.sentence.ends_with("has no endpoint for journey \"buy\""), "{}", found.sentence);
    }
}

#[test]
fn another_status_or_header_or_body_fails() {
    fails(&json!({ "path": "/" }), page(500, "text/html", "<html>"), "status 500, expected 2xx");
    fails(
        &json!({ "path": "/", "expect": { "status": [204, "3xx"] } }),
        page(200, "text/html", ""),
        "status 200, expected 204 or 3xx",
    );
    let header = |expect: Value| json!({ "path": "/", "expect": { "headers": { "content-type": expect } } });
    let html = || page(200, "text/html", "<h1>Bad\u{1b}[31m Gateway</h1>");
    fails(&header(json!({ "equals": "a" })), html(), r#"header "content-type" is "text/html", expected "a""#);
    fails(
        &header(json!({ "contains": "json" })),
        html(),
        r#"header "content-type" is "text/html", expected one with "json" in it"#,
    );
    fails(
        &header(json!({ "matches": "^app" })),
        html(),
        r#"header "content-type" is "text/html", expected one that fits "^app""#,
    );
    fails(
        &json!({ "path": "/", "expect": { "headers": { "x-id": { "contains": "" } } } }),
        html(),
        r#"there is no header "x-id""#,
    );
    let body = |expect: Value| json!({ "path": "/", "expect": { "body": expect } });
    fails(&body(json!({ "contains": "ok" })), html(), r#"the body is "<h1>Bad Gateway</h1>", expected one with "ok" in it"#);
    check(&body(json!({ "contains": "Gate", "matches": "^<h\\d>" })), Ok(html()), Verdict::Healthy, PASSED);
}

const PASSED: &str = "1 journey passed, the slowest answer took 7 ms: buy (candidate, 1 step)";

pub(super) fn expecting(expect: Value) -> Value {
    let mut expect = expect;
    expect["path"] = expect.get("path").cloned().unwrap_or_else(|| json!("$.a"));
    json!({ "path": "/", "expect": { "json": [expect] } })
}

#[test]
fn values_of_json_are_held_against_what_is_expected() {
    let is =
        |body: &str, expect: Value| check(&expecting(expect), Ok(page(200, "application/json", body)), Verdict::Healthy, PASSED);
    is(r#"{"a":1}"#, json!({ "equals": 1.0, "min": 1, "max": 1 }));
    is(r#"{"a":null}"#, json!({ "equals": null, "exists": true }));
    is(r#"{"b":1}"#, json!({ "exists": false }));
    is(r#"{"a":{"x":[1,{"y":"ok"}]}}"#, json!({ "equals": { "x": [1, { "y": "ok" }] } }));
    is(r#"{"i":[{"s":"ok","n":1},{"s":"ok"}]}"#, json!({ "path": "$.i[*].s", "matches": "^ok$" }));
    is(r#"{"i":[{"s":"ok","n":1},{"s":"down"}]}"#, json!({ "path": "$.i[?@.n == 1].s", "equals": "ok" }));

    let fails = |body: &str, expect: Value, why: &str| fails(&expecting(expect), page(200, "application/json", body), why);
    fails(r#"{"a":"down"}"#, json!({ "equals": "ok" }), r#"$.a is "down", expected "ok""#);
    fails(r#"{"a":-3}"#, json!({ "min": 0 }), "$.a is -3, expected at least 0");
    fails(r#"{"a":"3"}"#, json!({ "max": 5 }), r#"$.a is "3", expected at most 5"#);
    fails(r#"{"a":true}"#, json!({ "exists": false }), "$.a is true, expected nothing there");
    fails(r#"{"a":[]}"#, json!({ "equals": {} }), "$.a is a list of 0, expected an object");
    fails("{}", json!({ "equals": 1 }), "there is nothing at $.a");
    fails(r#"{"i":[]}"#, json!({ "path": "$.i[*].s", "equals": "ok" }), "there is nothing at $.i[*].s");
    fails(
        r#"{"i":[{"s":"ok"},{"s":"down"}]}"#,
        json!({ "path": "$.i[*].s", "equals": "ok" }),
        r#"$.i[*].s is "down", expected "ok""#,
    );
}

#[test]
fn what_is_no_json_fails() {
    let fails = |body: &str, why: &str| {
        fails(
            &expecting(json!({ "exists": true })),
            page(200, "text/html; charset=utf-8", body),
            &format!("the body of text/html; charset=utf-8 is no JSON, it begins with {why}"),
        );
    };
    fails("<html>Bad Gateway</html>", r#""<html>Bad Gateway</html>": expected value at line 1 column 1"#);
    fails("", r#""": EOF while parsing a value at line 1 column 0"#);
    fails(r#"{"a":NaN}"#, r#""{"a":NaN}": expected value at line 1 column 6"#);
    fails(r#"{"a":1e999}"#, r#""{"a":1e999}": number out of range at line 1 column 10"#);
    let (found, _) = assess(&one_step(&expecting(json!({ "exists": true }))), |_| Ok(Response::new(200, b"\xff\xfe\0".to_vec())));
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.sentence);
    let deep = "[".repeat(100_000);
    let (found, _) = assess(&one_step(&expecting(json!({ "exists": true }))), move |_| Ok(Response::new(200, deep.clone())));
    assert!(found.verdict == Verdict::Unhealthy && found.sentence.contains("recursion limit"), "{}", found.sentence);
}

#[test]
fn a_million_values_are_more_than_is_judged() {
    let many = json!(vec![1; 1_000_000]);
    let (found, _) = assess(&one_step(&expecting(json!({ "exists": true }))), move |_| good(&many));
    assert_eq!(found.verdict, Verdict::Error);
    let why = "step 1 of 1 (GET /): the body has 2000001 bytes, JSON is read up to 1048576";
    assert_eq!(found.sentence, format!("journey \"buy\" cannot be judged on the candidate at {why}"));
}

#[test]
fn no_answer_fails_and_what_cannot_be_asked_is_an_error() {
    let step = json!({ "path": "/", "timeoutMs": 300 });
    let failed = |why: &str| format!("journey \"buy\" failed on the candidate at step 1 of 1 (GET /): {why} (1 attempt)");
    let unable = |why: &str| format!("journey \"buy\" cannot be judged on the candidate at step 1 of 1 (GET /): {why}");
    check(&step, Err(Error::Timeout), Verdict::Unhealthy, &failed("no answer within 300 ms"));
    let refused = Err(Error::Unreachable("connection refused".to_owned()));
    check(&step, refused, Verdict::Unhealthy, &failed("no connection: connection refused"));
    check(&step, Err(Error::Broken("reset".to_owned())), Verdict::Unhealthy, &failed("the connection broke: reset"));
    check(&step, Err(Error::TooLarge(4_194_304)), Verdict::Error, &unable("the answer is larger than 4194304 bytes"));
    check(&step, Err(Error::Refused("no grant".to_owned())), Verdict::Error, &unable("not allowed: no grant"));
    check(&step, Err(Error::Invalid("no host".to_owned())), Verdict::Error, &unable("not a request: no host"));
}

#[test]
fn a_look_whose_time_is_over_is_inconclusive() {
    let settings = one_step(&json!({ "path": "/", "timeoutMs": 30_000 }));
    let at = |now_ms: i64| {
        let service = Service { answer: |_: &Request| Err(Error::Timeout), asked: Arc::default(), now_ms };
        let look = look(&settings, None);
        in_world(service, || HealthHttp::assess(&look))
    };
    let found = at(50_000);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    let why = "no answer in the 9500 ms that the look had left, 30000 ms may be";
    assert_eq!(found.sentence, format!("journey \"buy\" was not finished on the candidate at step 1 of 1 (GET /): {why}"));
    let found = at(59_900);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.sentence.ends_with("the look's time was over before it"), "{}", found.sentence);
}

#[test]
fn a_capture_that_finds_nothing_fails() {
    let capturing = |capture: Value| json!({ "path": "/", "capture": { "token": capture } });
    let body = || page(200, "application/json", r#"{"list":[1],"none":null,"text":"abc"}"#);
    fails(&capturing(json!({ "json": "$.absent" })), body(), "there is nothing at $.absent to capture as $token");
    fails(&capturing(json!({ "json": "$.list" })), body(), "$token captures a list, expected a text, a number or a boolean");
    fails(&capturing(json!({ "json": "$.none" })), body(), "$token captures null, expected a text, a number or a boolean");
    fails(&capturing(json!({ "header": "x-token" })), body(), "there is no header \"x-token\" to capture as $token");
    let unfit = "what $token captures has nothing in it that fits \"x+\"";
    fails(&capturing(json!({ "json": "$.text", "matches": "x+" })), body(), unfit);
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(9_000));
    let why = "what $token captures has 9000 bytes, at most 8192 may be";
    fails(&capturing(json!({ "json": "$.text" })), page(200, "", &long), why);
}

#[test]
fn what_was_captured_makes_no_second_header() {
    let settings = json!({ "journeys": [{ "name": "buy", "attempts": 1, "steps": [
        { "path": "/", "capture": { "id": { "json": "$.id" } } },
        { "path": "/", "headers": { "x-id": "$id" } }
    ] }] });
    let (found, asked) = assess(&settings, |_| good(&json!({ "id": "1\r\nx-admin: true" })));
    assert_eq!((found.verdict, asked.len()), (Verdict::Unhealthy, 1));
    assert!(found.sentence.contains("header \"x-id\" has a control character in it"), "{}", found.sentence);
}

#[test]
fn certificates_that_are_about_to_expire_fail() {
    let day_ms = 86_400_000;
    let settings = json!({ "journeys": [{ "name": "tls", "attempts": 1, "scheme": "https",
                                          "steps": [{ "path": "/", "expect": { "certificateDaysMin": 14 } }] }] });
    let found = |expires_ms: Option<i64>| {
        assess(&settings, move |_| Ok(Response { certificate_expires_ms: expires_ms, ..Response::new(200, "") })).0
    };
    let good = found(Some(30 * day_ms));
    let days = good.measurements.iter().find(|measured| measured.name == "tls-certificate-days").expect("measured");
    assert_eq!((good.verdict, days.value, days.limit), (Verdict::Healthy, 30.0, Some(14.0)));
    for (expires_ms, why) in [
        (Some(13 * day_ms + day_ms / 2), "the certificate expires in 13.5 days, expected one that is valid for 14 days"),
        (Some(-2 * day_ms), "the certificate expired 2.0 days ago, expected one that is valid for 14 days"),
        (Some(i64::MIN), "the certificate expired"),
        (None, "no certificate was seen, expected one that is valid for 14 days"),
    ] {
        let found = found(expires_ms);
        assert!(found.verdict == Verdict::Unhealthy && found.sentence.contains(why), "{}", found.sentence);
    }
}

#[test]
fn one_slow_answer_fails_where_each_is_held_against_the_limit() {
    let step = json!({ "path": "/", "expect": { "timeMsMax": 6 } });
    fails(&step, page(200, "", ""), "it took 7 ms, at most 6 ms may be");
    check(&json!({ "path": "/", "expect": { "timeMsMax": 7 } }), Ok(page(200, "", "")), Verdict::Healthy, PASSED);
}

/// Looks again and again while the answers take these times; returns what was found at each look.
fn timed(settings: &Value, times: &[u32]) -> Vec<Assessment> {
    let mut state = None;
    let mut found = Vec::new();
    for time in times.iter().copied() {
        let answer = move |_: &Request| Ok(Response { elapsed_ms: time, ..Response::new(200, "") });
        let look = look(settings, state.take());
        let next = in_world(Service { answer, asked: Arc::default(), now_ms: 0 }, || HealthHttp::assess(&look));
        state.clone_from(&next.state);
        found.push(next);
    }
    found
}

#[test]
fn a_percentile_of_the_times_is_judged_over_several_looks() {
    let settings = one_step(&json!({ "path": "/", "expect": { "timeMsMax": 100, "timeSamplesMin": 20 } }));
    let verdicts = |times: &[u32]| timed(&settings, times).iter().map(|found| found.verdict).collect::<Vec<_>>();
    let mut times = vec![50; 19];
    assert!(verdicts(&times).iter().all(|verdict| *verdict == Verdict::Inconclusive));
    let found = timed(&settings, &times).pop().expect("a look");
    assert_eq!(found.sentence, "journey \"buy\", step 1 (GET /): 19 answers are timed, 20 are needed to judge their p95");
    // One slow answer of twenty is what the 95th percentile leaves out; all others are tied.
    times.push(5_000);
    let found = timed(&settings, &times).pop().expect("a look");
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.sentence);
    let p95 = found.measurements.iter().find(|measured| measured.name == "buy-1-p95").expect("measured");
    assert_eq!((p95.value, p95.limit, p95.samples), (50.0, Some(100.0), Some(20)));
    times.push(101);
    let found = timed(&settings, &times).pop().expect("a look");
    assert_eq!(found.sentence, "journey \"buy\", step 1 (GET /): p95 of 21 answers is 101 ms, at most 100 ms may be");
    assert_eq!(found.verdict, Verdict::Unhealthy);
    // Two slow answers of twenty are too many, whatever the other eighteen are.
    let found = timed(&settings, &[200, 300]);
    assert_eq!((found[0].verdict, found[1].verdict), (Verdict::Inconclusive, Verdict::Unhealthy));
    let why = "2 of 2 answers took more than 100 ms, too many for the p95 of 20";
    assert_eq!(found[1].sentence, format!("journey \"buy\", step 1 (GET /): {why}"));
}

#[test]
fn times_of_another_watch_are_forgotten() {
    let settings = one_step(&json!({ "path": "/", "expect": { "timeMsMax": 100, "timeSamplesMin": 2 } }));
    let state = timed(&settings, &[900]).pop().and_then(|found| found.state);
    let mut later = look(&settings, state);
    later.window.started_ms = 7;
    let service = Service { answer: |_: &Request| Ok(Response::new(200, "")), asked: Arc::default(), now_ms: 0 };
    let found = in_world(service, || HealthHttp::assess(&later));
    assert!(found.sentence.contains("1 answers are timed, 2 are needed"), "{}", found.sentence);
}

#[test]
fn what_is_remembered_stays_small() {
    let step = json!({ "path": "/", "expect": { "timeMsMax": 60_000, "timeSamplesMin": 100 } });
    let journey = |number: usize| json!({ "name": format!("{}{number}", "j".repeat(39)), "steps": vec![step.clone(); 20] });
    let settings = json!({ "journeys": [journey(0), journey(1)] });
    let found = timed(&settings, &[60_000; 150]).pop().expect("a look");
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.sentence);
    let bytes = found.state.expect("a state").len();
    assert!((20_000..40_000).contains(&bytes), "{bytes}");
    assert!(found.measurements.len() < 64, "more are not kept");
}

#[test]
fn it_does_what_every_health_check_owes() {
    let settings =
        one_step(&json!({ "path": "/", "expect": { "body": { "contains": "ok" }, "timeMsMax": 60_000, "timeSamplesMin": 3 } }));
    conformance::health::<HealthHttp>(&HealthCase::new(settings.to_string(), || {
        Box::new(Service { answer: |_: &Request| Ok(Response::new(200, "ok")), asked: Arc::default(), now_ms: 0 })
    }));
}
