//! What a verdict costs in the sandbox, beside the same code without one: checks that ship, over ten thousand points.
//!
//! Prints a table and writes it into `core/verdict/BENCH.md`, below what the statistics cost by themselves.
#![expect(clippy::print_stdout, reason = "a benchmark's table is its output")]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use health_prometheus::HealthPrometheus;
use plugin_host::{
    CallContext, Grants, HealthVerdict, Options, Plugin, PluginHost, RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeScope,
    Subject, Subjects, Window,
};
use serde_json::{Value, json};
use towpath_sdk::HealthCheck;
use towpath_sdk::health::{Assessment, Look, Verdict};
use towpath_sdk::powers::http;
use towpath_sdk::testing::{World, context, in_world};

/// Points of each side.
const POINTS: usize = 10_000;

/// Calls that are counted, and before counting begins.
const CALLS: usize = 50;

/// How old the watch is: older than its range.
const AGE_MS: i64 = 20_000_000;

/// The heading of what is written.
const HEADING: &str = "## Cost in the sandbox";

fn main() {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    std::thread::spawn(move || serve(&server));
    let url = format!("http://127.0.0.1:{port}");
    let metric = |more: Value| {
        let mut metric =
            json!({ "name": "errors", "query": "errors{release=\"$release\"}", "success": "candidate < 1.5 * stable" });
        more.as_object().expect("an object").iter().for_each(|(key, value)| metric[key] = value.clone());
        json!({ "url": url, "metrics": [metric] }).to_string()
    };
    let instant = metric(json!({}));
    let range = metric(json!({ "range": { "over": "9999s", "step": "1s", "take": "p95" } }));
    let ranks = json!({
        "prometheus": { "url": url },
        "kayenta": {
            "metrics": [{ "name": "errors", "values": { "prometheus": "errors{release=\"$release\"}" } }],
            "stepSeconds": 2,
        },
    })
    .to_string();
    let traffic = json!({ "worseThanStable": {} }).to_string();
    let (prometheus, size, compiled) = plugin("health-prometheus");
    let (judge, ..) = plugin("health-judge");
    let (counters, ..) = plugin("health-traffic");
    let grants = grants(port);
    let look = |plugin: &Plugin, settings: &str| {
        median(|| assert_eq!(threads.block_on(sandboxed(plugin, settings, &grants)), HealthVerdict::Healthy))
    };
    let native = |settings: &str| median(|| assert_eq!(natively(settings).verdict, Verdict::Healthy));
    let rows = [
        Row("`health-prometheus`, one number of each side".to_owned(), Some(native(&instant)), look(&prometheus, &instant)),
        Row(
            format!("`health-prometheus`, the percentile of a range of {POINTS} points of each side"),
            Some(native(&range)),
            look(&prometheus, &range),
        ),
        Row(format!("`health-judge`, ranks of {POINTS} points of each side by Kayenta's rules"), None, look(&judge, &ranks)),
        Row(
            format!("`health-traffic`, {POINTS} requests of each side, a limit and the sequential test"),
            None,
            look(&counters, &traffic),
        ),
    ];
    let table = table(&rows, size, compiled);
    println!("{table}");
    write(&table);
}

/// Returns a check of ours, the size of its component in bytes, and how long it took to compile.
fn plugin(name: &str) -> (Plugin, usize, Duration) {
    let component = bundled_plugins::all().iter().find(|bundled| bundled.name == name).expect("it is carried").component;
    let host = PluginHost::new(Options { runtime: Some(Arc::new(Counters)), ..Options::default() }).expect("a host");
    let begun = now();
    let plugin = host.load(component).expect("a plugin");
    (plugin, component.len(), begun.elapsed())
}

/// One kind of look: its name, and the medians without and with the sandbox. Two checks cannot be in one native program: they export the
/// same names.
struct Row(String, Option<Duration>, Duration);

fn grants(port: u16) -> Grants {
    let rule = json!({ "scheme": "http", "host": "127.0.0.1", "port": port, "methods": ["POST"], "private": true });
    serde_json::from_value(json!({ "runtime": true, "http": { "allow": [rule] } })).expect("grants")
}

fn natively(settings: &str) -> Assessment {
    use towpath_sdk::health::{Subject, Subjects, Window};
    let now = unix_ms();
    let mut context = context(settings);
    context.deadline_ms = now + 60_000;
    let side = |release: &str| Some(Subject { basis_points: 5_000, ..Subject::new(release) });
    let look = Look {
        context,
        settings: serde_json::from_str(settings).expect("settings"),
        subjects: Subjects { stable: side("v1"), candidate: side("v2"), public_endpoint: None },
        window: Window { started_ms: now - AGE_MS, ends_ms: now },
    };
    in_world(Directly, || HealthPrometheus::assess(&look))
}

async fn sandboxed(plugin: &Plugin, settings: &str, grants: &Grants) -> HealthVerdict {
    let now = unix_ms();
    let side = |release: &str| Some(Subject { release: release.to_owned(), basis_points: 5_000, ..Subject::default() });
    let subjects = Subjects { stable: side("v1"), candidate: side("v2"), ..Subjects::default() };
    let window = Window { started_ms: now - AGE_MS, ends_ms: now };
    let context = CallContext { settings: settings.to_owned(), deadline_ms: now + 60_000, ..CallContext::default() };
    plugin.assess(&context, &subjects, &window, grants).await.expect("an answer").answer.verdict
}

