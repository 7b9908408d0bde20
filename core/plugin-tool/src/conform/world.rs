//! The world that a plugin is put into: a server on this machine, with documents, scripted answers and faults.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH, IF_NONE_MATCH};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::ScriptedAnswer;

/// Where documents are.
const DOCUMENTS: &str = "/documents/";

/// The largest document.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;

/// The world. It ends when dropped.
pub(super) struct World {
    address: String,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

/// What the world does to requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It never answers.
    Silent,
    /// It does what it is told, once, and the answer is lost.
    LoseOneAnswer,
    /// It does this many writes more, and then fails.
    FailAfter(u32),
    /// It does this many writes more and holds the next one back, unanswered, until it is delivered.
    HoldAfter(u32),
}

/// A write that is held back.
struct Held {
    name: String,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Default)]
struct State {
    documents: BTreeMap<String, (u64, Vec<u8>)>,
    answers: Vec<ScriptedAnswer>,
    fault: Fault,
    held: Option<Held>,
    writes: u64,
}

impl World {
    /// Starts a world with nothing in it.
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Ok(Self { address, state, serving })
    }

    /// Returns where it is: `host:port`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Begins anew: no documents, no faults, these answers.
    pub(super) fn reset(&self, answers: &[ScriptedAnswer]) {
        *lock(&self.state) = State { answers: answers.to_vec(), ..State::default() };
    }

    /// Has this fault happen from now on.
    pub(super) fn set_fault(&self, fault: Fault) {
        lock(&self.state).fault = fault;
    }

    /// Returns whether the last fault is over: an answer was lost, a write is held back, or all writes were used up.
    pub(super) fn fault_happened(&self) -> bool {
        matches!(lock(&self.state).fault, Fault::None | Fault::FailAfter(0))
    }

    /// Does the write that was held back, as a network does that delivers late.
    pub(super) fn deliver(&self) {
        let mut state = lock(&self.state);
        if let Some(Held { name, method, headers, body }) = state.held.take() {
            state.document(&name, &method, &headers, &body);
        }
    }

    /// Forgets all documents, as if somebody had removed what ran.
    pub(super) fn forget(&self) {
        lock(&self.state).documents.clear();
    }

    /// Returns the documents as they stand.
    pub(super) fn documents(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.state).documents.iter().map(|(name, (_, content))| (name.clone(), content.clone())).collect()
    }

    /// Returns how often something was written.
    pub(super) fn writes(&self) -> u64 {
        lock(&self.state).writes
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    // Connections end with the world: they are held by this task.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = hyper::service::service_fn(move |request| answer(Arc::clone(&state), request));
        connections.spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service));
        while connections.try_join_next().is_some() {}
    }
}

/// An answer that never comes is an error: the connection is closed without a word.
async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, LostAnswer> {
    if lock(&state).fault == Fault::Silent {
        std::future::pending::<Infallible>().await;
    }
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = Limited::new(body, DOCUMENT_BYTES_MAX).collect().await.map(|body| body.to_bytes());
    let Ok(body) = body else { return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE)) };
    let mut state = lock(&state);
    let Some(name) = path.strip_prefix(DOCUMENTS) else { return Ok(scripted(&state.answers, &path)) };
    let writes = parts.method != Method::GET && parts.method != Method::HEAD;
    match &mut state.fault {
        Fault::FailAfter(0) if writes => return Ok(plain(StatusCode::SERVICE_UNAVAILABLE)),
        Fault::HoldAfter(0) if writes => {
            state.fault = Fault::None;
            state.held = Some(Held { name: name.to_owned(), method: parts.method, headers: parts.headers, body });
            return Err(LostAnswer);
        }
        Fault::FailAfter(left) | Fault::HoldAfter(left) if writes => *left -= 1,
        Fault::FailAfter(_) | Fault::HoldAfter(_) | Fault::None | Fault::Silent | Fault::LoseOneAnswer => {}
    }
    let answer = state.document(name, &parts.method, &parts.headers, &body);
    if writes && state.fault == Fault::LoseOneAnswer {
        state.fault = Fault::None;
        return Err(LostAnswer);
    }
    Ok(answer)
}

/// The answer is lost.
#[derive(Debug, thiserror::Error)]
#[error("the world loses this answer")]
struct LostAnswer;

impl State {
    fn document(&mut self, name: &str, method: &Method, headers: &HeaderMap, body: &[u8]) -> Response<Full<Bytes>> {
        let version = self.documents.get(name).map(|(version, _)| format!("\"{version}\""));
        let said = |header| headers.get(header).and_then(|value: &hyper::header::HeaderValue| value.to_str().ok());
        let unmet_match = said(IF_MATCH).is_some_and(|wanted| wanted != "*" && Some(wanted) != version.as_deref());
        let unmet_none = said(IF_NONE_MATCH).is_some() && version.is_some();
        match *method {
            Method::GET | Method::HEAD => match self.documents.get(name) {
                Some((number, content)) => versioned(StatusCode::OK, *number, content),
                None => plain(StatusCode::NOT_FOUND),
            },
            Method::PUT | Method::POST | Method::DELETE if unmet_match || unmet_none => plain(StatusCode::PRECONDITION_FAILED),
            Method::PUT | Method::POST => {
                self.writes += 1;
                self.documents.insert(name.to_owned(), (self.writes, body.to_vec()));
                versioned(StatusCode::OK, self.writes, body)
            }
            Method::DELETE => {
                self.writes += 1;
                let there = self.documents.remove(name).is_some();
                plain(if there { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
            }
            _ => plain(StatusCode::METHOD_NOT_ALLOWED),
        }
    }
}

fn scripted(answers: &[ScriptedAnswer], path: &str) -> Response<Full<Bytes>> {
    let Some(found) = answers.iter().find(|answer| answer.path == "*" || answer.path == path) else {
        return plain(StatusCode::NOT_FOUND);
    };
    let mut response = Response::new(Full::from(found.body.clone()));
    *response.status_mut() = StatusCode::from_u16(found.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(media_type) = found.media_type.parse() {
        response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    response
}

fn versioned(status: StatusCode, version: u64, content: &[u8]) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(content.to_vec()));
    *response.status_mut() = status;
    let tag = format!("\"{version}\"").parse().expect("BUG: digits in quotes are a header's value");
    response.headers_mut().insert(ETAG, tag);
    response
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
