//! Verdicts over scripted answers of an Alertmanager. Each row of the plugin's README has its test here.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use towpath_sdk::health::{Assessment, Look, Subject, Subjects, Verdict, Window};
use towpath_sdk::powers::http::{Error, Request, Response};
use towpath_sdk::testing::conformance::{self, HealthCase};
use towpath_sdk::testing::{World, context, in_world};
use towpath_sdk::{HealthCheck, Side};

use super::{HealthAlerts, Settings};

/// When the watch began: 2026-11-27T20:00:00Z.
const STARTED_MS: i64 = 1_795_809_600_000;

/// The time now: a minute later.
const NOW_MS: i64 = STARTED_MS + 60_000;

/// Answers the questions one after the other, the last answer for ever.
struct Alertmanager {
    answers: Vec<Result<Response, Error>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl World for Alertmanager {
    fn fetch(&mut self, request: &Request) -> Result<Response, Error> {
        self.asked.lock().expect("nobody panicked").push(request.url.clone());
        if self.answers.len() > 1 { self.answers.remove(0) } else { self.answers[0].clone() }
    }

    fn now_ms(&mut self) -> i64 {
        NOW_MS
    }
}

fn look(settings: &Value) -> Look<Settings> {
    let mut context = context(&settings.to_string());
    (context.now_ms, context.deadline_ms) = (NOW_MS, NOW_MS + 10_000);
    let candidate = Subject { label: "v2 \"beta\"".to_owned(), ..Subject::new("r-2.0") };
    Look {
        context,
        settings: serde_json::from_value(settings.clone()).expect("settings"),
        subjects: Subjects { stable: None, candidate: Some(candidate), public_endpoint: None },
        window: Window { started_ms: STARTED_MS, ends_ms: STARTED_MS + 600_000 },
    }
}

fn assess(settings: &Value, answers: Vec<Result<Response, Error>>) -> (Assessment, Vec<String>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let look = look(settings);
    let found = in_world(Alertmanager { answers, asked: Arc::clone(&asked) }, || HealthAlerts::assess(&look));
    let asked = asked.lock().expect("nobody panicked").clone();
    (found, asked)
}

#[track_caller]
fn check(settings: &Value, answers: Vec<Result<Response, Error>>, verdict: Verdict, sentence: &str) -> Assessment {
    let (found, _) = assess(settings, answers);
    assert_eq!(found.sentence, sentence);
    assert_eq!(found.verdict, verdict);
    found
}

fn settings() -> Value {
    json!({ "alertmanager": "https://alerts.example.com/am/", "matchers": ["service=\"$service\""] })
}

fn with(key: &str, value: Value) -> Value {
    let mut settings = settings();
    settings[key] = value;
    settings
}

/// An alert that began, and was last heard of, at these times of 27 November 2026.
fn alert(name: &str, began: &str, heard: &str) -> Value {
    json!({
        "labels": { "alertname": name, "service": "web", "severity": "page" }, "annotations": {}, "receivers": [{ "name": "a" }],
        "startsAt": format!("2026-11-27T{began}Z"), "updatedAt": format!("2026-11-27T{heard}Z"), "endsAt": "2026-11-27T21:00:00Z",
        "fingerprint": "0011223344556677", "status": { "state": "active", "silencedBy": [], "inhibitedBy": [] }
    })
}

fn list(alerts: &[Value]) -> Result<Response, Error> {
    page(200, "application/json", &json!(alerts).to_string())
}

fn page(status: u16, kind: &str, body: &str) -> Result<Response, Error> {
    let headers = vec![("content-type".to_owned(), kind.to_owned())];
    Ok(Response { headers, ..Response::new(status, body) })
}

fn dated(answer: Result<Response, Error>, date: &str) -> Result<Response, Error> {
    let mut answer = answer?;
    answer.headers.push(("Date".to_owned(), format!("Fri, 27 Nov 2026 {date} GMT")));
    Ok(answer)
}

#[test]
fn no_alert_is_healthy_and_what_was_asked_is_told() {
    let quiet = "0 alerts fire that match service=\"web\", 0 may";
    let found = check(&settings(), vec![list(&[])], Verdict::Healthy, quiet);
    let firing = &found.measurements[0];
    assert_eq!((firing.name.as_str(), firing.value, firing.limit, firing.samples), ("alerts-firing", 0.0, Some(0.0), Some(0)));
    assert_eq!(firing.side, None, "the service's alerts are no side's");
}

#[test]
fn matchers_go_to_the_server_escaped_for_where_they_stand() {
    let matchers =
        json!(["service=\"$service\"", "release!=\"$release\"", "job=~\"$label-(a|b)$\"", "environment!~\"$environment\""]);
    let mut settings = with("matchers", matchers);
    settings["severities"] = json!(["page", "a.b"]);
    let (found, asked) = assess(&settings, vec![list(&[])]);
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.sentence);
    assert_eq!(found.measurements[0].side, Some(Side::Candidate));
    let fixed = "https://alerts.example.com/am/api/v2/alerts?active=true&silenced=false&inhibited=false";
    let filters = asked[0].strip_prefix(fixed).expect(&asked[0]);
    let expect = [
        "&filter=service%3D%22web%22",
        "&filter=release%21%3D%22r-2.0%22",
        // v2 "beta"-(a|b)$
        "&filter=job%3D~%22v2%20%5C%22beta%5C%22-%28a%7Cb%29%24%22",
        "&filter=environment%21~%22test%22",
        // page|a\.b
        "&filter=severity%3D~%22page%7Ca%5C%5C.b%22",
    ];
    assert_eq!(filters, expect.concat());
    assert_eq!(asked.len(), 1);
}

