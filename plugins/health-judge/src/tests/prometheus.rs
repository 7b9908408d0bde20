//! A Prometheus whose answers are scripted, good and bad.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use towpath_sdk::health::Verdict;
use towpath_sdk::powers::http::{Error, Request, Response};
use towpath_sdk::testing::World;

use super::{STARTED_MS, Watching, errors_of_prometheus};

/// What the clock of Prometheus is ahead of ours, in seconds: far more than any clocks should differ.
const AHEAD_SECONDS: i64 = 5_000;

/// Scrapes every ten seconds since a minute before the watch. Each side's counters grow by so much a second.
#[derive(Clone)]
pub(super) struct Scraped {
    /// Of our clock, since the watch began.
    now_seconds: i64,
    /// Requests and errors a second: of stable, then of the candidate.
    rates: [(f64, f64); 2],
    /// When the candidate was scraped last; always where nothing is said.
    candidate_until: Option<i64>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scraped {
    fn new(now_seconds: i64, stable: (f64, f64), candidate: (f64, f64)) -> Self {
        Self { now_seconds, rates: [stable, candidate], candidate_until: None, asked: Arc::default() }
    }

    /// Returns one in which nothing fails, a minute after the watch of the suite began.
    pub(super) fn healthy() -> Self {
        Self::new(60, (90.0, 0.0), (10.0, 0.0))
    }

    fn answer(&self, query: &str) -> Value {
        if query == "time()" {
            return json!({ "resultType": "scalar", "result": [0, (self.now_seconds + AHEAD_SECONDS).to_string()] });
        }
        let is_candidate = query.contains("v2");
        let until = self.candidate_until.filter(|_| is_candidate).unwrap_or(self.now_seconds);
        let (requests, errors) = self.rates[usize::from(is_candidate)];
        let rate = if query.contains("code=~") { errors } else { requests };
        let scrapes = (-6..).map(|scrape| scrape * 10).take_while(|at| *at <= until);
        let values: Vec<_> =
            scrapes.map(|at| json!([at + AHEAD_SECONDS, ((60 + at) as f64 * rate).floor().to_string()])).collect();
        let result =
            if rate == 0.0 && query.contains("code=~") { json!([]) } else { json!([{ "metric": {}, "values": values }]) };
        json!({ "resultType": "matrix", "result": result })
    }
}

impl World for Scraped {
    fn fetch(&mut self, request: &Request) -> Result<Response, Error> {
        let body = String::from_utf8(request.body.clone()).expect("a form");
        let query = form(&body, "query");
        self.asked.lock().expect("no panic").push(query.clone());
        let data = self.answer(&query);
        Ok(Response::new(200, json!({ "status": "success", "data": data }).to_string()))
    }

