//! A store that fails: it does not know whether it wrote, or has no space left.

use engine::EngineError;
use model::Stage;

use crate::support::Bench;
use crate::support::bench::{abort, ask_to_start, pause, start, until};
use crate::support::driver::Answer;
use crate::support::plans::Builder;
use crate::support::store::Fault;
use crate::support::world::shifts;

/// More appends than the plan takes.
const APPENDS_MAX: u64 = 500;

/// Has one append after the other go wrong, each in a run of its own.
async fn everywhere(fault: Fault, healthy: bool, expected: &str) {
    for number in 1..APPENDS_MAX {
        let (bench, engine) = Bench::with_stable().await;
        bench.driver.set_healthy(healthy);
        let at = bench.store.appends() + number;
        bench.store.fail(at..at + 1, fault);
        let handle = engine.handle();
        let id = start(&handle, Builder::new(2).canary()).await;
        let state = bench.sound_end(&handle, &id).await;
        assert_eq!(state.phase().as_str(), expected, "{fault:?} at append {number}");
        bench.driver.assert_each_once();
        if bench.store.appends() < at {
            assert!(number > 10, "the run had only {number} appends");
            return;
        }
    }
    panic!("still running after {APPENDS_MAX} appends");
}

#[tokio::test(start_paused = true)]
async fn an_append_that_was_written_unseen_is_found_and_not_repeated() {
    everywhere(Fault::UnknownWritten, true, "succeeded").await;
    everywhere(Fault::UnknownWritten, false, "rolled-back").await;
}

#[tokio::test(start_paused = true)]
async fn an_append_that_was_not_written_is_decided_again() {
    everywhere(Fault::UnknownUnwritten, true, "succeeded").await;
    everywhere(Fault::UnknownUnwritten, false, "rolled-back").await;
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_append_was_written_unseen_is_accepted_once() {
    for fault in [Fault::UnknownWritten, Fault::UnknownUnwritten] {
        let (bench, engine) = Bench::with_stable().await;
        let handle = engine.handle();
        let id = start(&handle, Builder::new(2).canary()).await;
        until(&handle, &id, |state| state.watch.is_some()).await;
        let at = bench.store.appends() + 1;
        bench.store.fail(at..at + 1, fault);
        let accepted = handle.command(pause(&id, None)).await.unwrap();
        assert!(handle.state(&id).await.unwrap().pause.is_some(), "{fault:?}");
        assert_eq!(accepted.version, handle.state(&id).await.unwrap().version, "{fault:?}");
        let paused = |stamped: &journal::Stamped| matches!(stamped.event, model::Event::Paused { .. });
        let history = handle.history(&id).await.unwrap();
        assert_eq!(history.into_iter().filter(paused).count(), 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_store_holds_the_deployment_and_does_nothing_meanwhile() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    let before = until(&handle, &id, |state| state.watch.is_some()).await;
    let at = bench.store.appends() + 1;
    bench.store.fail(at..u64::MAX, Fault::Full);
    while bench.store.appends() < at + 10 {
        tokio::time::sleep(engine::limits::HOLD).await;
    }
    let performed = bench.driver.performed().len();
    while bench.store.appends() < at + 20 {
        tokio::time::sleep(engine::limits::HOLD).await;
    }
    assert_eq!(bench.driver.performed().len(), performed, "something was performed that no record intends");
    assert!(handle.state(&id).await.unwrap().version <= before.version + 4);
    let refused = ask_to_start(&handle, None, Builder::new(3).canary()).await.unwrap_err();
    assert!(refused.to_string().contains("no space is left"), "{refused}");
    bench.store.heal();
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_person_gets_an_answer_while_the_store_is_full() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let at = bench.store.appends() + 1;
    bench.store.fail(at..u64::MAX, Fault::Full);
    while bench.store.appends() < at + 10 {
        tokio::time::sleep(engine::limits::HOLD).await;
    }
    let answer = tokio::time::timeout(engine::limits::HOLD, handle.command(pause(&id, None))).await;
    let refused = answer.expect("it was left without an answer").unwrap_err();
    assert!(refused.to_string().contains("no space is left"), "{refused}");
    bench.store.heal();
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "succeeded");
    bench.driver.assert_each_once();
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_durable_unseen_is_followed_when_the_store_can_be_read_again() {
    let (bench, engine) = Bench::with_stable().await;
    bench.driver.follow(|call| if shifts(call) { Answer::Silence } else { Answer::Truth });
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.operations.iter().any(|open| open.key.as_str().contains("step-4"))).await;
    bench.driver.follow(|_| Answer::Truth);
    let at = bench.store.appends() + 1;
    bench.store.fail(at..at + 1, Fault::UnknownWritten);
    bench.store.fail_loads(3);
    let unknown = handle.command(abort(&id, None)).await.unwrap_err();
    assert!(unknown.to_string().contains("did not say whether it wrote"), "{unknown}");
    let asked_at = tokio::time::Instant::now();
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "aborted");
    assert!(asked_at.elapsed() < engine::limits::HOLD * 10, "it took {:?}", asked_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_request_id_finds_its_answer_although_the_journal_cannot_be_read() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let at = bench.store.appends() + 1;
    bench.store.fail(at..at + 1, Fault::UnknownWritten);
    bench.store.fail_loads(3);
    let first = handle.command(abort(&id, Some("stop"))).await.unwrap();
    assert!(!first.repeated);
    let again = handle.command(abort(&id, Some("stop"))).await.unwrap();
    assert!(again.repeated && again.version == first.version);
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "aborted");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_breaks_is_begun_again() {
    let (bench, engine) = Bench::with_stable().await;
    let handle = engine.handle();
    let id = start(&handle, Builder::new(2).canary()).await;
    until(&handle, &id, |state| state.watch.is_some()).await;
    let next = bench.store.appends() + 1;
    bench.store.fail(next..next + 2, Fault::Break);
    let refused = handle.command(pause(&id, None)).await.unwrap_err();
    assert!(matches!(refused, EngineError::Unattended(_)), "{refused}");
    let refused = handle.command(pause(&id, None)).await.unwrap_err();
    assert!(matches!(refused, EngineError::Unattended(_)), "it rests: {refused}");
    assert_eq!(bench.sound_end(&handle, &id).await.phase().as_str(), "succeeded");
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_cannot_be_read_is_set_aside_and_the_others_go_on() {
    let (bench, engine) = Bench::with_stable().await;
    let web = start(&engine.handle(), Builder::new(2).canary()).await;
    until(&engine.handle(), &web, |state| state.watch.is_some()).await;
    bench.driver.follow(|_| Answer::Silence);
    let api = start(&engine.handle(), Builder::new(1).service("api").straight()).await;
    until(&engine.handle(), &api, |state| !state.operations.is_empty()).await;
    bench.driver.follow(|_| Answer::Truth);
    drop(engine);
    bench.store.scratch(Some(&api));
    let engine = bench.engine().await;
    let handle = engine.handle();
    assert_eq!(bench.sound_end(&handle, &web).await.phase().as_str(), "succeeded");
    let refused = handle.command(pause(&api, None)).await.unwrap_err();
    assert!(refused.to_string().contains("cannot be read"), "{refused}");
    // Nobody knows what it left, so nothing begins in its place.
    let next = start(&handle, Builder::new(2).service("api").straight()).await;
    tokio::time::sleep(engine::limits::SWEEP * 10).await;
    assert!(matches!(handle.state(&next).await.unwrap().stage, Stage::Queued { .. }));
}
