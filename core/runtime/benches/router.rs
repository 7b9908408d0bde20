//! What the router costs: the same service, called directly and through its public port, in one run.
//!
//! `cargo bench -p runtime` prints one line per way: requests per second and the latency that half, 99 % and 99.9 % of the requests
//! stayed below. Callers ask one after the other on a kept connection each, so that latency and throughput belong together.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use model::{EnvironmentName, Scope, ServiceName};
use runtime::client::Client;
use runtime::protocol::{DesiredState, Group, Readiness, Status, Traffic};
use runtime::{Options, Runtime};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long each way is measured.
const TIME: Duration = Duration::from_secs(3);

/// How long each way runs before it is measured, so that connections and pools are there.
const WARM_UP: Duration = Duration::from_millis(500);

/// How many callers there are at once: alone, and more than the machine has processors.
const CALLERS: [usize; 2] = [1, 16];

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let options = Options::new(&dir.path().join("data"), &dir.path().join("artifacts"));
    let running = Runtime::start(options.clone()).await?;
    let status = deploy(&options).await?;
    let direct = &status.groups[0].endpoints[0];
    let routed = status.public_endpoint.as_ref().ok_or("the public port is not open")?;
    let mut out = io::stdout();
    writeln!(out, "{:<8} {:>8} {:>12} {:>9} {:>9} {:>9}", "way", "callers", "requests/s", "p50 us", "p99 us", "p99.9 us")?;
    for callers in CALLERS {
        for (way, endpoint) in [("direct", direct), ("routed", routed)] {
            measure(endpoint, callers, WARM_UP).await?;
            let latencies = measure(endpoint, callers, TIME).await?;
            let per_second = latencies.len() as f64 / TIME.as_secs_f64();
            let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
            let (p50, p99, p999) = (at(0.5), at(0.99), at(0.999));
            writeln!(out, "{way:<8} {callers:>8} {per_second:>12.0} {p50:>9} {p99:>9} {p999:>9}")?;
        }
    }
    running.shutdown().await;
    Ok(())
}

/// Brings up one instance of the test service.
async fn deploy(options: &Options) -> Result<Status, Failure> {
    let source = tempfile::tempdir()?;
    fs::write(source.path().join("version"), "v1")?;
    let digest = artifact::Store::open(&options.artifacts_dir)?.import(source.path())?.digest;
    let group = Group {
        release: "v1".to_owned(),
        artifact_digest: digest.to_string(),
        command: vec![env!("CARGO_BIN_EXE_runtime-test-service").to_owned(), "v1".to_owned()],
        env: BTreeMap::new(),
        instances: 1,
        readiness: Readiness { path: "/healthz".to_owned(), interval_ms: 1000, timeout_ms: 1000, successes: 1 },
        stop_timeout_ms: 1000,
    };
    let traffic =
        Traffic { candidate_basis_points: 0, matches: vec![], mirror_basis_points: 0, sticky: None, release_header: false };
    let desired = DesiredState {
        fence: 1,
        operation_key: "bench".to_owned(),
        port: 0,
        stable: Some(group),
        candidate: None,
        traffic: Some(traffic),
        drain_timeout_ms: 1000,
    };
    let scope = Scope { service: ServiceName::new("bench")?, environment: EnvironmentName::new("bench")? };
    let client = Client::new(&options.control_socket);
    loop {
        let status = client.apply(&scope, &desired).await?;
        if status.converged {
            return Ok(status);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Asks for a time and returns every latency in microseconds, the shortest first.
async fn measure(endpoint: &str, callers: usize, time: Duration) -> Result<Vec<u128>, Failure> {
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        tasks.spawn(call(endpoint.to_owned(), time));
    }
    let mut all = Vec::new();
    while let Some(latencies) = tasks.join_next().await {
        all.extend(latencies??);
    }
    all.sort_unstable();
    Ok(all)
}

async fn call(endpoint: String, time: Duration) -> Result<Vec<u128>, Failure> {
    let stream = TcpStream::connect(&endpoint).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (begin, mut latencies) = (now(), Vec::new());
    while begin.elapsed() < time {
        sender.ready().await?;
        let asked = now();
        let answer = sender.send_request(Request::get("/").header("host", "bench").body(Empty::<Bytes>::new())?).await?;
        if !answer.status().is_success() {
            return Err(format!("answered with {}", answer.status()).into());
        }
        answer.into_body().collect().await?;
        latencies.push(asked.elapsed().as_micros());
    }
    Ok(latencies)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}
