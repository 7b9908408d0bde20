//! What the runtime's tests deploy: answers with its version and with what it was asked, and misbehaves where its arguments say so.

use std::convert::Infallible;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Requests that were copies.
static MIRRORED: AtomicUsize = AtomicUsize::new(0);

/// Requests that were begun, probes and questions like this one not counted.
static BEGUN: AtomicUsize = AtomicUsize::new(0);

/// How this copy behaves.
#[derive(Clone, Debug, Default)]
struct Behaviour {
    version: String,
    /// Exits right away.
    crash: bool,
    /// Answers everything but the probe with 500.
    fail: bool,
    /// Waits before it answers.
    delay: Duration,
    /// Never becomes ready.
    unready: bool,
    /// Ignores SIGTERM.
    stubborn: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if let Some(code) = play_runtime().await {
        return code;
    }
    let behaviour = behaviour();
    if behaviour.crash {
        return ExitCode::from(7);
    }
    let Some(port) = variable("PORT").and_then(|port| port.parse::<u16>().ok()) else { return ExitCode::from(8) };
    let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await else { return ExitCode::from(9) };
    write_line(&format!("version {} listens on {port}", behaviour.version));
    let Ok(mut stop) = signal(SignalKind::terminate()) else { return ExitCode::from(10) };
    let (closing, closed) = watch::channel(());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let behaviour = behaviour.clone();
                let service = service_fn(move |request| {
                    let behaviour = behaviour.clone();
                    async move { Ok::<_, Infallible>(answer(&behaviour, request).await) }
                });
                let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
                let mut closed = closed.clone();
                tokio::spawn(async move {
                    let mut connection = pin!(connection.with_upgrades());
                    let open = tokio::select! {
                        _ = connection.as_mut() => false,
                        _ = closed.changed() => true,
                    };
                    if open {
                        connection.as_mut().graceful_shutdown();
                        let _ = connection.await;
                    }
                });
            }
            _ = stop.recv(), if !behaviour.stubborn => break,
        }
    }
    drop((listener, closed));
    let _ = closing.send(());
    // Every connection holds a receiver; the last one takes the process with it.
    closing.closed().await;
    ExitCode::SUCCESS
}

/// With `runtime <data folder> <artifacts folder>`: is a runtime and not a service, so that a test can kill one.
async fn play_runtime() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, word, data, artifacts] = arguments.as_slice() else { return None };
    if word != "runtime" {
        return None;
    }
    match runtime::Runtime::start(runtime::Options::new(data.as_ref(), artifacts.as_ref())).await {
        Ok(_running) => std::future::pending().await,
        Err(error) => {
            write_line(&error.to_string());
            Some(ExitCode::FAILURE)
        }
    }
}

fn behaviour() -> Behaviour {
    let mut arguments = std::env::args().skip(1);
    let mut behaviour = Behaviour { version: arguments.next().unwrap_or_default(), ..Behaviour::default() };
    for argument in arguments {
        match argument.as_str() {
            "crash" => behaviour.crash = true,
            "fail" => behaviour.fail = true,
            "unready" => behaviour.unready = true,
            "stubborn" => behaviour.stubborn = true,
            other => {
                behaviour.delay = Duration::from_millis(other.strip_prefix("delay=").and_then(|ms| ms.parse().ok()).unwrap_or(0))
            }
        }
    }
    behaviour
}

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

async fn answer(behaviour: &Behaviour, mut request: Request<Incoming>) -> Answer {
    match request.uri().path() {
        "/healthz" if behaviour.unready => return text(StatusCode::SERVICE_UNAVAILABLE, "not yet"),
        "/healthz" => return text(StatusCode::OK, "ok"),
        "/begun" => return text(StatusCode::OK, &BEGUN.load(Relaxed).to_string()),
        "/mirrored" => return text(StatusCode::OK, &MIRRORED.load(Relaxed).to_string()),
        _ => drop(BEGUN.fetch_add(1, Relaxed)),
    }
    if request.headers().contains_key("x-towpath-mirror") {
        MIRRORED.fetch_add(1, Relaxed);
    }
    if !behaviour.delay.is_zero() {
        tokio::time::sleep(behaviour.delay).await;
    }
    if behaviour.fail {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "told to fail");
    }
    match request.uri().path() {
        "/exit" => std::process::exit(3),
        "/pid" => text(StatusCode::OK, &std::process::id().to_string()),
        "/echo" => Response::new(request.into_body().boxed()),
        "/head" => text(StatusCode::OK, &format!("{:?}", request.headers())),
        "/environment" => text(StatusCode::OK, &environment()),
        "/switch" => {
            tokio::spawn(shout(hyper::upgrade::on(&mut request)));
            let mut answer = text(StatusCode::SWITCHING_PROTOCOLS, "");
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("shout"));
            answer
        }
        _ => {
            // Reads what it was sent, so that the connection can be used again.
            while !request.body().is_end_stream() {
                if request.body_mut().frame().await.is_none() {
                    break;
                }
            }
            text(StatusCode::OK, &behaviour.version)
        }
    }
}

/// The other protocol: every byte comes back as a capital letter.
async fn shout(upgrade: hyper::upgrade::OnUpgrade) {
    let Ok(stream) = upgrade.await else { return };
    let mut stream = TokioIo::new(stream);
    let mut bytes = [0; 256];
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        if stream.write_all(&bytes[..count].to_ascii_uppercase()).await.is_err() {
            return;
        }
    }
}

fn text(status: StatusCode, text: &str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text.to_owned())).map_err(|never| match never {}).boxed());
    *answer.status_mut() = status;
    answer
}

fn environment() -> String {
    let mut names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    names.sort();
    names.join(",")
}

#[expect(clippy::disallowed_methods, reason = "a service is told its port by its environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn write_line(line: &str) {
    use std::io::Write;
    // A closed log is no reason to stop serving.
    let _ = writeln!(std::io::stdout(), "{line}");
}
