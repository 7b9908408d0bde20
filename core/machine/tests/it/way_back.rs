//! Taking it back: by itself, by a person, before and after effects, and past the point where nothing leads back.

use model::{
    BackStep, BasisPoints, Command, DeploymentId, Event, Fence, OperationKind, Outcome, Progress, ReportOutcome, Side, Stage,
};

use crate::support::plans::{self};
use crate::support::scene::{lost, report, rival};
use crate::support::world::{Candidate, failed, gate};
use crate::support::{Run, Scene, member};

fn abort() -> Command {
    Command::Abort { by: member("user:bea"), reason: "enough".into() }
}

fn rollback() -> Command {
    Command::Rollback { by: member("user:bea"), reason: "it is bad".into() }
}

fn supersede() -> Command {
    Command::Supersede { by: DeploymentId::new("d-2").unwrap() }
}

fn way_back(run: &Run) -> Vec<BackStep> {
    let steps = run.events.iter().find_map(|event| match event {
        Event::TurnedBack { steps, .. } => Some(steps.clone()),
        _ => None,
    });
    steps.unwrap_or_default()
}

/// Takes a deployment back at a step and goes to its end.
fn check(plan: model::Plan, step: &str, command: Command, expect: &str, way: &[BackStep]) {
    let mut scene = Scene::new(plan).reach(step);
    scene.run.tell(command);
    assert_eq!(scene.reach_the_end(), expect, "at {step}");
    assert_eq!(way_back(&scene.run), way, "at {step}");
}

#[test]
fn before_any_effect_there_is_nothing_to_take_back() {
    check(plans::canary(), "gate-1", abort(), "aborted", &[]);
    check(plans::canary(), "gate-1", rollback(), "aborted", &[]);
    check(plans::canary(), "gate-1", supersede(), "superseded", &[]);
    let mut queued = Run::queued(plans::canary());
    queued.tell(abort());
    assert_eq!(queued.phase(), "aborted");
    let mut queued = Run::queued(plans::canary());
    queued.tell(supersede());
    assert_eq!(queued.phase(), "superseded");
}

#[test]
fn after_an_effect_traffic_comes_first_and_capacity_goes_last() {
    use BackStep::{RaiseStable, RemoveCandidate, RestoreTraffic};
    check(plans::canary(), "reconcile-1", abort(), "aborted", &[RestoreTraffic, RemoveCandidate]);
    check(plans::canary(), "watch-2", rollback(), "rolled-back", &[RestoreTraffic, RemoveCandidate]);
    check(plans::canary(), "watch-2", supersede(), "superseded", &[RestoreTraffic, RemoveCandidate]);
    check(plans::rolling(), "watch-2", rollback(), "rolled-back", &[RestoreTraffic, RemoveCandidate]);
    check(plans::recreate(), "watch-1", rollback(), "rolled-back", &[RaiseStable, RestoreTraffic, RemoveCandidate]);
    check(plans::first(), "watch-1", rollback(), "rolled-back", &[RemoveCandidate]);
}

#[test]
fn a_gate_that_says_no_rejects_before_effects_and_rolls_back_after() {
    for (answer, sentence) in [(model::GateAnswer::Fail, "3 tests failed"), (model::GateAnswer::Error, "no report found")] {
        let mut scene = Scene::new(plans::canary());
        scene.answer(gate(answer, sentence));
        let Some(Outcome::Rejected { reason }) = scene.run.state.outcome() else { panic!("{}", scene.run.phase()) };
        assert_eq!(*reason, format!("step gate-1 failed: {sentence}"));
    }
    let late = plans::Builder::new(model::Strategy::BlueGreen).sides(100, 100, plans::weight(0)).gate();
    let mut scene = Scene::new(late.sides(100, 100, plans::weight(100)).promote().finish()).reach("gate-1");
    scene.answer(gate(model::GateAnswer::Fail, "no"));
    assert_eq!(scene.reach_the_end(), "rolled-back");
}