#[test]
fn an_alert_that_began_in_the_watch_is_unhealthy() {
    let one = "1 alert fires that match, 0 may: ErrorsHigh (page) since 2026-11-27T20:00:30Z";
    let found = check(&settings(), vec![list(&[alert("ErrorsHigh", "20:00:30", "20:00:40")])], Verdict::Unhealthy, one);
    assert_eq!((found.measurements[0].value, found.measurements[0].samples), (1.0, Some(1)));
    let many: Vec<_> = (0..5).map(|number| alert(&format!("A{number}\u{1b}[31m"), "20:00:30.25", "20:00:40")).collect();
    let named: Vec<_> = (0..3).map(|number| format!("A{number} (page) since 2026-11-27T20:00:30.25Z")).collect();
    let sentence = format!("5 alerts fire that match, 0 may: {}, and 2 more", named.join(", "));
    check(&settings(), vec![list(&many)], Verdict::Unhealthy, &sentence);
    // Of the future, by a clock that nobody vouches for: it counts.
    let future = check(
        &settings(),
        vec![list(&[alert("Later", "23:59:59", "20:00:40")])],
        Verdict::Unhealthy,
        "1 alert fires that match, 0 may: Later (page) since 2026-11-27T23:59:59Z",
    );
    assert_eq!(future.measurements[1].value, 0.0);
}

#[test]
fn what_fired_before_the_watch_counts_only_where_all_do() {
    let old = || vec![list(&[alert("Old", "19:59:54", "20:00:40")])];
    let sentence = "0 alerts fire that match service=\"web\", 0 may; 1 that began before the watch do not count";
    let found = check(&settings(), old(), Verdict::Healthy, sentence);
    assert_eq!((found.measurements[1].name.as_str(), found.measurements[1].value), ("alerts-from-before", 1.0));
    let since = "1 alert fires that match, 0 may: Old (page) since 2026-11-27T19:59:54Z";
    check(&with("since", json!("any")), old(), Verdict::Unhealthy, since);
    // Clocks differ a little: what began just before the watch began in it.
    let just = vec![list(&[alert("Just", "19:59:55", "20:00:40")])];
    check(&settings(), just, Verdict::Unhealthy, "1 alert fires that match, 0 may: Just (page) since 2026-11-27T19:59:55Z");
}

