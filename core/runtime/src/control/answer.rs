//! From a control request to its answer.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use model::{EnvironmentName, Scope, ServiceName};
use serde::Serialize;

use crate::control::check::check;
use crate::control::server::Directory;
use crate::limits::{CONTROL_BODY_BYTES_MAX, CONTROL_TIMEOUT, LOG_LINES_DEFAULT, LOG_LINES_MAX, SCOPES_MAX};
use crate::protocol::{Conflict, DesiredState, Health, LogQuery, Logs, Refusal, ScopeSummary, Scopes, Side, Superseded};
use crate::scope::{ApplyError, ScopeHandle};
use crate::supervise::logs;

type Answer = Response<Full<Bytes>>;

/// An answer that says no.
struct No(StatusCode, String);

/// Answers one control request.
pub(crate) async fn answer(directory: &Directory, request: Request<Incoming>) -> Answer {
    let late = || Err(No(StatusCode::SERVICE_UNAVAILABLE, format!("not done within {} s", CONTROL_TIMEOUT.as_secs())));
    let answered = tokio::time::timeout(CONTROL_TIMEOUT, route(directory, request)).await;
    answered.unwrap_or_else(|_| late()).unwrap_or_else(|No(status, error)| json(status, &Refusal { error }))
}

async fn route(directory: &Directory, request: Request<Incoming>) -> Result<Answer, No> {
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (request.method(), parts.as_slice()) {
        (&Method::GET, ["v1", "health"]) => Ok(health(directory)),
        (&Method::GET, ["v1", "scopes"]) => Ok(scopes(directory).await),
        (&Method::GET, ["v1", "scopes", environment, service]) => status(directory, &scope(environment, service)?).await,
        (&Method::PUT, ["v1", "scopes", environment, service]) => {
            let scope = scope(environment, service)?;
            apply(directory, &scope, request.into_body()).await
        }
        (&Method::GET, ["v1", "scopes", environment, service, "logs"]) => {
            let scope = scope(environment, service)?;
            log_lines(directory, &scope, request.uri().query().unwrap_or_default()).await
        }
        (method, _) => Err(No(StatusCode::NOT_FOUND, format!("there is no {method} {path}"))),
    }
}

