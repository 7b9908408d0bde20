//! Commands are taken once, however often they come, and only on what their sender saw.

use engine::{CommandRequest, EngineError};
use futures_util::FutureExt;
use futures_util::future::join_all;
use model::plan::Phase;
use model::{Command, Event};

use crate::support::bench::{ask_to_start, end, events, pause, start, until};
use crate::support::plans::Builder;
use crate::support::{Bench, actor};

#[tokio::test(start_paused = true)]
async fn a_repeated_request_starts_one_deployment() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let first = ask_to_start(&handle, Some("r-1"), Builder::new(2).canary()).await.unwrap();
    let again = ask_to_start(&handle, Some("r-1"), Builder::new(2).canary()).await.unwrap();
    assert!(!first.repeated && again.repeated);
    assert_eq!((first.deployment, first.version), (again.deployment, again.version));
}

#[tokio::test(start_paused = true)]
async fn requests_at_the_same_moment_have_one_result() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let asked = (0..20).map(|_| ask_to_start(&handle, Some("r-1"), Builder::new(2).canary()));
    let answers: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(answers.iter().all(|answer| answer.deployment == answers[0].deployment));
}

#[tokio::test(start_paused = true)]
async fn one_request_id_for_two_wishes_is_refused() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    ask_to_start(&handle, Some("r-1"), Builder::new(2).canary()).await.unwrap();
    let refused = ask_to_start(&handle, Some("r-1"), Builder::new(3).canary()).await.unwrap_err();
    assert!(matches!(&refused, EngineError::RequestReused { request, .. } if request == "r-1"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_repeated_command_is_answered_and_not_taken_again() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let asked = (0..10).map(|_| handle.command(pause(&id, Some("p-1"))));
    let answers: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(answers.iter().all(|answer| answer.version == answers[0].version));
    let paused = events(&handle, &id).await.into_iter().filter(|event| matches!(event, Event::Paused { .. })).count();
    assert_eq!(paused, 1);
}

#[tokio::test(start_paused = true)]
async fn a_command_to_one_deployment_is_no_repetition_of_one_to_another() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    let other = start(&handle, Builder::new(3).service("shop").straight()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    handle.command(pause(&id, Some("p-1"))).await.unwrap();
    let refused = handle.command(pause(&other, Some("p-1"))).await.unwrap_err();
    assert!(matches!(&refused, EngineError::RequestReused { deployment, .. } if *deployment == id), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_first_answer_is_repeated_after_the_end_and_after_a_restart() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let first = handle.command(pause(&id, Some("p-1"))).await.unwrap();
    // Nobody answers the pause: it expires, and the deployment is taken back.
    end(&handle, &id).await;
    engine.shutdown().await;
    let engine = bench.engine().await;
    let again = engine.handle().command(pause(&id, Some("p-1"))).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.version, first.version);
    let refused = engine.handle().command(pause(&id, None)).await.unwrap_err();
    assert_eq!(refused.to_string(), "cannot pause a deployment that is rolled-back");
}

#[tokio::test(start_paused = true)]
async fn a_command_on_an_older_version_is_refused() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let seen = handle.state(&id).await.unwrap().version;
    let with = |expected| CommandRequest { expected_version: Some(expected), ..pause(&id, None) };
    let refused = handle.command(with(seen - 1)).await.unwrap_err();
    assert!(matches!(refused, EngineError::VersionMoved { expected, found, .. } if (expected, found) == (seen - 1, seen)));
    handle.command(with(seen)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_person_steers_a_deployment() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let say = |command| CommandRequest { command, ..pause(&id, None) };
    let by = actor("user:ada");
    handle.command(pause(&id, None)).await.unwrap();
    handle.command(say(Command::Resume { by: by.clone() })).await.unwrap();
    handle.command(say(Command::Abort { by, reason: "wrong version".into() })).await.unwrap();
    assert_eq!(bench.sound_end(&handle, &id).await.phase(), Phase::Aborted);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused() {
    let (_bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let mut plan = Builder::new(2).canary();
    plan.steps.pop();
    assert!(matches!(ask_to_start(&handle, None, plan).await, Err(EngineError::Plan(_))));
    let nobody = model::DeploymentId::new("nobody").unwrap();
    assert!(matches!(handle.command(pause(&nobody, None)).await, Err(EngineError::NotFound(_))));
    assert!(matches!(handle.state(&nobody).await, Err(EngineError::NotFound(_))));
    assert!(matches!(handle.history(&nobody).await, Err(EngineError::NotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_no_orphan() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let mut asked = Box::pin(ask_to_start(&handle, Some("r-1"), Builder::new(2).canary()));
    assert!(asked.as_mut().now_or_never().is_none());
    drop(asked);
    let id = ask_to_start(&handle, Some("r-1"), Builder::new(2).canary()).await.unwrap().deployment;
    assert_eq!(bench.sound_end(&handle, &id).await.phase(), Phase::Succeeded);
}
