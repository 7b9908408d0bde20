//! Serving until asked to stop.

use std::convert::Infallible;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use crate::events::Events;
use crate::knobs::Knobs;
use crate::metrics::Metrics;

/// How long requests in flight may take after the service was asked to stop; whoever runs it has a limit of its own.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause after a failed accept: out of file handles, trying at once only burns the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How Prometheus names its text format.
const METRICS_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is answered: a text, or events without an end.
type Answer = Response<Either<Full<Bytes>, Events>>;

struct Service {
    knobs: Knobs,
    started: Instant,
    requests: AtomicU64,
    metrics: Metrics,
}

/// Serves until SIGTERM or SIGINT, then finishes what was begun. Returns early where a knob says so.
pub(crate) async fn run(knobs: Knobs) -> io::Result<ExitCode> {
    let listener = TcpListener::bind(knobs.listen).await?;
    writeln!(io::stdout(), "version {} listens on {}", knobs.version, listener.local_addr()?)?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let crash = crash(knobs.crash_after);
    tokio::pin!(crash);
    let service = Arc::new(Service { knobs, started: Instant::now(), requests: AtomicU64::new(0), metrics: Metrics::default() });
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => serve(stream, service.clone(), &graceful),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            () = &mut crash => return Ok(ExitCode::FAILURE),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    drop(listener);
    // Late requests are cut off by leaving.
    let _ = tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await;
    Ok(ExitCode::SUCCESS)
}

async fn crash(after: Option<Duration>) {
    match after {
        Some(after) => tokio::time::sleep(after).await,
        None => std::future::pending().await,
    }
}

fn serve(stream: TcpStream, service: Arc<Service>, graceful: &GracefulShutdown) {
    // Without it small answers wait for acknowledgements; a failure costs time only.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.answer(&request).await) }
    });
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer);
    // A connection that breaks is the caller's affair.
    drop(tokio::spawn(graceful.watch(connection)));
}

impl Service {
    async fn answer(&self, request: &Request<Incoming>) -> Answer {
        let started = Instant::now();
        let path = request.uri().path();
        let answer = match (request.method(), path) {
            (&Method::GET | &Method::HEAD, "/healthz") => self.healthz(),
            (&Method::GET | &Method::HEAD, "/metrics") => text(METRICS_FORMAT, self.metrics.text()),
            (&Method::GET | &Method::HEAD, "/") => self.hello().await,
            (&Method::GET, "/events") => events(),
            (_, "/" | "/healthz" | "/metrics" | "/events") => {
                json(StatusCode::METHOD_NOT_ALLOWED, &serde_json::json!({ "error": "only GET and HEAD" }))
            }
            (_, path) => json(StatusCode::NOT_FOUND, &serde_json::json!({ "error": format!("there is no {path}") })),
        };
        // What asks how the service does is none of what it does.
        if !matches!(path, "/healthz" | "/metrics") {
            self.metrics.record(answer.status(), started.elapsed());
        }
        answer
    }

    fn healthz(&self) -> Answer {
        match self.started.elapsed() >= self.knobs.ready_after {
            true => json(StatusCode::OK, &serde_json::json!({ "ready": true })),
            false => json(StatusCode::SERVICE_UNAVAILABLE, &serde_json::json!({ "ready": false })),
        }
    }

    async fn hello(&self) -> Answer {
        let number = self.requests.fetch_add(1, Relaxed);
        let fails = self.knobs.fails(number);
        if !self.knobs.delay.is_zero() {
            tokio::time::sleep(self.knobs.delay).await;
        }
        let version = &self.knobs.version;
        if fails && self.knobs.log_errors {
            // Nobody reading standard error is no reason to answer differently.
            let _ = writeln!(io::stderr(), "level=error version={version} request={number} msg=\"told to fail\"");
        }
        match fails {
            true => json(StatusCode::INTERNAL_SERVER_ERROR, &serde_json::json!({ "version": version, "error": "told to fail" })),
            false => json(StatusCode::OK, &serde_json::json!({ "version": version })),
        }
    }
}

fn events() -> Answer {
    let mut answer = Response::new(Either::Right(Events::new()));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer
}

fn json(status: StatusCode, body: &serde_json::Value) -> Answer {
    let mut answer = text("application/json", body.to_string());
    *answer.status_mut() = status;
    answer
}

fn text(content_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(Bytes::from(text))));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
