//! The process dies between any two appends, or with one on its way; the next one comes to the same end.

use engine::Handle;
use model::{DeploymentId, State};

use crate::support::Bench;
use crate::support::bench::{ask_to_start, end, until};
use crate::support::driver::Answer;
use crate::support::plans::Builder;
use crate::support::store::Fault;
use crate::support::world::{shifts, without_fences};

/// More appends than the plan takes; a run that needs more has no end.
const APPENDS_MAX: u64 = 500;

const REQUEST: &str = "the one deployment";

async fn deploy(handle: &Handle) -> DeploymentId {
    ask_to_start(handle, Some(REQUEST), Builder::new(2).canary()).await.unwrap().deployment
}

/// What must be the same, whatever happened on the way.
fn essence(bench: &Bench, state: &State) -> impl PartialEq + std::fmt::Debug + use<> {
    (state.phase(), state.good, state.confirmed.clone(), without_fences(&bench.driver.world(&state.plan.scope)))
}

/// Lets the process die at the append of this number after the request; returns whether it came to that.
async fn die_at(number: u64, fault: Fault, healthy: bool) -> bool {
    let undisturbed = {
        let (bench, engine) = Bench::with_stable().await;
        bench.driver.set_healthy(healthy);
        let id = deploy(&engine.handle()).await;
        let state = bench.sound_end(&engine.handle(), &id).await;
        essence(&bench, &state)
    };
    let (bench, engine) = Bench::with_stable().await;
    bench.driver.set_healthy(healthy);
    let at = bench.store.appends() + number;
    bench.store.fail(at..u64::MAX, fault);
    let handle = engine.handle();
    let ran = async {
        let id = deploy(&handle).await;
        end(&handle, &id).await;
    };
    tokio::select! {
        () = ran => return false,
        () = bench.store.death() => drop(engine),
    }
    bench.store.heal();
    let engine = bench.engine().await;
    // A client that got no answer asks again, with the same id.
    let id = deploy(&engine.handle()).await;
    let state = bench.sound_end(&engine.handle(), &id).await;
    let found = essence(&bench, &state);
    assert!(found == undisturbed, "{fault:?} at append {number}: {found:?}, undisturbed {undisturbed:?}");
    true
}

async fn die_everywhere(fault: Fault, healthy: bool) {
    for number in 1..APPENDS_MAX {
        if !die_at(number, fault, healthy).await {
            assert!(number > 10, "the run had only {number} appends");
            return;
        }
    }
    panic!("still running after {APPENDS_MAX} appends");
}

#[tokio::test(start_paused = true)]
async fn death_before_any_append_changes_nothing_about_a_success() {
    die_everywhere(Fault::DeadBefore, true).await;
}

#[tokio::test(start_paused = true)]
async fn death_after_any_append_changes_nothing_about_a_success() {
    die_everywhere(Fault::DeadAfter, true).await;
}

#[tokio::test(start_paused = true)]
async fn death_before_any_append_changes_nothing_about_a_way_back() {
    die_everywhere(Fault::DeadBefore, false).await;
}

#[tokio::test(start_paused = true)]
async fn death_after_any_append_changes_nothing_about_a_way_back() {
    die_everywhere(Fault::DeadAfter, false).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_in_flight_at_a_death_is_performed_again_as_unknown() {
    let (bench, engine) = Bench::with_stable().await;
    bench.driver.follow(|call| if shifts(call) { Answer::Silence } else { Answer::Truth });
    let handle = engine.handle();
    let id = deploy(&handle).await;
    let silent = |state: &State| state.operations.iter().any(|open| open.key.as_str().contains("step-4"));
    let before = until(&handle, &id, silent).await.operations[0].clone();
    drop(engine);
    bench.driver.follow(|_| Answer::Truth);
    let engine = bench.engine().await;
    let handle = engine.handle();
    let again = |state: &State| state.operations.iter().any(|open| open.key == before.key && open.attempt == 2);
    let after = until(&handle, &id, again).await.operations[0].clone();
    assert!(after.outcome_unknown);
    assert_eq!(after.fence, before.fence);
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "succeeded");
    assert!(bench.driver.performed().iter().any(|p| p.key == before.key && p.attempt == 2 && p.outcome_unknown));
}
