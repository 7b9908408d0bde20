//! Weights, and the way of a release from candidate to stable, under load.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use runtime::protocol::Group;

use crate::stage::{Caller, Load, Stage, weight};

/// Sends 2000 requests over eight kept connections and returns how many each release answered.
async fn two_thousand(callers: &mut [Caller]) -> BTreeMap<String, usize> {
    let each = 2000 / callers.len();
    let answers = callers.iter_mut().map(|caller| async move {
        let mut answers = Vec::new();
        for _ in 0..each {
            answers.push(caller.get("/").await.1);
        }
        answers
    });
    let mut counts = BTreeMap::new();
    for answer in join_all(answers).await.into_iter().flatten() {
        *counts.entry(answer).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weights_are_met_on_connections_that_outlive_them() {
    let mut stage = Stage::new().await;
    let (v1, v2) = (stage.release("v1", &[]), stage.release("v2", &[]));
    let status = stage.bring(Some(&v1), Some(&v2), weight(0)).await;
    let endpoint = status.public_endpoint.unwrap();
    let mut callers = join_all((0..8).map(|_| Caller::connect(&endpoint))).await;
    for basis_points in [500_u16, 2500, 5000] {
        stage.bring(Some(&v1), Some(&v2), weight(basis_points)).await;
        let counts = two_thousand(&mut callers).await;
        let found = counts.get("v2").copied().unwrap_or(0) as f64 / 2000.0 * 10_000.0;
        assert!((found - f64::from(basis_points)).abs() <= 100.0, "{basis_points} basis points gave {found}: {counts:?}");
        assert_eq!(counts.values().sum::<usize>(), 2000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_fails_while_v2_takes_over_and_v1_is_stopped() {
    let mut stage = Stage::new().await;
    let with = |group: Group, instances: u16| Group { instances, ..group };
    let v1 = with(stage.release("v1", &["delay=2"]), 2);
    let v2 = stage.release("v2", &["delay=2"]);
    let status = stage.bring(Some(&v1), None, weight(0)).await;
    let load = Load::start(status.public_endpoint.as_ref().unwrap(), 8).await;
    stage.bring(Some(&v1), Some(&v2), weight(0)).await;
    for basis_points in [500, 2500, 10_000] {
        stage.bring(Some(&v1), Some(&v2), weight(basis_points)).await;
        let before = stage.status().await.counters.candidate.unwrap().requests;
        stage.status_when(|s| s.counters.candidate.as_ref().is_some_and(|c| c.requests >= before + 20)).await;
    }
    // More of v2 in the same step in which v1 goes.
    let before = stage.status().await;
    let ours = before.groups[1].endpoints[0].clone();
    let after = stage.bring(Some(&with(v2.clone(), 2)), None, weight(0)).await;
    let then = after.counters.stable.as_ref().unwrap().requests;
    stage.status_when(|s| s.counters.stable.as_ref().is_some_and(|c| c.requests >= then + 20)).await;
    let counts = load.stop().await;
    let failed: Vec<_> = counts.iter().filter(|(answer, _)| answer.starts_with("failed")).collect();
    assert!(failed.is_empty(), "{failed:?} of {counts:?}");
    assert!(counts["v1"] > 0 && counts["v2"] > 60, "{counts:?}");
    // The processes and the counters moved with the release.
    assert!(after.groups[0].endpoints.contains(&ours), "{ours} is not in {:?}", after.groups);
    let (old, new) = (before.counters.candidate.unwrap(), after.counters.stable.unwrap());
    assert_eq!(old.since_unix_ms, new.since_unix_ms);
    assert!(new.requests >= old.requests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_comes_back_goes_on_counting() {
    let mut stage = Stage::new().await;
    let (v1, v2) = (stage.release("v1", &[]), stage.release("v2", &[]));
    let endpoint = stage.bring(Some(&v1), None, weight(0)).await.public_endpoint.unwrap();
    let mut caller = Caller::connect(&endpoint).await;
    assert_eq!(caller.get("/").await.1, "v1");
    stage.bring(Some(&v2), None, weight(0)).await;
    assert_eq!(caller.get("/").await.1, "v2");
    let back = stage.bring(Some(&v1), None, weight(0)).await;
    assert_eq!(back.counters.stable.unwrap().requests, 1);
    assert_eq!(back.public_endpoint.unwrap(), endpoint, "the picked port is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_dies_under_load_takes_no_request_with_it() {
    let mut stage = Stage::new().await;
    let v1 = Group { instances: 2, ..stage.release("v1", &["delay=2"]) };
    let endpoint = stage.bring(Some(&v1), None, weight(0)).await.public_endpoint.unwrap();
    let load = Load::start(&endpoint, 8).await;
    // Not to be repeated, so this one is lost, as it should be.
    let lost = Caller::connect(&endpoint).await.ask(http::Method::POST, "/exit", &[], "").await.unwrap();
    assert_eq!(lost.0, http::StatusCode::BAD_GATEWAY);
    stage.status_when(|status| status.groups[0].restarts == 1 && status.converged).await;
    let counts = load.stop().await;
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["v1"], "{counts:?}");
}
