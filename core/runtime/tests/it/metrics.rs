//! What can be read over TCP, as any client sees it.

use std::collections::BTreeSet;

use http::Method;
use runtime::protocol::Group;
use serde_json::{Value, json};
use test_observability::{check_metrics, http as client};

use crate::stage::{Caller, Stage, weight};

/// Asks for what is ready.
fn discovered(stage: &Stage, query: &str) -> Value {
    let answer = client::get(stage.metrics(), &format!("/discovery{query}"));
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"), "{}", answer.body);
    answer.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_instances_are_discovered_with_the_side_that_they_have_now() {
    let mut stage = Stage::watched().await;
    assert_eq!(discovered(&stage, ""), json!([]));
    let v1 = Group { instances: 2, ..stage.release("v1", &[]) };
    let (v2, unready) = (stage.release("v2", &[]), stage.release("v3", &["unready"]));
    let status = stage.bring(Some(&v1), Some(&v2), weight(100)).await;
    // Which number an instance has depends on whose folder was read first.
    let all = discovered(&stage, "");
    let numbers: Vec<String> = (0..3).map(|n| all[n]["labels"]["instance"].as_str().unwrap().to_owned()).collect();
    assert_eq!(BTreeSet::from_iter(&numbers), BTreeSet::from_iter(&["1", "2", "3"].map(str::to_owned)));
    let target = |group: usize, at: usize, side: &str| {
        let (release, instance) = (&status.groups[group].release, &numbers[2 * group + at]);
        json!({
            "targets": [status.groups[group].endpoints[at]],
            "labels": { "service": "web", "environment": "test", "release": release, "side": side, "instance": instance },
        })
    };
    assert_eq!(all, json!([target(0, 0, "stable"), target(0, 1, "stable"), target(1, 0, "candidate")]));
    assert_eq!(discovered(&stage, "?service=web&environment=test"), all);
    assert_eq!(discovered(&stage, "?service=api"), json!([]));
    // The candidate becomes stable: the process is the same, its side another one.
    stage.bring(Some(&v2), None, weight(0)).await;
    assert_eq!(discovered(&stage, ""), json!([target(1, 0, "stable")]));
    let desired = stage.next(Some(&v2), Some(&unready), weight(0));
    stage.apply(&desired).await.unwrap();
    stage.status_when(|status| status.groups[1].last_error.is_some()).await;
    assert_eq!(discovered(&stage, ""), json!([target(1, 0, "stable")]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_keep_prometheus_rules_and_a_request_counts_where_it_went() {
    let mut stage = Stage::watched().await;
    let (v1, v2) = (stage.hello("v1", &[]), stage.hello("v2", &[("ERROR_RATE", "1")]));
    let status = stage.bring(Some(&v1), Some(&v2), weight(10_000)).await;
    let mut caller = Caller::connect(status.public_endpoint.as_ref().unwrap()).await;
    for _ in 0..3 {
        assert_eq!(caller.get("/").await.0, 500);
    }
    let metrics = stage.metrics();
    let read = || {
        let answer = client::get(metrics, "/metrics");
        assert_eq!(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
        check_metrics(&answer.body).unwrap();
        answer.body
    };
    let line = |name: &str, release: &str, side: &str, value: u32| {
        format!("{name}{{service=\"web\",environment=\"test\",release=\"{release}\",side=\"{side}\"}} {value}")
    };
    let has = |text: &str, line: &str| assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    let text = read();
    has(&text, &line("towpath_router_requests_total", "v1", "stable", 0));
    has(&text, &line("towpath_router_errors_total", "v2", "candidate", 3));
    has(&text, &line("towpath_instances_ready", "v2", "candidate", 1));
    has(&text, "towpath_router_candidate_ratio{service=\"web\",environment=\"test\"} 1");
    let hello = client::get(status.groups[1].endpoints[0].parse().unwrap(), "/metrics");
    check_metrics(&hello.body).unwrap();
    stage.bring(Some(&v2), None, weight(0)).await;
    caller.get("/").await;
    let text = read();
    has(&text, &line("towpath_router_errors_total", "v2", "candidate", 3));
    has(&text, &line("towpath_router_errors_total", "v2", "stable", 1));
    has(&text, &line("towpath_instances_ready", "v2", "stable", 1));
    // What went lately is still shown, and its instances are not.
    has(&text, &line("towpath_router_requests_total", "v1", "stable", 0));
    assert!(!text.contains("towpath_instances_ready{service=\"web\",environment=\"test\",release=\"v1\""), "{text}");
    assert_eq!(stage.status().await.counters.stable.unwrap().requests, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_answered_is_a_sentence() {
    let stage = Stage::watched().await;
    let check = |method: Method, target: &str, status: u16, expect: &str| {
        let answer = client::ask(stage.metrics(), method, target, &[], Vec::new()).unwrap();
        assert_eq!((answer.status, answer.body.trim_end()), (status, expect), "{target}");
    };
    check(Method::GET, "/", 404, "there is no /; expected /metrics or /discovery");
    check(Method::PUT, "/v1/scopes/test/web", 404, "there is no /v1/scopes/test/web; expected /metrics or /discovery");
    check(Method::POST, "/metrics", 405, "POST is not answered; expected GET");
    check(Method::GET, "/metrics?job=a", 400, "unknown parameter \"job\"; expected service or environment");
    let long = format!("/metrics?service={}", "a".repeat(20_000));
    assert_eq!(client::ask(stage.metrics(), Method::GET, &long, &[], Vec::new()).unwrap().status, 431);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_can_read_unless_an_address_was_named_and_one_that_is_taken_ends_the_start() {
    let mut stage = Stage::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listener = tokio::net::TcpListener::bind(taken).await.unwrap();
    stage.shutdown().await;
    let options = runtime::Options { metrics_listen: Some(taken), ..stage.options() };
    let error = runtime::Runtime::start(options).await.err().unwrap();
    assert_eq!(error.to_string(), format!("cannot listen on {taken} for metrics"));
    drop(listener);
    let running = runtime::Runtime::start(stage.options()).await.unwrap();
    assert_eq!(running.metrics_address(), None);
    running.shutdown().await;
}