/// Answers without a network.
struct Directly;

impl World for Directly {
    fn fetch(&mut self, request: &http::Request) -> Result<http::Response, http::Error> {
        let is_range = request.url.ends_with("query_range");
        Ok(http::Response::new(200, answer(is_range, request.body.starts_with(b"query=time%28%29"))))
    }

    fn now_ms(&mut self) -> i64 {
        unix_ms()
    }
}

/// A runtime that counted.
struct Counters;

#[async_trait]
impl RuntimeBackend for Counters {
    async fn apply(&self, _: &RuntimeScope, desired: Value) -> Result<Value, RuntimeFault> {
        Ok(desired)
    }

    async fn status(&self, _: &RuntimeScope) -> Result<Option<Value>, RuntimeFault> {
        Ok(Some(status()))
    }

    async fn logs(&self, _: &RuntimeScope, _: &str, _: u32) -> Result<Vec<RuntimeLogLine>, RuntimeFault> {
        Ok(Vec::new())
    }
}

fn status() -> Value {
    let latency = json!({ "buckets": [{ "leMs": 10, "count": POINTS }], "count": POINTS, "sumMs": 300.0 });
    let of = |release: &str| json!({ "release": release, "sinceUnixMs": unix_ms(), "requests": POINTS, "errors": POINTS / 1_000, "latency": latency });
    json!({ "counters": { "stable": of("v1"), "candidate": of("v2"), "unserved": 0 } })
}

/// What Prometheus answers: a range, the time, or one number.
fn answer(is_range: bool, is_time: bool) -> Vec<u8> {
    static RANGE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let seconds = unix_ms() as f64 / 1_000.0;
    match (is_range, is_time) {
        (true, _) => RANGE.get_or_init(|| matrix(seconds).into_bytes()).clone(),
        (false, true) => {
            json!({ "status": "success", "data": { "resultType": "scalar", "result": [seconds, "1"] } }).to_string().into_bytes()
        }
        (false, false) => {
            let sample = json!({ "metric": {}, "value": [seconds, "0.0123456"] });
            json!({ "status": "success", "data": { "resultType": "vector", "result": [sample] } }).to_string().into_bytes()
        }
    }
}

fn matrix(seconds: f64) -> String {
    let points: Vec<_> =
        (0..POINTS).map(|place| json!([seconds + place as f64, format!("0.0{}", place * 7_919 % POINTS)])).collect();
    json!({ "status": "success", "data": { "resultType": "matrix", "result": [{ "metric": {}, "values": points }] } }).to_string()
}

fn serve(listener: &TcpListener) {
    for connection in listener.incoming().flatten() {
        // A client that goes away early is its own affair.
        let _ = serve_one(connection);
    }
}

fn serve_one(mut connection: TcpStream) -> std::io::Result<()> {
    let (mut request, mut part) = (Vec::new(), [0; 8_192]);
    // The form is small and the last thing that comes.
    while !request.windows(8).any(|text| text == b"timeout=") {
        match connection.read(&mut part)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&part[..read]),
        }
    }
    let contains = |text: &[u8]| request.windows(text.len()).any(|part| part == text);
    let body = answer(contains(b"query_range"), contains(b"query=time%28%29"));
    write!(connection, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    connection.write_all(&body)
}

fn median(mut work: impl FnMut()) -> Duration {
    (0..CALLS / 5).for_each(|_| work());
    let mut times: Vec<Duration> = (0..CALLS)
        .map(|_| {
            let begun = now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[CALLS / 2]
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "deadlines and watches are absolute")]
fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("our age")
}

fn table(rows: &[Row], size: usize, compiled: Duration) -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("not known");
    let build = if cfg!(debug_assertions) { "a debug build" } else { "a release build" };
    let mut text = format!(
        "{HEADING}\n\nWritten by `cargo bench -p plugin-host --bench verdicts`: a whole look, median of {CALLS}, in {build}, at a load of {load}. Native: the same check, its answers \
         given directly. In the sandbox: a fresh instance for each look, and Prometheus over a loopback connection for each question.\n\
         `health-prometheus` has {:.2} MB, most of it CEL, and is compiled once in {:.1} s.\n\n| Look | native | in the sandbox |\n|---|---|---|\n",
        size as f64 / 1e6,
        compiled.as_secs_f64(),
    );
    for Row(name, native, sandboxed) in rows {
        let ms = |time: &Duration| time.as_secs_f64() * 1_000.0;
        let native = native.as_ref().map_or_else(|| "–".to_owned(), |time| format!("{:.2} ms", ms(time)));
        writeln!(text, "| {name} | {native} | {:.2} ms |", ms(sandboxed)).expect("a text takes text");
    }
    text
}

/// Puts the table in the place of the last one.
fn write(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../verdict/BENCH.md");
    let whole = std::fs::read_to_string(&path).unwrap_or_default();
    let before = whole.split(HEADING).next().unwrap_or_default().trim_end();
    std::fs::write(&path, format!("{before}\n\n{table}")).expect("BENCH.md is written");
}
