//! Telemetry as others send it: by the library of OpenTelemetry for Python, straight and through a collector.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use telemetry::receiver::Admission;
use telemetry::{Filter, Query, Reading};
use tokio::process::{Child, Command};

use crate::rig::{PATIENCE, Rig, until};

/// Measures known numbers and sends them twice: what comes second is in what was sent first as well, where totals are sent.
const MEASURE: &str = r#"
import sys
protocol, endpoint, temporality, token = sys.argv[1:]
from opentelemetry.sdk.metrics import MeterProvider, Counter, Histogram, UpDownCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

wanted = AggregationTemporality[temporality]
preferred = {Counter: wanted, Histogram: wanted}
headers = {"authorization": "Bearer " + token}
if protocol == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from grpc import Compression
    exporter = OTLPMetricExporter(endpoint=endpoint, insecure=True, headers=headers, compression=Compression.Gzip, preferred_temporality=preferred)
else:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter, Compression
    exporter = OTLPMetricExporter(endpoint=endpoint + "/v1/metrics", headers=headers, compression=Compression.Gzip, preferred_temporality=preferred)

resource = Resource.create({"service.name": "web", "deployment.environment.name": "production", "service.version": "v1"})
views = [
    View(instrument_name="sizes", aggregation=ExponentialBucketHistogramAggregation()),
    View(instrument_name="times", aggregation=ExplicitBucketHistogramAggregation(boundaries=(0.1, 0.5, 1.0))),
]
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3600000)
provider = MeterProvider(metric_readers=[reader], resource=resource, views=views)
meter = provider.get_meter("test")
requests, active = meter.create_counter("requests"), meter.create_up_down_counter("active")
times, sizes = meter.create_histogram("times", unit="s"), meter.create_histogram("sizes", unit="By")

def measure(good, bad):
    requests.add(good, {"http.response.status_code": 200})
    if bad:
        requests.add(bad, {"http.response.status_code": 500})
    active.add(2)
    for value in (0.05, 0.25, 0.25, 0.75, 3.0):
        times.record(value, {"http.route": "/cart"})
    for value in (0, 1, 100, 10000):
        sizes.record(value)

measure(40, 0)
assert provider.force_flush(), "the first was not taken"
measure(60, 3)
assert provider.force_flush(), "the second was not taken"
provider.shutdown()
"#;

/// The token that the receiver asks for.
const TOKEN: &str = "abc123";

fn programs() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's folder for tests lies in its target folder");
    let programs = target.join("otlp");
    assert!(programs.join("bin/python").exists(), "the OTLP exporter is not in {}: run `.ci/setup tests`", programs.display());
    programs
}

#[expect(clippy::disallowed_methods, reason = "clients that are real have the real time")]
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("in range")
}

async fn start() -> (Rig, i64) {
    (Rig::start_at(Admission::token(TOKEN), now_ms).await, now_ms())
}

async fn measure(protocol: &str, endpoint: &str, temporality: &str, token: &str) -> std::process::Output {
    let mut python = Command::new(programs().join("bin/python"));
    python.args(["-c", MEASURE, protocol, endpoint, temporality, token]).kill_on_drop(true);
    tokio::time::timeout(PATIENCE, python.output()).await.expect("it ends in time").expect("it runs")
}

fn all(reading: &Reading) -> (u64, f64) {
    reading.windows.iter().fold((0, 0.0), |(count, sum), window| (count + window.count, sum + window.sum))
}