#[test]
fn a_clock_that_is_far_from_ours_leaves_open_what_is_new() {
    let old = || list(&[alert("Old", "19:50:00", "20:00:40")]);
    let behind =
        "the Alertmanager's clock is 90 s behind ours, at most 5 s may be: which of 1 alert began in the watch is not known";
    check(&settings(), vec![dated(old(), "19:59:30")], Verdict::Inconclusive, behind);
    let (found, _) = assess(&settings(), vec![dated(old(), "20:02:00")]);
    assert!(found.sentence.contains("is 60 s ahead of ours"), "{}", found.sentence);
    let skew = found.measurements.iter().find(|measured| measured.name == "clock-skew").expect("measured");
    assert_eq!((skew.value, skew.limit), (60_000.0, Some(5_000.0)));
    // Where nothing fires, or all counts, no clock matters; nor do a few seconds.
    assert_eq!(assess(&settings(), vec![dated(list(&[]), "19:00:00")]).0.verdict, Verdict::Healthy);
    assert_eq!(assess(&with("since", json!("any")), vec![dated(old(), "19:00:00")]).0.verdict, Verdict::Unhealthy);
    assert_eq!(assess(&settings(), vec![dated(old(), "20:00:55")]).0.verdict, Verdict::Healthy);
}

#[test]
fn without_its_watchdog_no_alert_is_no_news() {
    let settings = with("watchdog", json!("Watchdog"));
    let quiet = "0 alerts fire that match service=\"web\", 0 may";
    let fires = || list(&[alert("Watchdog", "10:00:00", "20:00:00")]);
    check(&settings, vec![list(&[]), fires()], Verdict::Healthy, &format!("{quiet}; \"Watchdog\" fires, as it always must"));
    let (found, asked) = assess(&settings, vec![list(&[]), fires()]);
    assert!(asked[1].ends_with("&filter=alertname%3D%22Watchdog%22"), "{}", asked[1]);
    let age = found.measurements.iter().find(|measured| measured.name == "watchdog-age").expect("measured");
    assert_eq!((age.value, age.limit, age.samples), (60_000.0, Some(300_000.0), Some(1)));
    let silent = "0 alerts \"Watchdog\" fire, 1 is expected always to: nobody would tell us of another";
    check(&settings, vec![list(&[]), list(&[])], Verdict::Inconclusive, silent);
    let late = "\"Watchdog\" was last heard of 360 s ago, at most 300 s ago may be: nobody would tell us of another";
    check(&settings, vec![list(&[]), list(&[alert("Watchdog", "10:00:00", "19:55:00")])], Verdict::Inconclusive, late);
    // By the Alertmanager's own clock it was just heard of.
    let theirs = dated(list(&[alert("Watchdog", "10:00:00", "18:00:00")]), "18:00:10");
    assert_eq!(assess(&settings, vec![list(&[]), theirs]).0.verdict, Verdict::Healthy);
    // What fires is certain, and nobody needs a watchdog for it.
    let (found, asked) = assess(&settings, vec![list(&[alert("ErrorsHigh", "20:00:30", "20:00:40")])]);
    assert_eq!((found.verdict, asked.len()), (Verdict::Unhealthy, 1));
    let (found, _) = assess(&settings, vec![list(&[]), page(500, "text/plain", "")]);
    assert_eq!(found.verdict, Verdict::Error, "{}", found.sentence);
}

#[test]
fn what_cannot_be_asked_or_read_is_an_error() {
    let error = |answer: Result<Response, Error>, sentence: &str| check(&settings(), vec![answer], Verdict::Error, sentence);
    let asked = |why: &str| format!("the Alertmanager cannot be asked: {why}");
    error(Err(Error::Timeout), &asked("no answer in time"));
    error(Err(Error::Unreachable("connection refused".to_owned())), &asked("no connection: connection refused"));
    error(Err(Error::Refused("no grant".to_owned())), &asked("not allowed: no grant"));
    // A million alerts.
    error(Err(Error::TooLarge(4_194_304)), &asked("the answer is larger than 4194304 bytes"));
    let html = "text/html, \"<html>Bad Gateway</html>\"";
    let status = format!("the Alertmanager answered with status 502, expected 200: {html}");
    error(page(502, "text/html", "<html>\u{1b}[2JBad  Gateway</html>"), &status);
    let bad = "the Alertmanager answered with status 400, expected 200: application/json, \"\"bad matcher format\"\"";
    error(page(400, "application/json", "\"bad matcher format\""), bad);
    let no_list = |body: &str, why: &str| {
        let sentence = format!("the Alertmanager's answer is no list of alerts, it is text/html, {body:?}: {why}");
        error(page(200, "text/html", body), &sentence);
    };
    no_list("<html>", "expected value at line 1 column 1");
    no_list("", "EOF while parsing a value at line 1 column 0");
    no_list("{}", "invalid type: map, expected a sequence at line 1 column 0");
    no_list("[{}]", "missing field `labels` at line 1 column 3");
    no_list("[NaN]", "expected value at line 1 column 2");
    let mut strange = alert("A", "20:00:30", "20:00:40");
    strange["startsAt"] = json!("yesterday");
    let time = "alert \"A\" has startsAt \"yesterday\", expected a time as 2026-11-27T20:08:00Z";
    error(list(&[strange]), time);
}