fn scope(environment: &str, service: &str) -> Result<Scope, No> {
    let invalid = |error: model::InvalidName| No(StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    Ok(Scope {
        service: ServiceName::new(service).map_err(invalid)?,
        environment: EnvironmentName::new(environment).map_err(invalid)?,
    })
}

fn health(directory: &Directory) -> Answer {
    let scopes = u32::try_from(directory.all().len()).unwrap_or(u32::MAX);
    json(StatusCode::OK, &Health { pid: std::process::id(), scopes })
}

async fn scopes(directory: &Directory) -> Answer {
    let mut scopes = Vec::new();
    for (scope, handle) in directory.all() {
        if let Some(status) = handle.status().await {
            scopes.push(ScopeSummary {
                environment: scope.environment.to_string(),
                service: scope.service.to_string(),
                fence: status.fence,
                converged: status.converged,
                public_endpoint: status.public_endpoint,
            });
        }
    }
    json(StatusCode::OK, &Scopes { scopes })
}

async fn apply(directory: &Directory, scope: &Scope, body: Incoming) -> Result<Answer, No> {
    let invalid = |error: String| No(StatusCode::UNPROCESSABLE_ENTITY, error);
    let body = Limited::new(body, CONTROL_BODY_BYTES_MAX).collect().await;
    let body = body.map_err(|_| invalid(format!("the body is not complete or has more than {CONTROL_BODY_BYTES_MAX} bytes")))?;
    let desired: DesiredState = serde_json::from_slice(&body.to_bytes()).map_err(|e| invalid(e.to_string()))?;
    check(&desired).map_err(invalid)?;
    let too_many = || No(StatusCode::SERVICE_UNAVAILABLE, format!("this runtime carries {SCOPES_MAX} services already"));
    let handle = directory.find_or_start(scope).ok_or_else(too_many)?;
    match handle.apply(desired).await {
        Ok(status) => Ok(json(StatusCode::OK, &status)),
        Err(ApplyError::Superseded { highest }) => {
            Ok(json(StatusCode::CONFLICT, &Conflict { superseded: Superseded { highest_fence: highest } }))
        }
        Err(error @ ApplyError::OtherContent { .. }) => Err(invalid(error.to_string())),
        Err(error @ (ApplyError::Port { .. } | ApplyError::Store(_) | ApplyError::ShuttingDown)) => {
            Err(No(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))
        }
    }
}

async fn status(directory: &Directory, scope: &Scope) -> Result<Answer, No> {
    let status = match directory.find(scope) {
        Some(handle) => handle.status().await,
        None => None,
    };
    status.map(|status| json(StatusCode::OK, &status)).ok_or_else(|| unknown(scope))
}

async fn log_lines(directory: &Directory, scope: &Scope, query: &str) -> Result<Answer, No> {
    let query = parse_query(query).map_err(|error| No(StatusCode::UNPROCESSABLE_ENTITY, error))?;
    let handle = directory.find(scope).ok_or_else(|| unknown(scope))?;
    let releases = releases(&handle, &query).await.ok_or_else(|| unknown(scope))?;
    let lines = query.lines.unwrap_or(LOG_LINES_DEFAULT);
    let folder = handle.logs().clone();
    let read = tokio::task::spawn_blocking(move || logs::recent(&folder, &releases, lines)).await;
    let failed = |error: String| No(StatusCode::SERVICE_UNAVAILABLE, format!("cannot read the log: {error}"));
    let lines = read.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))?;
    Ok(json(StatusCode::OK, &Logs { lines }))
}

async fn releases(handle: &ScopeHandle, query: &LogQuery) -> Option<Vec<String>> {
    if let Some(release) = &query.release {
        return Some(vec![release.clone()]);
    }
    let groups = handle.status().await?.groups.into_iter();
    Some(groups.filter(|g| query.side.is_none_or(|side| side == g.side)).map(|g| g.release).collect())
}

fn parse_query(query: &str) -> Result<LogQuery, String> {
    let mut found = LogQuery::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (key, value) {
            ("release", value) => found.release = Some(model::ReleaseId::new(value).map_err(|e| e.to_string())?.to_string()),
            ("side", "stable") => found.side = Some(Side::Stable),
            ("side", "candidate") => found.side = Some(Side::Candidate),
            ("side", value) => return Err(format!("side is {value:?}; expected stable or candidate")),
            ("lines", value) => {
                let lines = value.parse().ok().filter(|lines| (1..=LOG_LINES_MAX).contains(lines));
                found.lines = Some(lines.ok_or_else(|| format!("lines is {value:?}; expected 1 to {LOG_LINES_MAX}"))?);
            }
            (key, _) => return Err(format!("unknown parameter {key:?}; expected release, side or lines")),
        }
    }
    Ok(found)
}

fn unknown(scope: &Scope) -> No {
    No(StatusCode::NOT_FOUND, format!("nothing was ever asked for {scope}"))
}

fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    // Only maps with keys that are no texts cannot be written, and the protocol has none.
    let (status, text) = match serde_json::to_vec(body) {
        Ok(text) => (status, text),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    };
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_queries() {
        let found = parse_query("side=candidate&lines=7").unwrap();
        assert_eq!((found.side, found.lines), (Some(Side::Candidate), Some(7)));
        assert_eq!(parse_query("release=v1:a/b").unwrap().release.as_deref(), Some("v1:a/b"));
        let check = |query: &str, expect: &str| {
            let found = parse_query(query).unwrap_err();
            assert!(found.contains(expect), "{found}");
        };
        check("lines=0", "lines is \"0\"; expected 1 to 1000");
        check("side=left", "expected stable or candidate");
        check("page=2", "unknown parameter \"page\"");
    }
}
