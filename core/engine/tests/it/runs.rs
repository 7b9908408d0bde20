//! Deployments from their request to their end.

use std::time::Duration;

use engine::CommandRequest;
use model::{Cause, Command, Outcome, Report, Stage, Verdict};
use test_world::world::look;

use crate::support::bench::{events, start, until};
use crate::support::driver::Answer;
use crate::support::plans::{Builder, scope};
use crate::support::world::shifts;
use crate::support::{Bench, actor};

#[tokio::test(start_paused = true)]
async fn a_healthy_canary_succeeds_and_is_stable_then() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    assert_eq!(bench.sound_end(&handle, &id).await.stage, Stage::Ended(Outcome::Succeeded));
    let row = handle.scope(&scope("web")).await.unwrap();
    assert_eq!(row.stable.map(|release| release.label), Some("v2".into()));
    assert_eq!(row.previous.map(|release| release.label), Some("v1".into()));
    assert_eq!(row.active, None);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_performed_once_whatever_else_comes_in() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    // Each comes in at the very millisecond in which some call comes back, or nearly so.
    for _ in 0..500 {
        let (deployment, by) = (id.clone(), actor("system:engine"));
        let tick = CommandRequest { request: None, expected_version: None, deployment, by, command: Command::Tick };
        handle.command(tick).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bench.sound_end(&handle, &id).await;
    bench.driver.assert_each_once();
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_canary_is_taken_back() {
    let (bench, engine) = Bench::with_stable().await;
    bench.driver.set_healthy(false);
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    let state = bench.sound_end(&handle, &id).await;
    assert!(matches!(&state.stage, Stage::Ended(Outcome::RolledBack(Cause::Unhealthy { .. }))), "{:?}", state.stage);
    assert_eq!(handle.scope(&scope("web")).await.unwrap().stable.map(|release| release.label), Some("v1".into()));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_comes_back_runs_into_its_deadline_and_is_taken_back() {
    let (bench, engine) = Bench::with_stable().await;
    bench.driver.follow(|call| if shifts(call) { Answer::Silence } else { Answer::Truth });
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    let state = bench.sound_end(&handle, &id).await;
    assert!(matches!(&state.stage, Stage::Ended(Outcome::RolledBack(Cause::DeadlinePassed { .. }))), "{:?}", state.stage);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_breaks_is_a_loss_and_the_operation_is_repeated_as_unknown() {
    let (bench, engine) = Bench::with_stable().await;
    bench.driver.follow(|call| match shifts(call) && call.operation.attempt == 1 {
        true => Answer::Break,
        false => Answer::Truth,
    });
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "succeeded");
    let again: Vec<_> = bench.driver.performed().into_iter().filter(|performed| performed.attempt == 2).collect();
    assert!(!again.is_empty() && again.iter().all(|performed| performed.outcome_unknown), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn late_and_repeated_reports_change_nothing() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let state = handle.state(&id).await.unwrap();
    let before = events(&handle, &id).await.len();
    let of_it: Vec<_> = bench.driver.performed().into_iter().filter(|p| p.key.as_str().contains(id.as_str())).collect();
    for performed in of_it.iter().filter(|p| state.operations.iter().all(|open| open.key != p.key)) {
        let outcome = look(Verdict::Unhealthy, "as the test says");
        let report = Report { key: performed.key.clone(), attempt: performed.attempt, outcome, plugin_state: None };
        let (deployment, by, command) = (id.clone(), actor("system:engine"), Command::Report(report));
        let asked = CommandRequest { request: None, expected_version: None, deployment, by, command };
        handle.command(asked).await.unwrap();
    }
    assert_eq!(events(&handle, &id).await.len(), before);
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "succeeded");
}
