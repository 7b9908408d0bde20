//! A real Prometheus beside the whole product, set up as the example says.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use test_observability::{Prometheus, Target, check_config, http, until};

use crate::rig::{Callers, Rig, announced_metrics, command, wait_for, workspace};

/// The address that stands in the example.
const ADDRESS: &str = "127.0.0.1:8696";

/// Has the runtime pick an address for metrics.
const WATCHED: [&str; 2] = ["--metrics-listen", "127.0.0.1:0"];

fn example() -> PathBuf {
    workspace().join("examples/observability/prometheus.yaml")
}

/// Returns the example with an address of our own and a pace for tests.
fn configuration(address: &str) -> String {
    let text = fs::read_to_string(example()).unwrap();
    assert_eq!(text.matches(ADDRESS).count(), 3, "the command, the router, the discovery");
    text.replace(ADDRESS, address).replace("interval: 5s", "interval: 1s")
}

/// Returns the query that the example's first lines show.
fn shown_query() -> String {
    let text = fs::read_to_string(example()).unwrap();
    let shown = text.lines().filter_map(|line| line.strip_prefix("#     "));
    shown.skip_while(|line| !line.starts_with("sum")).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_example_watches_a_canary_and_its_rollback() {
    assert_eq!(check_config(&example()), Ok(()));
    let mut rig = Rig::start_runtime_with(&WATCHED);
    rig.start_server();
    rig.register();
    rig.release("v1", "");
    rig.release("v2", "ERROR_RATE=0.5");
    let first = rig.deploy("v1");
    let first = rig.wait_for_end(&first);
    assert_eq!(first["phase"], "succeeded");
    let prometheus = Prometheus::start(&configuration(&rig.metrics().to_string()));
    let up = |job: &str, count: f64| {
        prometheus.query_until(&format!("sum(up{{job=\"{job}\"}})"), |found| found.iter().any(|sample| sample.value == count));
    };
    up("towpath", 1.0);
    up("services", 2.0);
    // The same word in metrics as everywhere else.
    let targets = prometheus.targets();
    let releases: Vec<&str> = targets.iter().filter_map(|target| target.labels.get("release")).map(String::as_str).collect();
    assert_eq!(releases, [first["release"].as_str().unwrap(); 2]);

    let callers = Callers::start(first["public_endpoint"].as_str().unwrap(), 4);
    let query = shown_query().replace("\"hello\"", "\"web\"").replace("[1m]", "[5s]");
    prometheus.query_until(&query, |found| found.iter().any(|sample| sample.labels["side"] == "stable" && sample.value == 0.0));
    let second = rig.deploy("v2");
    assert_eq!(rig.wait_for_end(&second)["phase"], "rolled-back");
    // What the candidate did is kept after it went.
    let failed = prometheus.query_until("sum(towpath_router_errors_total{side=\"candidate\"})", |found| {
        found.iter().any(|sample| sample.value > 0.0)
    });
    assert!(failed[0].value >= 1.0, "{failed:?}");
    callers.stop();
    until("only the good side is scraped", || {
        let side = |target: &Target| target.labels.get("side").cloned();
        let sides: Vec<String> = prometheus.targets().iter().filter_map(side).collect();
        (sides == ["stable", "stable"]).then_some(())
    });
}

#[test]
fn up_says_where_metrics_are_read_for_as_long_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["up", "--listen", "127.0.0.1:0", WATCHED[0], WATCHED[1], "--otlp-endpoint", "http://127.0.0.1:4318"];
    let mut up = command(folder.path(), &arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let address = wait_for("the address for metrics", || announced_metrics(&data));
    assert_eq!(http::get(address, "/discovery").body, "[]");
    wait_for("the server's announcement", || data.join("server.json").exists().then_some(()));
    kill(Pid::from_raw(i32::try_from(up.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert!(up.wait().unwrap().success());
    assert!(!data.join("metrics.json").exists());
    assert!(http::try_get(address, "/metrics").is_err());
}

#[test]
fn an_address_for_metrics_that_is_taken_is_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = command(folder.path(), &["runtime", "--metrics-listen", &address]).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    let expect =
        format!("error[TP0302]: the runtime cannot start: cannot listen on {address} for metrics: Address already in use");
    assert!(!ended.status.success() && said.contains(&expect), "{said}");
    assert!(said.contains("hint: choose another address with --metrics-listen HOST:PORT"), "{said}");
}