    fn now_ms(&mut self) -> i64 {
        STARTED_MS + self.now_seconds * 1_000
    }
}

/// Looks every ten seconds until something is decided, at most so many times; returns when that was, and what was said last.
fn watched(settings: &str, looks: i64, world: impl Fn(i64) -> Scraped) -> (i64, towpath_sdk::health::Assessment) {
    let mut watching = Watching::new(settings);
    for look in 1..=looks {
        let found = watching.look(look * 10, world(look * 10));
        assert!(found.state.as_ref().is_some_and(|state| state.len() < 16_384), "{:?}", found.state.map(|state| state.len()));
        if found.verdict == Verdict::Unhealthy || look == looks {
            return (look * 10, found);
        }
    }
    unreachable!("the last look returns")
}

#[test]
fn a_candidate_that_fails_more_often_is_found_and_one_that_does_not_is_let_be() {
    let settings = errors_of_prometheus("");
    let (seconds, found) = watched(&settings, 60, |now| Scraped::new(now, (90.0, 0.9), (10.0, 0.5)));
    assert!(found.verdict == Verdict::Unhealthy && seconds < 300, "{seconds} s: {}", found.sentence);
    assert!(
        found.sentence.starts_with("candidate error rate 5 % (") && found.sentence.contains("against stable 1 %"),
        "{}",
        found.sentence
    );
    let rate = found.measurements.iter().find(|one| one.name == "error-rate").expect("measured");
    assert!(rate.samples.is_some() && rate.interval.is_some() && rate.test.is_some() && rate.limit.is_some(), "{rate:?}");
    let (seconds, found) = watched(&settings, 60, |now| Scraped::new(now, (90.0, 0.9), (10.0, 0.1)));
    assert_eq!((seconds, found.verdict), (600, Verdict::Healthy), "{}", found.sentence);
    assert!(
        found.sentence.ends_with("not yet certain after 600 s") || found.sentence.contains("good enough"),
        "{}",
        found.sentence
    );
}

#[test]
fn until_decided_nothing_is_healthy_before_it_is_proven_good() {
    let settings = errors_of_prometheus(r#", "prove": "good""#);
    let mut watching = Watching::new(&settings);
    let mut verdicts = Vec::new();
    for look in 1..=60 {
        let found = watching.look(look * 10, Scraped::new(look * 10, (90.0, 0.9), (10.0, 0.1)));
        verdicts.push(found.verdict);
    }
    let proven = verdicts.iter().position(|verdict| *verdict == Verdict::Healthy).expect("it is proven at last");
    assert!(proven > 1 && verdicts[..proven].iter().all(|verdict| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    assert!(verdicts[proven..].iter().all(|verdict| *verdict == Verdict::Healthy), "{verdicts:?}");
}

#[test]
fn what_prometheus_is_asked_is_one_window_after_the_other_by_its_own_clock() {
    let settings = errors_of_prometheus("");
    let mut watching = Watching::new(&settings);
    let first = Scraped::new(30, (90.0, 0.9), (10.0, 0.1));
    watching.look(30, first.clone());
    let asked = first.asked.lock().expect("no panic").clone();
    let expected = [
        "time()",
        r#"requests{release="v2"}[150s]"#,
        r#"requests{release="v2",code=~"5.."}[150s]"#,
        r#"requests{release="v1"}[150s]"#,
        r#"requests{release="v1",code=~"5.."}[150s]"#,
    ];
    assert_eq!(asked, expected);
    let second = Scraped::new(50, (90.0, 0.9), (10.0, 0.1));
    let found = watching.look(50, second.clone());
    assert_eq!(second.asked.lock().expect("no panic")[1], r#"requests{release="v2"}[140s]"#);
    // 50 seconds at ten a second, all of them counted once.
    let rate = found.measurements.iter().find(|one| one.name == "error-rate").expect("measured");
    assert_eq!(rate.samples, Some(500));
}

#[test]
fn a_failed_look_loses_nothing() {
    let settings = errors_of_prometheus("");
    let mut watching = Watching::new(&settings);
    watching.look(10, Scraped::new(10, (90.0, 0.9), (10.0, 0.1)));
    let down = watching.look(20, Answering::new(20, || Err(Error::Unreachable("refused".to_owned()))));
    assert_eq!((down.verdict, down.sentence.as_str()), (Verdict::Error, "Prometheus does not answer: no connection: refused"));
    let found = watching.look(30, Scraped::new(30, (90.0, 0.9), (10.0, 0.1)));
    let rate = found.measurements.iter().find(|one| one.name == "error-rate").expect("measured");
    assert_eq!(rate.samples, Some(300));
}

#[test]
fn no_data_and_old_data_are_not_healthy() {
    let settings = errors_of_prometheus("");
    let silent = Scraped { candidate_until: Some(10), ..Scraped::new(90, (90.0, 0.9), (10.0, 0.1)) };
    let found = Watching::new(&settings).look(90, silent);
    let sentence = "the candidate's newest sample is 80 s old, at most 60 s are recent";
    assert_eq!((found.verdict, found.sentence.as_str()), (Verdict::Inconclusive, sentence));
    let empty = json!({ "status": "success", "data": { "resultType": "matrix", "result": [] } }).to_string();
    let found = Watching::new(&settings).look(90, Answering::telling_the_time(90, 200, empty));
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.sentence.contains("no data is not healthy"), "{}", found.sentence);
}

/// A Prometheus that knows what time it is and has one answer to everything else; or none at all.
struct Answering {
    now_seconds: i64,
    answer: fn() -> Result<Response, Error>,
    told: Option<Response>,
}

impl Answering {
    fn new(now_seconds: i64, answer: fn() -> Result<Response, Error>) -> Self {
        Self { now_seconds, answer, told: None }
    }

    fn telling_the_time(now_seconds: i64, status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { told: Some(Response::new(status, body)), ..Self::new(now_seconds, || Err(Error::Timeout)) }
    }
}

impl World for Answering {
    fn fetch(&mut self, request: &Request) -> Result<Response, Error> {
        let Some(told) = &self.told else { return (self.answer)() };
        let query = form(std::str::from_utf8(&request.body).expect("a form"), "query");
        let now = json!({ "resultType": "scalar", "result": [0, (self.now_seconds + AHEAD_SECONDS).to_string()] });
        match query.as_str() {
            "time()" => Ok(Response::new(200, json!({ "status": "success", "data": now }).to_string())),
            _ => Ok(told.clone()),
        }
    }

    fn now_ms(&mut self) -> i64 {
        STARTED_MS + self.now_seconds * 1_000
    }
}

#[test]
fn whatever_prometheus_answers_has_a_verdict_and_a_sentence() {
    let check = |status: u16, body: &str, verdict: Verdict, sentence: &str| {
        let found = Watching::new(&errors_of_prometheus("")).look(60, Answering::telling_the_time(60, status, body));
        assert_eq!(found.verdict, verdict, "{body}: {}", found.sentence);
        assert!(found.sentence.contains(sentence), "{body}: {}", found.sentence);
    };
    let matrix = |values: &str| {
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{}},"values":{values}}}]}}}}"#)
    };
    let samples = |last: &str| matrix(&format!(r#"[[{},"1"],[{},"{last}"]]"#, AHEAD_SECONDS - 5, AHEAD_SECONDS + 30));
    check(500, "boom", Verdict::Error, r#"Prometheus answers with status 500: "boom""#);
    check(200, "<html><body>Sign in</body></html>", Verdict::Error, "the answer is HTML");
    check(
        400,
        r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
        Verdict::Error,
        "Prometheus says bad_data: parse error",
    );
    check(
        200,
        r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
        Verdict::Error,
        "gives a vector, expected a selector of series",
    );
    check(200, &samples("NaN"), Verdict::Error, "is NaN, expected a number that is not negative");
    check(200, &samples("+Inf"), Verdict::Error, "is inf, expected a number that is not negative");
    check(200, &samples("-3"), Verdict::Error, "is -3, expected a number that is not negative");
    check(200, &matrix(&format!(r#"[[{},"1"]]"#, AHEAD_SECONDS + 30)), Verdict::Inconclusive, "no data is not healthy");
    check(200, &matrix("[]"), Verdict::Inconclusive, "no data is not healthy");
    let partial = samples("9").replace(r#""status":"success""#, r#""status":"success","warnings":["a store is down"]"#);
    check(200, &partial, Verdict::Error, "Prometheus warns: a store is down");
    let many = vec![r#"{"metric":{},"values":[]}"#; 501].join(",");
    let many = format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{many}]}}}}"#);
    check(200, &many, Verdict::Error, "the query gives 501 series, at most 500 are read; sum them up or select fewer");
    let silent =
        |answer: fn() -> Result<Response, Error>| Watching::new(&errors_of_prometheus("")).look(60, Answering::new(60, answer));
    let slow = silent(|| Err(Error::Timeout));
    assert_eq!((slow.verdict, slow.sentence.as_str()), (Verdict::Error, "Prometheus does not answer: no answer in time"));
    let large = silent(|| Err(Error::TooLarge(4_194_304)));
    assert_eq!(large.sentence, "Prometheus does not answer: the answer is larger than 4194304 bytes");
    let refused = silent(|| Err(Error::Refused("the plugin may not use http".to_owned())));
    assert_eq!(refused.verdict, Verdict::Error);
}

#[test]
fn more_events_than_trials_cannot_be() {
    let world = Scraped::new(60, (90.0, 0.9), (10.0, 11.0));
    let found = Watching::new(&errors_of_prometheus("")).look(60, world);
    assert_eq!(found.verdict, Verdict::Error);
    assert!(found.sentence.starts_with("found 660 events among 600 trials"), "{}", found.sentence);
}

#[test]
fn a_placeholder_that_is_misspelt_is_named() {
    let settings = errors_of_prometheus("").replace("$release", "$relase");
    let found = Watching::new(&settings).look(60, Scraped::new(60, (90.0, 0.9), (10.0, 0.1)));
    assert_eq!(found.verdict, Verdict::Error);
    assert!(found.sentence.starts_with("$relase is not known; known are $service"), "{}", found.sentence);
}

#[test]
fn the_weeks_before_are_asked_where_they_are_the_yardstick() {
    let settings = errors_of_prometheus(r#", "against": { "weeks": 2 }"#).replace(r#"=\"$release"#, r#"=~\"$release"#);
    let world = Scraped::new(30, (90.0, 0.9), (10.0, 0.1));
    Watching::new(&settings).look(30, world.clone());
    let asked = world.asked.lock().expect("no panic").clone();
    let queries: Vec<_> = asked.iter().map(String::as_str).collect();
    let anything = r#"requests{release=~".+"}[150s]"#;
    assert_eq!(queries[1], r#"requests{release=~"v2"}[150s]"#);
    assert_eq!((queries[3], queries[5], queries.len()), (anything, anything, 7));
}

/// Returns a field of a form.
fn form(body: &str, name: &str) -> String {
    let field = body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).expect("the field");
    let mut bytes = Vec::new();
    let mut rest = field.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        match (*first, others) {
            (b'%', [high, low, others @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).expect("digits"), 16).expect("digits"));
                rest = others;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).expect("text")
}
