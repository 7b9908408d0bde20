//! Verdicts over answers of a candidate that is not there.

use towpath_sdk::health::{HealthCheck, Look, Subject, Subjects, Verdict, Window};
use towpath_sdk::powers::http;
use towpath_sdk::testing::{World, context, in_world};

use super::{Plugin, Settings};

/// A world in which every request gets the same answer.
struct Answering(Result<u16, http::Error>);

impl World for Answering {
    fn fetch(&mut self, request: &http::Request) -> Result<http::Response, http::Error> {
        assert_eq!(request.url, "http://127.0.0.1:8080/healthz");
        let status = self.0.clone()?;
        Ok(http::Response::new(status, ""))
    }
}

/// A look at a candidate that is reached there.
fn look(endpoint: Option<&str>) -> Look<Settings> {
    let candidate = Subject { endpoint: endpoint.map(str::to_owned), basis_points: 1000, ..Subject::new("v2") };
    Look {
        context: context("{}"),
        settings: Settings { path: "/healthz".to_owned() },
        subjects: Subjects { stable: None, candidate: Some(candidate), public_endpoint: None },
        window: Window { started_ms: 0, ends_ms: 60_000 },
    }
}

fn check(endpoint: Option<&str>, answer: Result<u16, http::Error>, verdict: Verdict, sentence: &str) {
    let found = in_world(Answering(answer), || Plugin::assess(&look(endpoint)));
    assert_eq!(found.sentence, sentence);
    assert_eq!(format!("{:?}", found.verdict), format!("{verdict:?}"));
}

#[test]
fn the_status_decides() {
    let endpoint = Some("127.0.0.1:8080");
    check(endpoint, Ok(200), Verdict::Healthy, "the candidate answers");
    check(endpoint, Ok(503), Verdict::Unhealthy, "the candidate answers with status 503");
    check(endpoint, Err(http::Error::Timeout), Verdict::Unhealthy, "no answer in time");
}

#[test]
fn no_data_is_not_healthy() {
    check(None, Ok(200), Verdict::Inconclusive, "the candidate has no endpoint");
}
