//! What comes back from the world: in time, late, twice, lost, contradicting itself, or nonsense.

use machine::limits;
use model::{Command, Event, GateAnswer, Millis, Observation, OperationKind, Progress, Report, ReportOutcome};

use crate::support::plans;
use crate::support::scene::{lost, report};
use crate::support::world::{failed, gate};
use crate::support::{Run, Scene};

fn shifting() -> Scene {
    Scene::new(plans::canary()).reach("reconcile-2")
}

#[test]
fn a_report_counts_once_and_at_its_attempt() {
    let mut scene = shifting();
    let first = scene.run.call();
    let outcome = scene.world.perform(&first);
    scene.run.tell(report(&first, lost(true, true)));
    assert_eq!(scene.run.tell(report(&first, outcome.clone())), [], "attempt 1 is over");
    let second = scene.run.call();
    assert!(!scene.run.tell(report(&second, outcome.clone())).is_empty());
    assert_eq!(scene.run.tell(report(&second, outcome)), [], "it came twice");
}

#[test]
fn a_lost_call_is_attempted_again_later_with_its_key_and_fence() {
    let mut scene = shifting();
    let first = scene.run.call().operation;
    scene.answer(lost(true, true));
    let second = scene.run.call().operation;
    assert_eq!((&first.key, first.fence), (&second.key, second.fence));
    assert_eq!((second.attempt, second.failures, second.outcome_unknown), (2, 1, true));
    assert_eq!(second.not_before, scene.run.now + limits::RETRY_FIRST);
    scene.answer(lost(false, true));
    let third = scene.run.call().operation;
    assert!(third.outcome_unknown, "what was unknown once stays so until somebody looked");
    assert_eq!(third.not_before, scene.run.now + Millis(limits::RETRY_FIRST.0 * 2));
}

#[test]
fn a_call_is_attempted_as_often_as_the_plan_says() {
    let mut scene = shifting();
    for _ in 0..2 {
        scene.answer(ReportOutcome::Progress(failed("the target says no", true)));
        assert_eq!(scene.run.phase(), "shifting");
    }
    let events = scene.answer(ReportOutcome::Progress(failed("the target says no", true)));
    let said = "the target says no (after 3 attempts)";
    assert!(
        events
            .iter()
            .any(|e| matches!(e, Event::TurnedBack { cause: model::Cause::StepFailed { message, .. }, .. } if message == said))
    );
}

#[test]
fn a_failure_that_cannot_be_helped_is_not_repeated() {
    let mut scene = shifting();
    scene.answer(lost(false, false));
    assert_eq!(scene.run.phase(), "rolling-back");
}

#[test]
fn backing_off_doubles_and_ends() {
    let found: Vec<u64> = [0, 1, 2, 3, 6, 7, 40, u32::MAX].into_iter().map(|failures| limits::backoff(failures).0).collect();
    assert_eq!(found, [200, 200, 400, 800, 6_400, 10_000, 10_000, 10_000]);
    let again: Vec<u64> = [0, 20, 1_000, u64::MAX].into_iter().map(|wish| limits::again_after(wish).0).collect();
    assert_eq!(again, [20, 20, 1_000, 300_000]);
}

/// The target says that it is done, and shows this.
fn claim(change: impl FnOnce(&mut Observation), expect: &str) {
    let mut scene = shifting();
    scene.world.perform(&scene.run.call());
    let mut shown = scene.world.observation();
    change(&mut shown);
    let key = scene.run.call().operation.key;
    scene.answer(ReportOutcome::Progress(Progress::Converged(shown)));
    let call = scene.run.call().operation;
    assert_eq!((call.key, call.message.as_str(), call.outcome_unknown), (key, expect, false));
    assert_eq!(scene.run.waits_for(), format!("the target to converge: {expect}"));
    assert_eq!(scene.reach_the_end(), "succeeded");
}

