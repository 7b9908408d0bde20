//! What a component costs in each language: its size, to compile, to load once it is compiled, to call, and in memory.
//!
//! Prints a table and ends with status 1 when a budget is exceeded.
#![expect(clippy::print_stdout, reason = "a benchmark's table is its output")]

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plugin_host::{CallContext, Evidence, Grants, Options, Plugin, PluginHost, Subjects, Window};
use test_plugins::Workshop;

/// Calls that are counted.
const CALLS: usize = 300;

/// Loads that are counted.
const LOADS: usize = 10;

/// The budget of a load of a component that was compiled before, whatever its language: a server starts with all of them.
const LOAD_MAX: Duration = Duration::from_millis(100);

/// The budget of a call at the median, whatever its language.
const CALL_MAX: Duration = Duration::from_millis(50);

/// What is measured: a name, its component, and how it is asked.
struct Subject {
    name: &'static str,
    component: Vec<u8>,
    ask: Ask,
}

#[derive(Clone, Copy)]
enum Ask {
    /// Over one small report.
    Gate { kind: &'static str, content: &'static str },
    /// Without anybody to probe: what is measured is the language, not a network.
    Health,
}

/// What was measured.
struct Row {
    bytes: usize,
    compile: Duration,
    load: Duration,
    first: Duration,
    call: Duration,
    call_p99: Duration,
    code_kib: u64,
    call_kib: u64,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!(
        "{:<30} {:>9} {:>10} {:>9} {:>10} {:>10} {:>10} {:>9} {:>9}",
        "plugin", "size", "compile", "load", "first", "call p50", "call p99", "code", "call mem"
    );
    let mut met = true;
    for subject in subjects() {
        let row = runtime.block_on(measure(&subject));
        met &= row.load <= LOAD_MAX && row.call <= CALL_MAX;
        println!(
            "{:<30} {:>6} KB {:>7} ms {:>6.1} ms {:>7.2} ms {:>7.2} ms {:>7.2} ms {:>6.1} MB {:>6.1} MB",
            subject.name,
            row.bytes / 1000,
            row.compile.as_millis(),
            millis(row.load),
            millis(row.first),
            millis(row.call),
            millis(row.call_p99),
            row.code_kib as f64 / 1024.0,
            row.call_kib as f64 / 1024.0,
        );
    }
    println!("{} (load {LOAD_MAX:?}, call p50 {CALL_MAX:?})", if met { "within budget" } else { "over budget" });
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn subjects() -> Vec<Subject> {
    let workshop = Workshop::at(env!("CARGO_TARGET_TMPDIR"));
    let bundled =
        |name: &str| bundled_plugins::all().iter().find(|one| one.name == name).expect("it is carried").component.to_vec();
    let junit = Ask::Gate { kind: "junit", content: "<testsuite><testcase name=\"a\"/></testsuite>" };
    let lcov = Ask::Gate { kind: "lcov", content: "SF:a.js\nLF:10\nLH:9\nend_of_record\n" };
    vec![
        Subject { name: "gate-junit (Rust)", component: bundled("gate-junit"), ask: junit },
        Subject { name: "gate-coverage-js (JavaScript)", component: workshop.example("gate-coverage-js"), ask: lcov },
        Subject { name: "health-http (Rust)", component: bundled("health-http"), ask: Ask::Health },
        Subject { name: "health-latency-py (Python)", component: workshop.example("health-latency-py"), ask: Ask::Health },
    ]
}

async fn measure(subject: &Subject) -> Row {
    let folder = tempfile::tempdir().expect("a folder");
    let host = || PluginHost::new(Options { cache_dir: Some(folder.path().to_owned()), ..Options::default() }).expect("a host");
    let begun = now();
    drop(host().load(&subject.component).expect("a plugin"));
    let compile = begun.elapsed();

    let host = host();
    let mut loads: Vec<_> = (0..LOADS).map(|_| timed(|| drop(host.load(&subject.component).expect("a plugin")))).collect();
    loads.sort_unstable();
    let before = resident_kib("VmRSS");
    let plugin = host.load(&subject.component).expect("a plugin");
    let first = ask(&plugin, subject.ask).await;
    let code_kib = resident_kib("VmRSS").saturating_sub(before);

    let mut calls = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        calls.push(ask(&plugin, subject.ask).await);
    }
    calls.sort_unstable();
    let before = resident_kib("VmRSS");
    // The kernel forgets the highest mark, so that the next one is that of the call.
    fs::write("/proc/self/clear_refs", "5").expect("the kernel takes it");
    ask(&plugin, subject.ask).await;
    let call_kib = resident_kib("VmHWM").saturating_sub(before);
    Row {
        bytes: subject.component.len(),
        compile,
        load: loads[LOADS / 2],
        first,
        call: calls[CALLS / 2],
        call_p99: calls[CALLS * 99 / 100],
        code_kib,
        call_kib,
    }
}

/// Asks once, in a fresh sandbox, and returns how long it took.
async fn ask(plugin: &Plugin, ask: Ask) -> Duration {
    let (context, grants) = (context(), Grants::default());
    let begun = now();
    match ask {
        Ask::Gate { kind, content } => {
            let evidence = Evidence {
                kind: kind.to_owned(),
                name: "unit".to_owned(),
                media_type: String::new(),
                digest: String::new(),
                content: content.as_bytes().to_vec(),
            };
            let called = plugin.evaluate(&context, &[evidence], &grants).await.expect("an answer");
            assert_eq!(called.answer.verdict, plugin_host::GateVerdict::Pass, "{}", called.answer.sentence);
        }
        Ask::Health => {
            let called = plugin.assess(&context, &Subjects::default(), &Window::default(), &grants).await.expect("an answer");
            assert_eq!(called.answer.verdict, plugin_host::HealthVerdict::Inconclusive, "{}", called.answer.sentence);
        }
    }
    begun.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "deadlines are absolute")]
fn context() -> CallContext {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + Duration::from_secs(60);
    CallContext {
        settings: "{}".to_owned(),
        deadline_ms: i64::try_from(deadline.as_millis()).expect("our age"),
        ..CallContext::default()
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = now();
    work();
    begun.elapsed()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Returns a line of this process's status, in KiB.
fn resident_kib(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel says it");
    let found = status.lines().find_map(|said| said.strip_prefix(line)?.strip_prefix(':')?.split_whitespace().next());
    found.and_then(|kib| kib.parse().ok()).expect("a number")
}
