//! Many hostile calls at once: the neighbour's calls all succeed, who waits too long is told so, and who goes away leaves no trace.

use std::sync::Arc;
use std::time::Duration;

use hostile::{Forge, HEALTHY};
use plugin_host::{CallErrorKind, Grants, Limits, Plugin, PluginHost};
use tokio::task::JoinSet;

use crate::fixture::{PATIENCE, assess_as, host_with};

/// Hostile calls beside the neighbour: twice as many as may run at once.
const HOSTILE_CALLS: usize = 128;

/// The neighbour's calls.
const CALLS: usize = 50;

/// How long each hostile call may take.
const HOSTILE_TIME: Duration = Duration::from_secs(3);

/// Runs a neighbour beside a crowd of hostile calls; all of its calls succeed.
async fn beside(forge: Forge) {
    let host = host_with(Limits { memory_bytes: 32 << 20, ..Limits::default() });
    let neighbour = host.load(&Forge::new(HEALTHY).component()).expect("a plugin");
    let hostile = host.load(&forge.component()).expect("a plugin");
    let mut crowd = JoinSet::new();
    for number in 0..HOSTILE_CALLS {
        let hostile = hostile.clone();
        // Sixteen deployments, as a fleet has them: the crowd's size is bounded by the plugin's turns, not by one deployment's.
        crowd.spawn(async move {
            drop(assess_as(&hostile, &format!("d-{}", number % 16), &Grants::default(), HOSTILE_TIME).await);
        });
    }
    for _ in 0..CALLS {
        assess_as(&neighbour, "neighbour", &Grants::default(), PATIENCE).await.expect("the neighbour's call succeeds");
    }
    crowd.abort_all();
    while crowd.join_next().await.is_some() {}
    assess_as(&neighbour, "neighbour", &Grants::default(), PATIENCE).await.expect("every turn came back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_endless_loops() {
    beside(Forge::new("(loop $again (br $again)) (unreachable)")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_memory_bombs() {
    let body = "(loop $again (drop (memory.grow (i32.const 16))) (memory.fill (i32.const 65536) (i32.const 1) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 65536))) (br $again)) (unreachable)";
    beside(Forge::new(body)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_floods_of_log() {
    let body = "(loop $again (call $line (i32.const 1) (i32.const 0) (i32.const 65536)) (br $again)) (unreachable)";
    beside(Forge::new(body).power("log", "line", "(func $line (param i32 i32 i32))")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_waits_in_the_host() {
    let body = "(loop $again (call $pause (i32.const -1)) (br $again)) (unreachable)";
    beside(Forge::new(body).power("clock", "pause-ms", "(func $pause (param i32))")).await;
}

/// A plugin that waits in the host until its deadline.
fn waiting(host: &PluginHost) -> Plugin {
    let forge =
        Forge::new("(call $pause (i32.const -1)) (i32.const 256)").power("clock", "pause-ms", "(func $pause (param i32))");
    host.load(&forge.component()).expect("a plugin")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_at_once_all_end_and_are_told_why() {
    let host = host_with(Limits { calls_at_once: 8, calls_at_once_per_plugin: 4, ..Limits::default() });
    let hostile = waiting(&host);
    let mut crowd = JoinSet::new();
    for number in 0..10_000 {
        let hostile = hostile.clone();
        crowd.spawn(async move { assess_as(&hostile, &format!("d-{}", number % 4), &Grants::default(), HOSTILE_TIME).await });
    }
    let neighbour = host.load(&Forge::new(HEALTHY).component()).expect("a plugin");
    for _ in 0..CALLS {
        assess_as(&neighbour, "neighbour", &Grants::default(), PATIENCE).await.expect("four turns are left to others");
    }
    let mut crowded = 0;
    while let Some(ended) = crowd.join_next().await {
        match ended.expect("no call panics") {
            Err(error) if matches!(error.kind, CallErrorKind::Busy { .. }) => {
                assert!(!error.outcome_unknown, "it never began");
                crowded += 1;
            }
            Err(error) => assert!(matches!(error.kind, CallErrorKind::Deadline { .. }), "{error:?}"),
            Ok(_) => {}
        }
    }
    assert!(crowded > 9_000, "256 of each of four deployments may wait, the others are told at once: {crowded}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_plugins_that_hang_leave_room_for_a_fourth() {
    let host = host_with(Limits::default());
    let mut crowd = JoinSet::new();
    for plugin in 0..3 {
        // Another function makes another plugin.
        let forge =
            Forge::new("(call $pause (i32.const -1)) (i32.const 256)").fields(&format!("(func (drop (i32.const {plugin})))"));
        let forge = forge.power("clock", "pause-ms", "(func $pause (param i32))");
        let hostile = host.load(&forge.component()).expect("a plugin");
        for number in 0..64 {
            let hostile = hostile.clone();
            crowd.spawn(async move {
                drop(assess_as(&hostile, &format!("d-{number}"), &Grants::default(), PATIENCE).await);
            });
        }
    }
    let neighbour = host.load(&Forge::new(HEALTHY).component()).expect("a plugin");
    for _ in 0..CALLS {
        // It does not wait for those that hang: they do so for longer.
        assess_as(&neighbour, "neighbour", &Grants::default(), PATIENCE / 2).await.expect("the neighbour's call succeeds");
    }
    assert!(crowd.try_join_next().is_none(), "they hang still");
    crowd.abort_all();
}

#[tokio::test]
async fn who_gives_up_ends_the_call_and_frees_its_turn() {
    let host = host_with(Limits { calls_at_once: 2, calls_at_once_per_plugin: 1, ..Limits::default() });
    let hostile = waiting(&host);
    for _ in 0..20 {
        let call = async |time| assess_as(&hostile, "ended", &Grants::default(), time).await;
        // The deployment ends: one call runs, one waits for its turn, and both futures are dropped.
        let both = async { tokio::join!(call(PATIENCE), call(PATIENCE)) };
        tokio::time::timeout(Duration::from_millis(20), both).await.expect_err("neither ends by itself");
    }
    let error = assess_as(&hostile, "next", &Grants::default(), Duration::from_millis(100)).await.err();
    // It had its turn at once: had one been lost, it would have been told that others run.
    assert!(!error.is_some_and(|error| matches!(error.kind, CallErrorKind::Busy { .. })));
}

#[tokio::test]
async fn a_connection_of_a_call_that_is_given_up_is_closed() {
    use tokio::io::AsyncReadExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let host = host_with(Limits::default());
    let hostile = host.load(&Forge::fetch("GET", format!("http://127.0.0.1:{port}/"), &[]).component()).expect("a plugin");
    let grants = crate::fixture::may_ask("127.0.0.1", port, "/", true);
    let call = tokio::spawn(async move { assess_as(&hostile, "ended", &grants, PATIENCE).await });
    let (mut connection, _) = listener.accept().await.expect("the plugin asks");
    let mut request = [0; 1024];
    assert!(connection.read(&mut request).await.expect("a request") > 0);
    call.abort();
    let closed = tokio::time::timeout(PATIENCE, connection.read(&mut request)).await.expect("the connection is closed");
    assert!(!closed.is_ok_and(|bytes| bytes > 0));
}

#[tokio::test]
async fn a_deployment_with_a_thousand_calls_does_not_starve_anothers_single_one() {
    let limits =
        Limits { calls_at_once: 4, calls_at_once_per_plugin: 2, calls_waiting_per_deployment: 1_000, ..Limits::default() };
    let host = host_with(limits);
    let body = "(call $pause (i32.const 20)) (i32.const 256)";
    let slow = Forge::new(body).power("clock", "pause-ms", "(func $pause (param i32))");
    let slow = Arc::new(host.load(&slow.component()).expect("a plugin"));
    let mut crowd = JoinSet::new();
    for _ in 0..1_000 {
        let slow = Arc::clone(&slow);
        crowd.spawn(async move { assess_as(&slow, "greedy", &Grants::default(), PATIENCE).await.map(drop) });
    }
    // Until the crowd stands in line: one of it has ended.
    crowd.join_next().await.expect("there are many").expect("no panic").expect("it has time");
    assess_as(&slow, "modest", &Grants::default(), PATIENCE).await.expect("the same plugin answers another deployment");
    assert!(crowd.len() > 900, "it went before those who stood there: {} are left", crowd.len());
    crowd.abort_all();
}