/// Checks that what was measured is what was sent.
fn check(rig: &Rig, begun_ms: i64) {
    assert_eq!(all(&rig.read_from("requests", begun_ms)).0, 103);
    let scope = model::Scope {
        service: model::ServiceName::new("web").expect("a name"),
        environment: model::EnvironmentName::new("production").expect("a name"),
    };
    let attribute = "http.response.status_code".to_owned();
    let filters = vec![Filter { attribute, values: vec!["5*".to_owned()], among: true }];
    let (metric, releases) = ("requests".to_owned(), vec!["v1".to_owned()]);
    let query = Query { metric, releases, filters, from_ms: begun_ms - 60_000, to_ms: begun_ms + 300_000 };
    let errors = rig.telemetry.read(&scope, &query, begun_ms + 300_000).expect("a reading");
    assert_eq!((all(&errors).0, errors.series), (3, 1));
    let times = rig.read_from("times", begun_ms);
    assert_eq!(all(&times), (10, 8.6));
    for window in &times.windows {
        assert_eq!(window.bounds, [0.1, 0.5, 1.0]);
    }
    let counts = (0..4).map(|at| times.windows.iter().map(|window| window.counts[at]).sum::<u64>());
    assert_eq!(counts.collect::<Vec<_>>(), [2, 4, 2, 2]);
    let sizes = rig.read_from("sizes", begun_ms);
    assert_eq!(all(&sizes), (8, 20_202.0));
    let window = &sizes.windows[0];
    let below = |limit: f64| window.bounds.iter().zip(&window.counts).filter(|(bound, _)| **bound < limit).map(|(_, n)| n).sum();
    let within: [u64; 3] = [0.9, 90.0, 9_000.0].map(below);
    let times = window.count / 4;
    assert_eq!(within, [times, 2 * times, 3 * times], "{window:?}");
    let active = rig.read_from("active", begun_ms);
    assert_eq!(active.windows.iter().filter_map(|window| window.max).fold(0.0, f64::max), 4.0, "a level, not a sum");
}

async fn sent_and_taken(protocol: &str, temporality: &str) {
    let (rig, begun_ms) = start().await;
    let sent = measure(protocol, &format!("http://{}", rig.address), temporality, TOKEN).await;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    check(&rig, begun_ms);
    rig.stop().await;
}

#[tokio::test]
async fn totals_of_python_over_grpc_are_understood() {
    sent_and_taken("grpc", "CUMULATIVE").await;
}

#[tokio::test]
async fn differences_of_python_over_grpc_are_understood() {
    sent_and_taken("grpc", "DELTA").await;
}

#[tokio::test]
async fn totals_of_python_over_http_are_understood() {
    sent_and_taken("http", "CUMULATIVE").await;
}

#[tokio::test]
async fn differences_of_python_over_http_are_understood() {
    sent_and_taken("http", "DELTA").await;
}

#[tokio::test]
async fn python_is_told_that_its_token_is_wrong() {
    let (rig, begun_ms) = start().await;
    for (protocol, expect) in [("grpc", "telemetry is taken with the header"), ("http", "401")] {
        let sent = measure(protocol, &format!("http://{}", rig.address), "DELTA", "wrong").await;
        let said = String::from_utf8_lossy(&sent.stderr).into_owned();
        assert!(said.contains(expect), "{protocol}: {said}");
    }
    assert_eq!(rig.read_from("requests", begun_ms).series, 0);
}

/// A collector that passes on what it gets; stopped when dropped.
struct Collector {
    _process: Child,
    endpoint: String,
}

impl Collector {
    async fn start(rig: &Rig) -> Self {
        let found = std::fs::read_dir(programs().join("lib")).expect("a folder").flatten();
        let mut agents = found.map(|python| python.path().join("site-packages/rotel/rotel-agent"));
        let agent = agents.find(|agent| agent.exists()).expect("rotel is there: run `.ci/setup tests`");
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let (grpc, http) = (free(), free());
        let mut command = Command::new(agent);
        command.args(["start", "--otlp-grpc-endpoint", &grpc.to_string(), "--otlp-http-endpoint", &http.to_string()]);
        command.args(["--exporter", "otlp", "--otlp-exporter-endpoint", &format!("http://{}", rig.address)]);
        command.args(["--otlp-exporter-custom-headers", &format!("authorization=Bearer {TOKEN}")]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().expect("it starts");
        until("the collector listens", async || tokio::net::TcpStream::connect(grpc).await.is_ok()).await;
        Self { _process: process, endpoint: format!("http://{grpc}") }
    }
}

#[tokio::test]
async fn totals_that_come_through_a_collector_are_understood() {
    let (rig, begun_ms) = start().await;
    let collector = Collector::start(&rig).await;
    let sent = measure("grpc", &collector.endpoint, "CUMULATIVE", "none").await;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    // It passes on what it gathered for a moment. Looked at by what came, not by what can be read: reading long after would settle it.
    let taken = || rig.telemetry.view().first().map_or(0, |view| view.tally.taken);
    until("the collector passed everything on", async || taken() >= 11).await;
    check(&rig, begun_ms);
    drop(collector);
    rig.stop().await;
}
