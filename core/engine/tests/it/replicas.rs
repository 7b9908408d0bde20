//! Several engines on one store: each has its share, all of them answer, and one takes over what another leaves.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::{Engine, EngineError, EngineOptions, limits};
use journal::{Catalog, Store};
use model::DeploymentId;

use crate::support::Bench;
use crate::support::bench::{ask_to_start, pause, start, until};
use crate::support::driver::Answer;
use crate::support::plans::Builder;

/// Parts into which an engine divides all scopes.
const SHARDS: usize = 32;

/// How long a share takes to be even: a few looks of everybody.
const EVEN: Duration = Duration::from_secs(30);

/// How long a shard may be without owner after a death: the lease, and a second to notice.
const TAKE_OVER: Duration = Duration::from_millis(limits::LEASE_TTL.0 + 1_000);

/// By when whatever is waited for has come, on the paused clock: beyond every period of the engine but the packing's.
const LONG: Duration = Duration::from_secs(300);

/// A bench on which nothing was ever deployed, and on which deploying takes its time.
fn slow_bench() -> Bench {
    let bench = Bench::new();
    bench.driver.follow(|_| Answer::Slow(Duration::from_secs(20)));
    bench
}

async fn replica(bench: &Bench, name: &str) -> Engine {
    Engine::start(EngineOptions { replicated: true, ..bench.options(name) }).await.unwrap()
}

/// Returns how many shards each owner has.
async fn shares(bench: &Bench) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::new();
    for lease in bench.store.inner.leases().await.unwrap().held {
        *shares.entry(lease.owner.0).or_default() += usize::from(usize::from(lease.shard.0) < SHARDS);
    }
    shares
}

/// Waits until something holds.
async fn wait_until(what: &str, condition: impl AsyncFn() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(LONG, holds).await.unwrap_or_else(|_| panic!("{what}: not after {LONG:?}"));
}

