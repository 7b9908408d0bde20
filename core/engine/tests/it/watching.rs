//! Watch streams: everything, in order, once, from wherever one left off, and then an end.

use engine::{EngineError, Handle, Update, limits};
use futures_util::StreamExt;
use model::{DeploymentId, State};

use crate::support::Bench;
use crate::support::bench::{end, pause, start, until};
use crate::support::plans::Builder;
use crate::support::store::Fault;

async fn all(handle: &Handle, id: &DeploymentId, after: u64) -> Vec<Update> {
    handle.watch(id, after).map(Result::unwrap).collect().await
}

fn assert_gap_free(updates: &[Update], after: u64) {
    for (version, update) in (after + 1..).zip(updates) {
        assert_eq!((update.version, update.state.version), (version, version));
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_shows_everything_and_ends_with_the_deployment() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    let updates = all(&handle, &id, 0).await;
    assert_gap_free(&updates, 0);
    assert!(updates.last().is_some_and(|last| last.state.is_terminal()));
    let seen: Vec<_> = updates.into_iter().map(|update| update.stamped).collect();
    assert_eq!(seen, handle.history(&id).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_watch_can_be_resumed_after_any_version() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let seen = handle.state(&id).await.unwrap().version;
    let live = all(&handle, &id, seen).await;
    assert_gap_free(&live, seen);
    let last = end(&handle, &id).await.version;
    for after in 0..=last {
        let late = all(&handle, &id, after).await;
        assert_gap_free(&late, after);
        assert_eq!(late.len() as u64, last - after);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_sleeps_holds_nobody_up_and_misses_nothing() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    let mut sleepy = handle.watch(&id, 0);
    let mut updates = vec![sleepy.next().await.unwrap().unwrap()];
    end(&handle, &id).await;
    while let Some(update) = sleepy.next().await {
        updates.push(update.unwrap());
    }
    assert_gap_free(&updates, 0);
    assert_eq!(updates.len(), handle.history(&id).await.unwrap().len());
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_over_a_restart_of_the_engine_beside_it() {
    let (bench, engine) = Bench::with_stable().await;
    let id = start(&engine.handle(), Builder::new(2).canary()).await;
    let mut updates = engine.handle().watch(&id, 0);
    let mut seen = vec![updates.next().await.unwrap().unwrap()];
    until(&engine.handle(), &id, |state| state.watch.is_some()).await;
    drop(engine);
    let _engine = bench.engine().await;
    while let Some(update) = updates.next().await {
        seen.push(update.unwrap());
    }
    assert_gap_free(&seen, 0);
    assert!(seen.last().is_some_and(|last| State::is_terminal(&last.state)));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_watched_who_is_not_there() {
    let bench = Bench::new();
    let engine = bench.engine().await;
    let mut updates = engine.handle().watch(&DeploymentId::new("nobody").unwrap(), 0);
    assert!(matches!(updates.next().await, Some(Err(EngineError::NotFound(_)))));
    assert!(updates.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_deployment_whose_worker_broke_is_looked_at_now_and_then() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let next = bench.store.appends() + 1;
    bench.store.fail(next..u64::MAX, Fault::Break);
    assert!(handle.command(pause(&id, None)).await.is_err());
    let before = bench.store.reads();
    let looked = tokio::time::timeout(limits::SWEEP * 10, all(&handle, &id, 0)).await;
    assert!(looked.is_err(), "it ended without its worker");
    let reads = bench.store.reads() - before;
    assert!(reads <= 12, "{reads} reads in ten sweeps");
}