#[test]
fn a_promoted_candidate_is_given_up_while_the_old_side_stands_by() {
    let mut scene = Scene::new(plans::canary()).reach("watch-5");
    assert_eq!((scene.run.state.good, scene.run.phase()), (Side::Candidate, "soaking"));
    scene.world.candidate_is = Candidate::Unhealthy;
    assert_eq!(scene.reach_the_end(), "rolled-back");
    assert_eq!(scene.run.state.good, Side::Stable);
    assert!(scene.run.events.iter().any(|e| matches!(e, Event::PromotionReverted { .. })));
}

#[test]
fn a_promoted_candidate_stays_when_the_old_side_may_be_gone() {
    let mut scene = Scene::new(plans::canary()).reach("reconcile-8");
    let said = scene.run.refused(abort());
    assert!(said.contains("roll the finished deployment back instead"), "{said}");
    scene.answer(ReportOutcome::Progress(failed("no permission", false)));
    let Some(Outcome::Blocked { needs }) = scene.run.state.outcome() else { panic!("{}", scene.run.phase()) };
    assert_eq!(needs, "the candidate was promoted and keeps all traffic, but step reconcile-8 failed: no permission");
    assert_eq!(
        (scene.run.state.good, scene.run.state.confirmed.routing.share(Side::Candidate)),
        (Side::Candidate, BasisPoints::ALL)
    );
}

#[test]
fn what_is_promoted_finishes_before_it_is_superseded() {
    let mut scene = Scene::new(plans::canary()).reach("watch-5");
    assert_eq!(scene.run.tell(supersede()), []);
    assert_eq!(scene.reach_the_end(), "succeeded");
}

#[test]
fn past_a_point_of_no_return_there_is_only_forward_or_stop() {
    let mut scene = Scene::new(plans::irreversible()).reach("watch-1");
    let said = "there is no way back past step action-2: forward or stop";
    assert_eq!([scene.run.refused(abort()), scene.run.refused(rollback())], [said, said]);
    assert_eq!(scene.run.tell(supersede()), [], "it cannot be superseded either");
    scene.world.candidate_is = Candidate::Unhealthy;
    scene.until(|run| run.state.pause.is_some());
    assert!(scene.run.waits_for().contains("probe found it unhealthy"), "{}", scene.run.waits_for());
    assert_eq!(scene.reach_the_end(), "blocked");
}

#[test]
fn actions_are_undone_in_reverse_order_where_they_can_be() {
    let plan = plans::guarded();
    let mut scene = Scene::new(plan.clone()).reach("approval-1");
    for who in ["user:bea", "user:cem"] {
        scene.run.tell(Command::Approve { by: member(who), plan: plan.hash.clone() });
    }
    let mut scene = scene.reach("watch-1");
    scene.run.tell(rollback());
    assert_eq!(scene.reach_the_end(), "rolled-back");
    let undone = [BackStep::RestoreTraffic, BackStep::Undo { step: 4 }, BackStep::Undo { step: 2 }, BackStep::RemoveCandidate];
    assert_eq!(way_back(&scene.run), undone);
    let in_effect = |step: usize| scene.world.actions[&step].0;
    assert_eq!([in_effect(2), in_effect(3), in_effect(4)], [false, true, false]);
}

#[test]
fn an_action_whose_end_nobody_saw_is_undone_too() {
    let plan = plans::guarded();
    let mut scene = Scene::new(plan.clone()).reach("approval-1");
    for who in ["user:bea", "user:cem"] {
        scene.run.tell(Command::Approve { by: member(who), plan: plan.hash.clone() });
    }
    let late = scene.run.call();
    scene.run.tell(abort());
    assert_eq!(scene.reach_the_end(), "aborted");
    // It lands after all: the undo has told the action a higher fence.
    assert!(matches!(scene.world.perform(&late), ReportOutcome::Progress(Progress::Superseded(_))));
    assert!(!scene.world.actions[&2].0);
}

#[test]
fn a_candidate_that_never_came_up_does_not_hold_up_the_way_back() {
    for candidate in [Candidate::NeverReady, Candidate::Crashing] {
        let mut scene = Scene::new(plans::canary());
        scene.world.candidate_is = candidate;
        assert_eq!(scene.reach_the_end(), "rolled-back", "{candidate:?}");
    }
}

