//! From a request for metrics to its answer.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use model::{EnvironmentName, Scope, ServiceName};

use crate::control::Directory;
use crate::limits::{METRICS_BYTES_MAX, METRICS_TIMEOUT};
use crate::metrics::{discovery, families};
use crate::scope::Reading;

type Answer = Response<Full<Bytes>>;

/// How Prometheus names its text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// An answer that says no.
#[derive(Debug, PartialEq, Eq)]
struct No(StatusCode, String);

/// What an answer is about: everything, or less.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filter {
    service: Option<ServiceName>,
    environment: Option<EnvironmentName>,
}

/// Answers one request.
pub(crate) async fn answer(directory: &Directory, request: &Request<Incoming>) -> Answer {
    let late = || Err(No(StatusCode::SERVICE_UNAVAILABLE, format!("not read within {} s", METRICS_TIMEOUT.as_secs())));
    let answered = tokio::time::timeout(METRICS_TIMEOUT, route(directory, request)).await.unwrap_or_else(|_| late());
    answered.unwrap_or_else(|No(status, sentence)| {
        let mut answer = whole("text/plain; charset=utf-8", format!("{sentence}\n"));
        *answer.status_mut() = status;
        if status == StatusCode::METHOD_NOT_ALLOWED {
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
        }
        answer
    })
}

async fn route(directory: &Directory, request: &Request<Incoming>) -> Result<Answer, No> {
    let path = request.uri().path();
    if !["/metrics", "/discovery"].contains(&path) {
        return Err(No(StatusCode::NOT_FOUND, format!("there is no {path}; expected /metrics or /discovery")));
    }
    if request.method() != Method::GET {
        return Err(No(StatusCode::METHOD_NOT_ALLOWED, format!("{} is not answered; expected GET", request.method())));
    }
    let filter = Filter::parse(request.uri().query().unwrap_or_default()).map_err(|what| No(StatusCode::BAD_REQUEST, what))?;
    let readings = readings(directory, &filter).await;
    let (content_type, text) = match path {
        "/metrics" => (TEXT_FORMAT, families::write(&readings)),
        _ => ("application/json", discovery::write(&readings)),
    };
    bounded(text).map(|text| whole(content_type, text))
}

async fn readings(directory: &Directory, filter: &Filter) -> Vec<(Scope, Reading)> {
    let mut found = Vec::new();
    for (scope, handle) in directory.all().into_iter().filter(|(scope, _)| filter.fits(scope)) {
        if let Some(reading) = handle.reading().await {
            found.push((scope, reading));
        }
    }
    found
}

fn bounded(text: String) -> Result<String, No> {
    if text.len() <= METRICS_BYTES_MAX {
        return Ok(text);
    }
    let what = format!("the answer has {} bytes; at most {METRICS_BYTES_MAX} are sent", text.len());
    Err(No(StatusCode::SERVICE_UNAVAILABLE, format!("{what}; ask about less with ?environment= and ?service=")))
}

impl Filter {
    /// Reads the parameters of a request. Names need no encoding, so none is undone.
    fn parse(query: &str) -> Result<Self, String> {
        let mut found = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let twice = match key {
                "service" => found.service.replace(ServiceName::new(value).map_err(|e| e.to_string())?).is_some(),
                "environment" => found.environment.replace(EnvironmentName::new(value).map_err(|e| e.to_string())?).is_some(),
                key => return Err(format!("unknown parameter {key:?}; expected service or environment")),
            };
            if twice {
                return Err(format!("{key} is there twice; expected once"));
            }
        }
        Ok(found)
    }

    fn fits(&self, scope: &Scope) -> bool {
        self.service.as_ref().is_none_or(|service| *service == scope.service)
            && self.environment.as_ref().is_none_or(|environment| *environment == scope.environment)
    }
}

fn whole(content_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_make_the_answer_smaller() {
        let scope = Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("prod").unwrap() };
        let check = |query: &str, expect: bool| assert_eq!(Filter::parse(query).unwrap().fits(&scope), expect, "{query}");
        check("", true);
        check("service=web", true);
        check("service=web&environment=prod", true);
        check("environment=test", false);
        check("service=api&environment=prod", false);
    }

    #[test]
    fn wrong_parameters_are_named() {
        let check = |query: &str, expect: &str| {
            let found = Filter::parse(query).unwrap_err();
            assert!(found.contains(expect), "{found}");
        };
        check("services=web", "unknown parameter \"services\"; expected service or environment");
        check("service=", "service name \"\" is not valid");
        check("service=%77eb", "service name \"%77eb\" is not valid");
        check("service=a&service=b", "service is there twice");
    }

    #[test]
    fn an_answer_that_is_too_large_says_how_to_ask() {
        assert_eq!(bounded("x".repeat(METRICS_BYTES_MAX)).map(|text| text.len()), Ok(METRICS_BYTES_MAX));
        let No(status, sentence) = bounded("x".repeat(METRICS_BYTES_MAX + 1)).unwrap_err();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(sentence.starts_with("the answer has 16777217 bytes; at most 16777216 are sent; ask about less"), "{sentence}");
    }
}