/// Waits until every shard has an owner and nobody has more than `most`.
async fn wait_for_shares(bench: &Bench, most: usize) -> BTreeMap<String, usize> {
    let even = async {
        loop {
            let shares = shares(bench).await;
            if shares.values().sum::<usize>() == SHARDS && shares.values().all(|share| *share <= most) {
                return shares;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(EVEN, even).await.unwrap_or_else(|_| panic!("the shares are not at most {most} after {EVEN:?}"))
}

/// Starts one deployment each in many scopes, which fall into many shards.
async fn start_many(engine: &Engine, count: usize) -> Vec<DeploymentId> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(start(&engine.handle(), Builder::new(2).service(&format!("service-{number}")).straight()).await);
    }
    ids
}

#[tokio::test(start_paused = true)]
async fn shards_are_shared_evenly_whoever_comes_and_goes() {
    let bench = Bench::new();
    let one = replica(&bench, "one").await;
    assert_eq!(shares(&bench).await, BTreeMap::from([("one".to_owned(), SHARDS)]));
    let two = replica(&bench, "two").await;
    let three = replica(&bench, "three").await;
    let found = wait_for_shares(&bench, SHARDS.div_ceil(3)).await;
    assert_eq!(found.len(), 3, "{found:?}");
    two.shutdown().await;
    let found = wait_for_shares(&bench, SHARDS / 2).await;
    assert_eq!(found, BTreeMap::from([("one".to_owned(), SHARDS / 2), ("three".to_owned(), SHARDS / 2)]));
    // Dead without a word: its leases have to run out.
    drop(one);
    let began = tokio::time::Instant::now();
    wait_for_shares(&bench, SHARDS).await;
    wait_until("the third has every shard", async || shares(&bench).await.get("three") == Some(&SHARDS)).await;
    assert!(began.elapsed() <= TAKE_OVER, "{:?}", began.elapsed());
    drop(three);
}

#[tokio::test(start_paused = true)]
async fn deployments_change_hands_in_the_middle_and_end_well() {
    let bench = slow_bench();
    let one = replica(&bench, "one").await;
    let ids = start_many(&one, 40).await;
    until(&one.handle(), &ids[0], |state| !state.operations.is_empty()).await;
    let two = replica(&bench, "two").await;
    wait_for_shares(&bench, SHARDS / 2).await;
    for id in &ids {
        assert_eq!(until(&two.handle(), id, model::State::is_terminal).await.phase().as_str(), "succeeded");
    }
}

#[tokio::test(start_paused = true)]
async fn any_replica_answers_for_every_scope() {
    let bench = slow_bench();
    let (one, two) = (replica(&bench, "one").await, replica(&bench, "two").await);
    wait_for_shares(&bench, SHARDS / 2).await;
    for (number, engine) in [&one, &two].into_iter().cycle().take(16).enumerate() {
        let other = if number % 2 == 0 { &two } else { &one };
        let (request, service) = (format!("request-{number}"), format!("service-{number}"));
        let plan = || Builder::new(2).service(&service).straight();
        let began = tokio::time::Instant::now();
        let first = ask_to_start(&engine.handle(), Some(&request), plan()).await.unwrap();
        let again = ask_to_start(&other.handle(), Some(&request), plan()).await.unwrap();
        assert!(!first.repeated && again.repeated && again.deployment == first.deployment, "{first:?} {again:?}");
        let paused = engine.handle().command(pause(&first.deployment, Some("pause"))).await;
        // Whoever is asked, one id is one wish; here it was used for every deployment.
        assert_eq!(paused.is_ok(), number == 0, "{paused:?}");
        let paused = other.handle().command(pause(&first.deployment, None)).await;
        assert_eq!(paused.is_ok(), number != 0, "{paused:?}");
        assert!(began.elapsed() < limits::SWEEP, "nobody polled for it: {:?}", began.elapsed());
        let state = until(&other.handle(), &first.deployment, |state| state.pause.is_some()).await;
        assert_eq!(state.plan.scope.service.as_str(), service);
    }
    for kind in ["letter", "letter-answer"] {
        assert_eq!(bench.store.inner.list(kind, "").await.unwrap(), [], "nothing is left behind");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_from_another_replica_say_what_the_refused_would_hear_there() {
    let bench = slow_bench();
    let (one, two) = (replica(&bench, "one").await, replica(&bench, "two").await);
    wait_for_shares(&bench, SHARDS / 2).await;
    let id = start(&one.handle(), Builder::new(2).straight()).await;
    until(&one.handle(), &id, |state| !state.operations.is_empty()).await;
    one.handle().command(pause(&id, None)).await.unwrap();
    let mut said = Vec::new();
    for engine in [&one, &two] {
        let handle = engine.handle();
        said.push(handle.command(pause(&id, None)).await.unwrap_err().to_string());
        let moved = engine::CommandRequest { expected_version: Some(1), ..pause(&id, None) };
        let moved = handle.command(moved).await.unwrap_err();
        assert!(matches!(moved, EngineError::VersionMoved { expected: 1, .. }), "{moved}");
    }
    assert_eq!(said[0], said[1]);
    assert!(said[0].contains("cannot pause"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_while_the_owner_is_dead_is_answered_by_the_next() {
    let bench = slow_bench();
    let (one, two) = (replica(&bench, "one").await, replica(&bench, "two").await);
    wait_for_shares(&bench, SHARDS / 2).await;
    let ids = start_many(&two, 8).await;
    drop(one);
    for id in ids {
        let began = tokio::time::Instant::now();
        two.handle().command(pause(&id, None)).await.unwrap();
        assert!(began.elapsed() <= TAKE_OVER, "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_nobody_waits_for_any_more_does_nothing() {
    let bench = slow_bench();
    let one = replica(&bench, "one").await;
    let id = start(&one.handle(), Builder::new(2).straight()).await;
    until(&one.handle(), &id, |state| !state.operations.is_empty()).await;
    let letter = format!(
        r#"{{"service":"web","environment":"production","request":"late","actor":"user:ada","groups":[],
            "wish":{{"command":{{"deployment":"{id}","expected_version":null,"word":{{"pause":{{"reason":"lunch"}}}}}}}}}}"#
    );
    let long_ago = model::Timestamp(0);
    bench.store.inner.put("letter", "an-old-one", &letter, None, long_ago).await.unwrap();
    bench.store.inner.put("letter", "nonsense", "{", None, long_ago).await.unwrap();
    let there = async |kind: &str, key: &str| bench.store.inner.get(kind, key).await.unwrap().is_some();
    wait_until("it is told that it is too late", async || there("letter-answer", "an-old-one").await).await;
    assert!(there("letter", "nonsense").await, "left for whoever can read it");
    wait_until("nobody could read it", async || !there("letter", "nonsense").await).await;
    wait_until("nobody fetched the answer", async || !there("letter-answer", "an-old-one").await).await;
    assert!(one.handle().state(&id).await.unwrap().pause.is_none());
}

#[tokio::test(start_paused = true)]
async fn one_of_the_replicas_packs_what_is_old() {
    let bench = Bench::new();
    let _engines = [replica(&bench, "one").await, replica(&bench, "two").await];
    wait_for_shares(&bench, SHARDS / 2).await;
    tokio::time::sleep(limits::COMPACT_FIRST).await;
    let asked = bench.store.compacted();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!((asked[0].ended, asked[0].answered), (bench.options("one").pack_after, limits::ANSWERS_KEPT));
    tokio::time::sleep(limits::COMPACT_EVERY).await;
    assert_eq!(bench.store.compacted().len(), 1);
}
