//! The world that a plugin is put into: the SDK's own worlds, behind a server on this machine, the host's backends and real programs.
//!
//! What a plugin finds here is what it finds in its own tests, so both say the same of it. Faults happen in whatever the plugin asks.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use plugin_host::Grants;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use towpath_sdk::powers::http;
use towpath_sdk::testing::World as _;
use towpath_sdk::testing::worlds::{Documents, Fault, Faulty as _, Runtime, Scripted};

use super::programs::Programs;
use super::script::scripted;
use super::{Keeper, WorldForm};

/// Where documents are.
const DOCUMENTS: &str = "/documents/";

/// The largest body of a request.
const BODY_BYTES_MAX: usize = 4 << 20;

/// The world. It ends when dropped.
pub(super) struct World {
    address: String,
    stage: Stage,
    programs: Programs,
    serving: JoinHandle<()>,
}

/// What stands in the world, for all who answer in its name.
#[derive(Clone)]
pub(super) struct Stage(Arc<Mutex<State>>);

struct State {
    kept: Kept,
    script: Scripted,
    fault: Fault,
    started_ms: i64,
}

/// What keeps what is written.
#[derive(Clone)]
pub(super) enum Kept {
    Documents(Documents),
    Runtime(Runtime),
}

impl Kept {
    fn new(keeper: Keeper) -> Self {
        match keeper {
            Keeper::Documents => Self::Documents(Documents::new()),
            Keeper::Runtime => Self::Runtime(Runtime::new()),
        }
    }
}

impl World {
    /// Starts a world with nothing in it, for a watch that began at this instant.
    pub(super) async fn start(started_ms: i64) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (kept, script) = (Kept::new(Keeper::Documents), Scripted::new());
        let stage = Stage(Arc::new(Mutex::new(State { kept, script, fault: Fault::None, started_ms })));
        let serving = tokio::spawn(serve(listener, stage.clone()));
        Ok(Self { address, stage, programs: Programs::new()?, serving })
    }

    /// Returns where it is: `host:port`.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Returns what answers in its name.
    pub(super) fn stage(&self) -> Stage {
        self.stage.clone()
    }

    /// Begins anew: nothing is kept, no faults, these answers.
    pub(super) fn reset(&self, keeper: Keeper, form: &WorldForm) {
        let mut state = self.stage.lock();
        let script = scripted(form, state.started_ms);
        *state = State { kept: Kept::new(keeper), script, fault: Fault::None, started_ms: state.started_ms };
        drop(state);
        self.programs.reset(&form.commands);
    }

    /// Returns the grants of its programs.
    pub(super) fn program_grants(&self) -> Grants {
        self.programs.grants()
    }

    /// Has this fault happen from now on.
    pub(super) fn set_fault(&self, fault: Fault) {
        let mut state = self.stage.lock();
        state.fault = fault;
        match &state.kept {
            Kept::Documents(documents) => documents.set_fault(fault),
            Kept::Runtime(runtime) => runtime.set_fault(fault),
        }
        drop(state);
        self.programs.set_silent(fault == Fault::Silent);
    }

    /// Returns whether the last fault is over: an answer was lost, a write is held back, or all writes were used up.
    pub(super) fn fault_happened(&self) -> bool {
        match self.stage.kept() {
            Kept::Documents(documents) => documents.fault_happened(),
            Kept::Runtime(runtime) => runtime.fault_happened(),
        }
    }

    /// Does the write that was held back, as a network does that delivers late.
    pub(super) fn deliver(&self) {
        match self.stage.kept() {
            Kept::Documents(documents) => documents.deliver(),
            Kept::Runtime(runtime) => runtime.deliver(),
        }
    }

    /// Forgets all that was written, as if somebody had removed what ran.
    pub(super) fn forget(&self) {
        match self.stage.kept() {
            Kept::Documents(documents) => documents.forget(),
            Kept::Runtime(runtime) => runtime.forget(),
        }
    }

    /// Returns what was written, as it stands.
    pub(super) fn kept(&self) -> BTreeMap<String, Vec<u8>> {
        match self.stage.kept() {
            Kept::Documents(documents) => documents.documents(),
            Kept::Runtime(runtime) => {
                let desired = runtime.desired().as_ref().map(Value::to_string);
                desired.map(|desired| ("desired".to_owned(), desired.into_bytes())).into_iter().collect()
            }
        }
    }

    /// Returns how often something was written.
    pub(super) fn writes(&self) -> u64 {
        match self.stage.kept() {
            Kept::Documents(documents) => documents.writes(),
            Kept::Runtime(runtime) => runtime.writes(),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what keeps what is written.
    pub(super) fn kept(&self) -> Kept {
        self.lock().kept.clone()
    }

    /// Returns what was written down to be answered.
    pub(super) fn script(&self) -> Scripted {
        self.lock().script.clone()
    }

    /// Waits for ever where nothing answers.
    pub(super) async fn unless_silent(&self) {
        if self.lock().fault == Fault::Silent {
            std::future::pending::<Infallible>().await;
        }
    }

    fn fetch(&self, request: &http::Request, path: &str) -> Result<http::Response, http::Error> {
        match self.kept() {
            Kept::Documents(mut documents) if path.starts_with(DOCUMENTS) => documents.fetch(request),
            Kept::Documents(_) | Kept::Runtime(_) => self.script().fetch(request),
        }
    }
}

async fn serve(listener: TcpListener, stage: Stage) {
    // Connections end with the world: they are held by this task.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let stage = stage.clone();
        let service = hyper::service::service_fn(move |request| answer(stage.clone(), request));
        connections.spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service));
        while connections.try_join_next().is_some() {}
    }
}

/// An answer that never comes is an error: the connection is closed without a word.
async fn answer(stage: Stage, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, LostAnswer> {
    stage.unless_silent().await;
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map(|body| body.to_bytes());
    let Ok(body) = body else { return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE)) };
    let text = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let asked = http::Request {
        headers: parts.headers.iter().filter_map(text).collect(),
        ..http::Request::new(parts.method.as_str(), format!("http://world{path}")).body(body.to_vec())
    };
    match stage.fetch(&asked, &path) {
        Ok(answered) => Ok(response(answered)),
        Err(_) => Err(LostAnswer),
    }
}

/// The answer is lost.
#[derive(Debug, thiserror::Error)]
#[error("the world loses this answer")]
struct LostAnswer;

fn response(answered: http::Response) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(answered.body));
    *response.status_mut() = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answered.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<hyper::header::HeaderName>(), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
