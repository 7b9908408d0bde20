//! Verdicts over scripted answers.

use std::collections::VecDeque;

use towpath_sdk::health::{Look, Subjects, Verdict, Window};
use towpath_sdk::powers::http::{Error, Request, Response};
use towpath_sdk::testing::conformance::{self, HealthCase};
use towpath_sdk::testing::{World, context, in_world};
use towpath_sdk::{HealthCheck, health};

use super::{HealthHttp, Settings};

/// Answers one after the other; the last one for ever.
struct Script(VecDeque<Result<u16, Error>>);

impl World for Script {
    fn fetch(&mut self, request: &Request) -> Result<Response, Error> {
        assert_eq!(request.url, "http://127.0.0.1:4000/healthz");
        let next = if self.0.len() > 1 { self.0.pop_front() } else { self.0.front().cloned() };
        let status = next.expect("a script has an answer")?;
        Ok(Response { elapsed_ms: 7, ..Response::new(status, "") })
    }
}

fn look(settings: &str, endpoint: Option<&str>) -> Look<Settings> {
    let endpoint = endpoint.map(str::to_owned);
    let candidate = health::Subject { endpoint, basis_points: 500, ..health::Subject::new("v2") };
    Look {
        context: context(settings),
        settings: serde_json::from_str(settings).expect("settings"),
        subjects: Subjects { stable: None, candidate: Some(candidate), public_endpoint: None },
        window: Window { started_ms: 0, ends_ms: 60_000 },
    }
}

fn check(settings: &str, answers: impl IntoIterator<Item = Result<u16, Error>>, verdict: Verdict, sentence: &str) {
    let script = Script(answers.into_iter().collect());
    let look = look(settings, Some("127.0.0.1:4000"));
    let found = in_world(script, || HealthHttp::assess(&look));
    assert_eq!(found.sentence, sentence);
    assert_eq!(found.verdict, verdict);
}

const PATH: &str = r#"{ "path": "/healthz" }"#;

#[test]
fn good_answers_are_healthy() {
    check(PATH, [Ok(204)], Verdict::Healthy, "the candidate answered 3 probes of /healthz as expected");
}

#[test]
fn one_lost_probe_decides_nothing() {
    let sentence = "1 of 3 probes of /healthz on the candidate failed: status 500, expected 200 to 299";
    check(PATH, [Ok(500), Ok(200)], Verdict::Healthy, sentence);
}

#[test]
fn a_place_where_nobody_listens_is_unhealthy() {
    let sentence = "2 of 2 probes of /healthz on the candidate failed: no connection: refused";
    check(PATH, [Err(Error::Unreachable("refused".to_owned()))], Verdict::Unhealthy, sentence);
}

#[test]
fn a_certain_status_can_be_expected() {
    let sentence = "2 of 2 probes of /healthz on the candidate failed: status 200, expected 418";
    check(r#"{ "path": "/healthz", "expectStatus": 418 }"#, [Ok(200)], Verdict::Unhealthy, sentence);
}

#[test]
fn settings_that_could_never_fail_are_an_error() {
    let sentence = "failuresNeeded is 4, expected 1 to 3 (probes)";
    check(r#"{ "path": "/healthz", "failuresNeeded": 4 }"#, [Ok(500)], Verdict::Error, sentence);
}

#[test]
fn no_endpoint_is_not_healthy() {
    let found = HealthHttp::assess(&look(PATH, None));
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert_eq!(found.sentence, "the candidate has no endpoint to probe");
}

/// A service that is well, wherever it is.
struct Well;

impl World for Well {
    fn fetch(&mut self, _: &Request) -> Result<Response, Error> {
        Ok(Response { elapsed_ms: 7, ..Response::new(200, "") })
    }
}

#[test]
fn it_does_what_every_health_check_owes() {
    conformance::health::<HealthHttp>(&HealthCase::new(PATH, || Box::new(Well)));
}