#[test]
fn a_candidate_that_goes_down_again_does_not_hold_up_the_way_back() {
    for candidate in [Candidate::NeverReady, Candidate::Crashing] {
        let mut scene = Scene::new(plans::canary()).reach("watch-2");
        scene.world.candidate_is = candidate;
        scene.until(|run| matches!(run.state.stage, Stage::Back { .. }));
        let turned = scene.run.now;
        assert_eq!(scene.reach_the_end(), "rolled-back", "{candidate:?}");
        assert!(scene.run.now.since(turned) < model::Millis::seconds(10), "{candidate:?} took {}", scene.run.now.since(turned));
    }
}

#[test]
fn a_delayed_shift_that_lands_after_the_way_back_is_refused() {
    let mut scene = Scene::new(plans::canary()).reach("reconcile-2");
    let late = scene.run.call();
    scene.run.tell(report(&late, lost(true, true)));
    scene.run.tell(rollback());
    assert_eq!(scene.reach_the_end(), "rolled-back");
    let outcome = scene.world.perform(&late);
    assert!(matches!(outcome, ReportOutcome::Progress(Progress::Superseded(_))), "{outcome:?}");
    assert_eq!(scene.run.tell(report(&late, outcome)), [], "the end absorbs it");
    machine::invariants::check_end(&scene.run.state, &scene.world.sample()).unwrap();
}

#[test]
fn a_rival_at_the_target_sends_it_back_and_it_has_the_last_word() {
    let mut scene = Scene::new(plans::canary()).reach("reconcile-2");
    scene.world.fence = rival(&scene.world);
    assert_eq!(scene.reach_the_end(), "rolled-back");
    let Some(Outcome::RolledBack(cause)) = scene.run.state.outcome() else { panic!("{}", scene.run.phase()) };
    assert_eq!(*cause, model::Cause::FencedOff { highest: Fence(108) });
}

#[test]
fn claiming_a_target_again_and_again_takes_a_pause_each_time() {
    let mut scene = Scene::new(plans::canary()).reach("watch-1");
    scene.run.tell(rollback());
    for _ in 0..20 {
        let (before, fence) = (scene.run.now, scene.run.state.fence);
        scene.answer(ReportOutcome::Progress(Progress::Superseded(Fence(fence.0 + 1))));
        let next = scene.run.call().operation;
        assert_eq!((next.fence, next.not_before.since(before) >= machine::limits::CLAIM_AGAIN), (Some(Fence(fence.0 + 2)), true));
    }
    assert_eq!(scene.run.state.unconfirmed.len(), 1, "asking twenty times for one thing is one possibility");
    assert_eq!(scene.reach_the_end(), "rolled-back");
}

#[test]
fn a_fence_that_nobody_can_have_taken_is_not_believed() {
    let mut scene = Scene::new(plans::canary()).reach("watch-1");
    scene.run.tell(rollback());
    let before = scene.run.state.fence;
    scene.answer(ReportOutcome::Progress(Progress::Superseded(Fence(u64::MAX))));
    assert_eq!(scene.run.state.fence, before);
    assert_eq!(scene.reach_the_end(), "rolled-back");
}

#[test]
fn the_way_back_is_not_given_up_before_its_deadline() {
    let mut scene = Scene::new(plans::canary()).reach("watch-1");
    scene.run.tell(rollback());
    for _ in 0..20 {
        scene.answer(lost(false, false));
    }
    assert_eq!(scene.run.phase(), "rolling-back");
    assert_eq!(scene.run.waits_for(), "giving all traffic back to the stable side: the call timed out");
    scene.run.reach_deadline();
    let Some(Outcome::RollbackFailed { message, .. }) = scene.run.state.outcome() else { panic!("{}", scene.run.phase()) };
    assert_eq!(message, "giving all traffic back to the stable side: the call timed out");
}

#[test]
fn the_candidate_is_asked_for_at_what_it_is_known_to_have() {
    let mut scene = Scene::new(plans::canary()).reach("reconcile-4");
    scene.run.tell(rollback());
    let OperationKind::Reconcile { desired } = scene.run.call().operation.kind else { panic!("the way back reconciles") };
    assert_eq!(desired.candidate.map(|c| c.capacity.get()), Some(25), "50 were asked for and never confirmed");
    assert_eq!(desired.routing, plans::weight(0));
}
