//! One deployment per scope at a time, the others in the order of their requests.

use std::time::Duration;

use journal::{DeploymentFilter, Status};
use model::plan::Supersede;
use model::{Cause, DeploymentId, Outcome, Stage, State};

use crate::support::Bench;
use crate::support::bench::{abort, end, start, until};
use crate::support::driver::Answer;
use crate::support::plans::Builder;

/// More than the queue reads at once.
const MANY: usize = 1_000;

/// Returns who took its place, if somebody did.
fn superseded_by(state: &State) -> Option<&DeploymentId> {
    match &state.stage {
        Stage::Ended(Outcome::Superseded { by } | Outcome::RolledBack(Cause::Superseded { by })) => Some(by),
        Stage::Ended(_) | Stage::Queued { .. } | Stage::Forward { .. } | Stage::Back { .. } => None,
    }
}

#[tokio::test(start_paused = true)]
async fn deployments_of_a_scope_take_turns_in_the_order_of_their_requests() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let mut ids = Vec::new();
    for number in 2..6 {
        ids.push(start(&handle, Builder::new(number).canary()).await);
    }
    until(&handle, &ids[0], State::is_active).await;
    let active = DeploymentFilter { status: Some(Status::Active), limit: 10, ..DeploymentFilter::default() };
    let queued = DeploymentFilter { status: Some(Status::Queued), limit: 10, ..DeploymentFilter::default() };
    assert_eq!(handle.list(&active).await.unwrap().len(), 1);
    assert_eq!(handle.list(&queued).await.unwrap().len(), 3);
    let mut free_since = None;
    for id in &ids {
        let state = end(&handle, id).await;
        assert_eq!(state.phase().as_str(), "succeeded");
        assert!(state.activated_at >= free_since, "{id} began while its predecessor ran");
        free_since = state.ended_at;
    }
    bench.sound_end(&handle, &ids[3]).await;
}

#[tokio::test(start_paused = true)]
async fn scopes_do_not_wait_for_each_other() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let slow = start(&handle, Builder::new(2).canary()).await;
    let other = start(&handle, Builder::new(3).service("shop").straight()).await;
    let ended = end(&handle, &other).await.ended_at;
    assert!(!handle.state(&slow).await.unwrap().is_terminal());
    assert!(ended < end(&handle, &slow).await.ended_at);
}

#[tokio::test(start_paused = true)]
async fn a_newer_deployment_supersedes_the_queued_and_lets_the_active_run() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let active = start(&handle, Builder::new(2).canary()).await;
    let queued = start(&handle, Builder::new(3).canary()).await;
    let newer = start(&handle, Builder::new(4).supersede(Supersede::Queued).canary()).await;
    assert_eq!(superseded_by(&*end(&handle, &queued).await), Some(&newer));
    assert_eq!(end(&handle, &active).await.phase().as_str(), "succeeded");
    assert_eq!(bench.sound_end(&handle, &newer).await.phase().as_str(), "succeeded");
}

#[tokio::test(start_paused = true)]
async fn one_whose_turn_comes_while_the_queue_is_read_is_not_superseded_as_queued() {
    let (bench, engine) = Bench::with_stable().await;
    bench.store.slow_down(Duration::from_millis(50));
    let handle = engine.handle();
    // The second is durable while the first's activation is on its way into the journal: the list still calls it queued.
    let later = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        start(&handle, Builder::new(3).supersede(Supersede::Queued).canary()).await
    };
    let (first, second) = tokio::join!(start(&handle, Builder::new(2).canary()), later);
    let state = end(&handle, &first).await;
    assert_eq!(state.phase().as_str(), "succeeded", "{:?}", state.stage);
    assert_eq!(bench.sound_end(&handle, &second).await.phase().as_str(), "succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_newer_deployment_takes_the_active_one_back_where_its_path_says_so() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let active = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &active, |state| state.watch.is_some()).await;
    let newer = start(&handle, Builder::new(3).supersede(Supersede::Active).canary()).await;
    let state = end(&handle, &active).await;
    assert_eq!(superseded_by(&state), Some(&newer));
    assert_eq!(bench.sound_end(&handle, &newer).await.phase().as_str(), "succeeded");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_in_the_queue_for_ever() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    start(&handle, Builder::new(2).canary()).await;
    let mut plan = Builder::new(3).canary();
    plan.policies.queue_expires_after = model::Millis::seconds(10);
    let waiting = start(&handle, plan).await;
    assert_eq!(end(&handle, &waiting).await.phase().as_str(), "expired");
}

#[tokio::test(start_paused = true)]
async fn the_oldest_is_next_however_many_wait() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    bench.driver.follow(|_| Answer::Silence);
    let active = start(&handle, Builder::new(2).canary()).await;
    let oldest = start(&handle, Builder::new(3).canary()).await;
    for _ in 0..MANY {
        start(&handle, Builder::new(4).canary()).await;
    }
    bench.driver.follow(|_| Answer::Truth);
    handle.command(abort(&active, None)).await.unwrap();
    end(&handle, &active).await;
    until(&handle, &oldest, State::is_active).await;
}
