//! Talking to a runtime: one connection per request over its control socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use model::Scope;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::limits::CONTROL_TIMEOUT;
use crate::protocol::{Conflict, DesiredState, Health, LogLine, LogQuery, Logs, Refusal, ScopeSummary, Scopes, Status};

/// The largest answer that is read: a thousand log lines of the largest size fit.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How much longer than the runtime itself we wait, so that its own sentence about being late arrives.
const PATIENCE: Duration = Duration::from_secs(5);

/// Talks to one runtime. Cheap to clone; holds no connection.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// Why the runtime did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers: the runtime does not run, or its socket is elsewhere.
    #[error("cannot reach the runtime at {socket}")]
    Unreachable {
        /// The control socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer desired state was seen; this one must not be tried again.
    #[error("superseded: the runtime has seen fence {highest_fence}")]
    Superseded {
        /// Its fence.
        highest_fence: u64,
    },
    /// The request makes no sense to the runtime; trying again does not help.
    #[error("the runtime refused: {reason}")]
    Refused {
        /// Its sentence.
        reason: String,
    },
    /// The request is fine and the machine is in the way (port in use, disk full); nothing was changed, trying again may help.
    #[error("the runtime cannot do it now: {reason}")]
    Unavailable {
        /// Its sentence.
        reason: String,
    },
    /// The connection broke or took too long: whether the request was carried out is unknown.
    #[error("no answer from the runtime: {reason}")]
    Unknown {
        /// What happened.
        reason: String,
    },
}

impl Client {
    /// Returns a client for the runtime with that control socket. Connects with the first request.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// Returns the control socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Replaces the desired state of a scope and returns what runs right after. Safe to repeat.
    pub async fn apply(&self, scope: &Scope, desired: &DesiredState) -> Result<Status, ClientError> {
        let body = serde_json::to_vec(desired).map_err(|e| ClientError::Refused { reason: e.to_string() })?;
        self.apply_json(scope, body).await
    }

    /// The same with a desired state that was written elsewhere; the runtime checks it.
    pub async fn apply_json(&self, scope: &Scope, desired: Vec<u8>) -> Result<Status, ClientError> {
        let (status, body) = self.ask(Method::PUT, &path(scope), desired).await?;
        match status {
            StatusCode::OK => parse(&body),
            StatusCode::CONFLICT => {
                let conflict: Conflict = parse(&body)?;
                Err(ClientError::Superseded { highest_fence: conflict.superseded.highest_fence })
            }
            status => Err(refusal(status, &body)),
        }
    }

    /// Returns what runs, or `None` when nothing was ever asked for.
    pub async fn status(&self, scope: &Scope) -> Result<Option<Status>, ClientError> {
        match self.ask(Method::GET, &path(scope), Vec::new()).await? {
            (StatusCode::OK, body) => parse(&body).map(Some),
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, body) => Err(refusal(status, &body)),
        }
    }

    /// Returns what services wrote lately, oldest first.
    pub async fn logs(&self, scope: &Scope, query: &LogQuery) -> Result<Vec<LogLine>, ClientError> {
        let mut pairs = Vec::new();
        pairs.extend(query.release.as_ref().map(|release| format!("release={release}")));
        pairs.extend(query.side.map(|side| format!("side={}", side.word())));
        pairs.extend(query.lines.map(|lines| format!("lines={lines}")));
        let logs: Logs = self.get(&format!("{}/logs?{}", path(scope), pairs.join("&"))).await?;
        Ok(logs.lines)
    }

    /// Returns every scope the runtime was ever told about.
    pub async fn list(&self) -> Result<Vec<ScopeSummary>, ClientError> {
        self.get::<Scopes>("/v1/scopes").await.map(|found| found.scopes)
    }

    /// Returns that the runtime is there.
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.get("/v1/health").await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        match self.ask(Method::GET, path, Vec::new()).await? {
            (StatusCode::OK, body) => parse(&body),
            (status, body) => Err(refusal(status, &body)),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> Result<(StatusCode, Bytes), ClientError> {
        let patience = CONTROL_TIMEOUT + PATIENCE;
        let late = |_| unknown(format!("not within {} s", patience.as_secs()));
        tokio::time::timeout(patience, self.exchange(method, path, body)).await.map_err(late)?
    }

    async fn exchange(&self, method: Method, path: &str, body: Vec<u8>) -> Result<(StatusCode, Bytes), ClientError> {
        let unreachable = |source| ClientError::Unreachable { socket: self.socket.clone(), source };
        let stream = UnixStream::connect(&self.socket).await.map_err(unreachable)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(unknown)?;
        let driver = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "runtime")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| ClientError::Refused { reason: e.to_string() })?;
        let answer = sender.send_request(request).await.map_err(unknown)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(unknown)?.to_bytes();
        driver.abort();
        Ok((status, body))
    }
}

fn path(scope: &Scope) -> String {
    format!("/v1/scopes/{}/{}", scope.environment, scope.service)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| unknown(format!("the answer cannot be read: {error}")))
}

fn unknown(reason: impl ToString) -> ClientError {
    ClientError::Unknown { reason: reason.to_string() }
}

fn refusal(status: StatusCode, body: &[u8]) -> ClientError {
    let reason = serde_json::from_slice::<Refusal>(body).map_or_else(|_| format!("status {status}"), |refusal| refusal.error);
    match status.is_server_error() {
        true => ClientError::Unavailable { reason },
        false => ClientError::Refused { reason },
    }
}
