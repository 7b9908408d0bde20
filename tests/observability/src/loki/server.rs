//! The double as a server.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;

use crate::http;
use crate::loki::answers::{self, Said};
use crate::loki::store::Store;

/// The largest body of a request.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// A double of Loki. Stopped when dropped.
pub struct LokiDouble {
    address: SocketAddr,
    shared: Arc<Shared>,
    // Dropped, it ends the server's thread.
    _stop: oneshot::Sender<()>,
}

/// What it does instead of answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Says this to whoever asks, whatever they ask: a status, a content type, a body.
    Says(u16, &'static str, String),
    /// Takes connections and says nothing.
    Hangs,
}

#[derive(Default)]
struct Shared {
    store: Mutex<Store>,
    fault: Mutex<Option<Fault>>,
}

impl LokiDouble {
    /// Starts one on a free loopback port.
    ///
    /// # Panics
    ///
    /// When there is no port or no thread to be had.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("our own socket");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (stop, stopped) = oneshot::channel();
        let shared: Arc<Shared> = Arc::default();
        let served = shared.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            // With the runtime go all its connections.
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, shared, _stop: stop }
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL that Loki's API is under.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Pushes lines to a stream through the API, each with its time in nanoseconds since 1970.
    ///
    /// # Panics
    ///
    /// When they are refused.
    pub fn push(&self, labels: &[(&str, &str)], lines: &[(i64, &str)]) {
        let stream: serde_json::Map<String, serde_json::Value> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let values: Vec<[String; 2]> = lines.iter().map(|(at, line)| [at.to_string(), (*line).to_owned()]).collect();
        let body = serde_json::json!({ "streams": [{ "stream": stream, "values": values }] }).to_string();
        let answer = http::post(self.address, "/loki/api/v1/push", "application/json", &body);
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    /// Has it do something else than answering, or answer again.
    pub fn set_fault(&self, fault: Option<Fault>) {
        *lock(&self.shared.fault) = fault;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket that does not block");
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        let service = service_fn(move |request| {
            let shared = shared.clone();
            async move { Ok::<_, Infallible>(answer(&shared, request).await) }
        });
        // A connection that breaks is the caller's affair.
        drop(tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service)));
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let fault = lock(&shared.fault).clone();
    match fault {
        Some(Fault::Hangs) => std::future::pending().await,
        Some(Fault::Says(status, content_type, body)) => whole(status, content_type, body),
        None => {
            let (parts, body) = request.into_parts();
            let body = Limited::new(body, REQUEST_BYTES_MAX).collect().await.map(|body| body.to_bytes());
            let (status, said) = match body {
                Ok(body) => route(shared, &parts, &body),
                Err(error) => (413, error.to_string()),
            };
            let content_type =
                if status == 200 && said.starts_with('{') { "application/json" } else { "text/plain; charset=utf-8" };
            whole(status, content_type, said)
        }
    }
}

fn route(shared: &Shared, parts: &::http::request::Parts, body: &Bytes) -> Said {
    // Parameters of a POST stand in its body, as a form.
    let form = String::from_utf8_lossy(body);
    let asked = if parts.method == Method::POST { &*form } else { parts.uri.query().unwrap_or_default() };
    let header = |name| text(&parts.headers, name);
    match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/ready") => (200, "ready\n".to_owned()),
        (&Method::POST, "/loki/api/v1/push") => {
            answers::push(&mut lock(&shared.store), header(CONTENT_TYPE), header(CONTENT_ENCODING), body)
        }
        (&Method::GET | &Method::POST, "/loki/api/v1/query_range") => answers::query_range(&lock(&shared.store), asked),
        (&Method::GET | &Method::POST, "/loki/api/v1/query") => answers::query(&lock(&shared.store), asked),
        (method, path) => (404, format!("this double of Loki has no {method} {path}")),
    }
}

fn text(headers: &HeaderMap, name: ::http::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn whole(status: u16, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status of three digits");
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