#[test]
fn a_target_that_shows_something_else_has_not_converged() {
    let elsewhere = plans::release(3);
    claim(|seen| seen.candidate_weight = model::BasisPoints::NONE, "the target reports a candidate weight of 0%, wanted 5%");
    claim(|seen| seen.sides[1].ready = 0, "the target reports 0 of 25 ready on the candidate side");
    claim(|seen| seen.sides[0].ready = 99, "the target reports 99 of 100 ready on the stable side");
    claim(|seen| drop(seen.sides.remove(1)), "the target reports nothing on the candidate side, wanted release-2");
    let id = elsewhere.id.clone();
    claim(|seen| seen.sides[1].release = id, "the target runs release release-3 on the candidate side, wanted release-2");
    let (found, wanted) = (elsewhere.artifact.digest, plans::release(2).artifact.digest);
    let expect = format!("the target runs {found} on the candidate side, wanted {wanted}");
    claim(|seen| seen.sides[1].digest = found, &expect);
}

#[test]
fn numbers_of_a_plugin_do_not_overflow() {
    let mut scene = shifting();
    let mut shown = scene.world.observation();
    shown.sides.iter_mut().for_each(|side| side.ready = u32::MAX);
    let (retry_after_ms, message) = (u64::MAX, "on its way".into());
    scene.answer(ReportOutcome::Progress(Progress::InProgress { observation: shown, retry_after_ms, message }));
    assert_eq!(scene.run.call().operation.not_before, scene.run.now + limits::AGAIN_MAX);
}

#[test]
fn an_answer_of_another_kind_fails_the_step() {
    let mut scene = shifting();
    scene.answer(gate(GateAnswer::Pass, "yes"));
    assert_eq!(scene.run.phase(), "rolling-back");
}

#[test]
fn a_gate_that_does_not_know_yet_is_asked_again() {
    let mut run = Run::active(plans::canary());
    let call = run.call();
    run.tell(report(&call, gate(GateAnswer::Wait, "the tests still run")));
    assert_eq!(run.waits_for(), "the gate junit: the tests still run");
    let again = run.call().operation;
    assert_eq!((again.attempt, again.not_before), (2, run.now + Millis::seconds(5)));
}

#[test]
fn what_a_plugin_wants_to_remember_is_given_back() {
    let mut scene = shifting();
    let call = scene.run.call();
    let outcome = ReportOutcome::Progress(scene.world.in_progress(1_000, "on its way"));
    let (key, attempt) = (call.operation.key, call.operation.attempt);
    scene.run.tell(Command::Report(Report { key, attempt, outcome, plugin_state: Some(vec![4, 2]) }));
    assert_eq!(scene.run.call().operation.plugin_state, Some(vec![4, 2]));
}

#[test]
fn after_a_crash_every_open_operation_is_attempted_again_by_somebody_who_looks_first() {
    let mut scene = shifting();
    let before = scene.run.call().operation;
    scene.run.tell(Command::Recover);
    let after = scene.run.call().operation;
    assert_eq!((&before.key, before.fence, 2), (&after.key, after.fence, after.attempt));
    assert_eq!((after.outcome_unknown, after.failures, after.not_before), (true, 0, scene.run.now));
    assert_eq!(scene.reach_the_end(), "succeeded");

    let mut looking = Scene::new(plans::canary()).reach("watch-1").run;
    looking.tell(Command::Recover);
    let looks = looking.calls();
    assert!(looks.iter().all(|c| c.operation.attempt == 2 && !c.operation.outcome_unknown), "looking changes nothing: {looks:?}");
}

#[test]
fn crashes_do_not_count_as_failures() {
    let mut scene = shifting();
    for _ in 0..100 {
        scene.run.tell(Command::Recover);
    }
    assert_eq!(scene.reach_the_end(), "succeeded");
}

#[test]
fn every_desired_state_is_absolute() {
    let mut scene = Scene::new(plans::canary());
    scene.until(|run| run.state.is_terminal());
    for event in &scene.run.events {
        let Event::OperationIntended { operation, .. } = event else { continue };
        if let OperationKind::Reconcile { desired } = &operation.kind {
            assert!(desired.stable.is_some(), "{} says nothing about the stable side", operation.key);
        }
    }
}
