//! The right to write: lost, got again, given back, held by somebody else.

use std::time::Duration;

use engine::{Engine, EngineError, limits};
use journal::{Lease, Owner, Shard, Store};

use crate::support::Bench;
use crate::support::bench::{ask_to_start, end, pause, start, until};
use crate::support::driver::Answer;
use crate::support::plans::Builder;

/// How long nothing may happen: many lease lifetimes, and less than any deadline of the plan.
const REST: Duration = Duration::from_secs(60);

/// Deployments that are under way at once.
const MANY: usize = 20;

/// Takes the engine's leases away, as a store does that was told that the engine is dead.
async fn steal(bench: &Bench) -> Vec<Lease> {
    let held = bench.store.inner.leases().await.unwrap().held;
    let shards: Vec<Shard> = held.iter().map(|lease| lease.shard).collect();
    bench.store.inner.release(&held).await.unwrap();
    let stolen = bench.store.inner.acquire(&shards, &Owner("thief".into()), model::Millis::hours(1)).await.unwrap();
    assert_eq!(stolen.len(), held.len(), "the leases were given back");
    stolen
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_ends_every_append_and_every_call_until_it_is_got_again() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let stolen = steal(&bench).await;
    let version = bench.store.inner.load(&id).await.unwrap().unwrap().events.len();
    let refused = handle.command(pause(&id, None)).await.unwrap_err();
    assert!(matches!(refused, EngineError::NotOwner), "{refused}");
    let refused = ask_to_start(&handle, None, Builder::new(3).canary()).await.unwrap_err();
    assert!(matches!(refused, EngineError::NotOwner), "{refused}");
    let (appends, performed) = (bench.store.appends(), bench.driver.performed().len());
    tokio::time::sleep(REST).await;
    assert_eq!(bench.store.inner.load(&id).await.unwrap().unwrap().events.len(), version);
    assert_eq!((bench.store.appends(), bench.driver.performed().len()), (appends, performed));
    bench.store.inner.release(&stolen).await.unwrap();
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "succeeded");
    bench.driver.assert_each_once();
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_lost_and_got_again_at_once_leaves_one_worker_per_deployment() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let stolen = steal(&bench).await;
    bench.store.inner.release(&stolen).await.unwrap();
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "succeeded");
    bench.driver.assert_each_once();
}

#[tokio::test(start_paused = true)]
async fn an_engine_waits_for_the_lease_of_another_and_goes_on_with_its_deployments() {
    let (bench, engine) = Bench::with_stable().await;
    let id = start(&engine.handle(), Builder::new(2).canary()).await;
    until(&engine.handle(), &id, |state| state.watch.is_some()).await;
    // Dead without a word: its lease has to run out.
    drop(engine);
    let began = tokio::time::Instant::now();
    let engine = Engine::start(bench.options("another")).await.unwrap();
    assert!(began.elapsed() <= Duration::from_millis(limits::LEASE_TTL.0 + 1_000), "{:?}", began.elapsed());
    assert_eq!(bench.sound_end(&engine.handle(), &id).await.phase().as_str(), "succeeded");
}

#[tokio::test(start_paused = true)]
async fn an_engine_does_not_start_beside_a_living_one() {
    let (bench, _engine) = Bench::with_stable().await;
    let refused = Engine::start(bench.options("another")).await.err();
    assert!(matches!(refused, Some(EngineError::NotOwner)), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_stops_gives_the_lease_back_and_takes_nothing_more() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    engine.shutdown().await;
    let refused = ask_to_start(&handle, None, Builder::new(3).canary()).await.unwrap_err();
    assert!(matches!(refused, EngineError::Stopping), "{refused}");
    let refused = handle.command(pause(&id, None)).await.unwrap_err();
    assert!(matches!(refused, EngineError::Stopping), "{refused}");
    let appends = bench.store.appends();
    tokio::time::sleep(REST).await;
    assert_eq!(bench.store.appends(), appends);
    let began = tokio::time::Instant::now();
    let engine = Engine::start(bench.options("another")).await.unwrap();
    assert!(began.elapsed().is_zero(), "{:?}", began.elapsed());
    assert_eq!(end(&engine.handle(), &id).await.phase().as_str(), "succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_recovery_that_takes_longer_than_the_lease_keeps_it() {
    let (bench, engine) = Bench::with_stable().await;
    bench.driver.follow(|_| Answer::Silence);
    for number in 0..MANY {
        start(&engine.handle(), Builder::new(2).service(&format!("service-{number}")).straight()).await;
    }
    engine.shutdown().await;
    let before = bench.driver.performed().len();
    // All of these together take longer than a lease.
    bench.store.slow_down_loads(Duration::from_secs(4));
    let engine = bench.engine().await;
    tokio::time::sleep(REST).await;
    // Whoever lost the lease would have begun everything again.
    assert_eq!(bench.driver.performed().len() - before, MANY);
    let row = bench.store.inner.unfinished().await.unwrap().pop().unwrap();
    engine.handle().command(pause(&row.id, None)).await.unwrap();
}