#[test]
fn two_alerts_of_one_kind_are_two_and_a_nameless_one_counts() {
    let mut nameless = alert("A", "20:00:30", "20:00:40");
    nameless["labels"] = json!({});
    let sentence = "3 alerts fire that match, 0 may: A (page) since 2026-11-27T20:00:30Z, A (page) since 2026-11-27T20:00:30Z, \
                    an alert without a name since 2026-11-27T20:00:30Z";
    let twice = alert("A", "20:00:30", "20:00:40");
    check(&settings(), vec![list(&[twice.clone(), twice, nameless])], Verdict::Unhealthy, sentence);
}

#[test]
fn many_alerts_are_counted_and_the_sentence_stays_short() {
    let many: Vec<_> = (0..5_000).map(|number| alert(&format!("{}{number}", "x".repeat(500)), "20:00:30", "20:00:40")).collect();
    let (found, _) = assess(&settings(), vec![list(&many)]);
    assert_eq!((found.verdict, found.measurements[0].value), (Verdict::Unhealthy, 5_000.0));
    assert!(found.sentence.chars().count() < 400, "{}", found.sentence);
}

#[test]
fn settings_that_make_no_sense_are_an_error() {
    let refused = |settings: &Value, sentence: &str| {
        let (found, asked) = assess(settings, vec![list(&[])]);
        assert_eq!(found.sentence, sentence);
        assert!(found.verdict == Verdict::Error && asked.is_empty());
    };
    let address = "alertmanager is no plain address; expected https://HOST or http://HOST, without user, query and blanks";
    for url in ["", "alerts:9093", "ftp://alerts", "https://", "https://user:secret@alerts", "http://alerts?x=1", "http://a b"] {
        refused(&with("alertmanager", json!(url)), address);
    }
    refused(&with("matchers", json!([])), "there are 0 matchers, expected 1 to 20");
    refused(&with("severities", json!([""])), "severities has 1 entries, expected at most 20 and none of them empty");
    refused(&with("severityLabel", json!("a-b")), "severityLabel is \"a-b\", which is no name of a label");
    refused(&with("watchdog", json!(" ")), "watchdog is empty, expected the name of an alert");
    let unknown = "$serivce stands for nothing here; write $$ for a dollar sign";
    refused(&with("matchers", json!(["service=\"$serivce\""])), unknown);
}

#[test]
fn without_a_candidate_or_its_label_nothing_is_known() {
    let mut look = look(&with("matchers", json!(["release=\"$label\""])));
    look.subjects.candidate.as_mut().expect("a candidate").label = String::new();
    let found = HealthAlerts::assess(&look);
    assert_eq!(found.sentence, "the candidate has no label, which $label in matchers stands for");
    assert_eq!(found.verdict, Verdict::Inconclusive);
    look.subjects.candidate = None;
    let found = HealthAlerts::assess(&look);
    assert_eq!(found.sentence, "there is no candidate whose alerts could be judged");
    assert_eq!(found.verdict, Verdict::Inconclusive);
}

/// Nothing fires but what always does.
struct Quiet;

impl World for Quiet {
    fn fetch(&mut self, request: &Request) -> Result<Response, Error> {
        let mut watchdog = alert("Watchdog", "10:00:00", "20:00:40");
        watchdog["updatedAt"] = json!("1970-01-01T00:00:00Z");
        list(if request.url.contains("Watchdog") { std::slice::from_ref(&watchdog) } else { &[] })
    }
}

#[test]
fn it_does_what_every_health_check_owes() {
    let settings = with("watchdog", json!("Watchdog"));
    conformance::health::<HealthAlerts>(&HealthCase::new(settings.to_string(), || Box::new(Quiet)).without_endpoint());
}
