//! Standing still and going on.

use model::{Command, Event, HowCompleted, InconclusiveAction, Millis, UnhealthyAction, Verdict};

use crate::support::plans::{self, Builder, PATIENCE, STEP_DEADLINE, WATCH, weight};
use crate::support::world::look;
use crate::support::{Run, Scene, member};

fn pause() -> Command {
    Command::Pause { by: member("user:bea"), reason: "lunch".into() }
}

fn resume() -> Command {
    Command::Resume { by: member("user:bea") }
}

fn promote() -> Command {
    Command::Promote { by: member("user:bea") }
}

/// A watch that asks a person in every doubt, with no look taken yet.
fn watching() -> Scene {
    let ready = Builder::new(model::Strategy::BlueGreen).sides(100, 100, weight(0)).sides(100, 100, weight(100));
    let plan = ready.watch_or(UnhealthyAction::Pause, InconclusiveAction::Pause).promote().finish();
    Scene::new(plan).reach("watch-1")
}

/// Answers every look that comes until it is paused.
fn until_paused(scene: &mut Scene, verdict: Verdict) {
    for _ in 0..200 {
        if scene.run.state.pause.is_some() {
            return;
        }
        match scene.run.calls().first() {
            Some(call) => drop(scene.run.tell(crate::support::scene::report(call, look(verdict, "as told")))),
            None => drop(scene.run.reach_deadline()),
        }
    }
    panic!("200 looks that were {verdict:?} did not pause it");
}

#[test]
fn a_paused_deployment_owes_nothing_and_waits_for_a_person() {
    let mut scene = Scene::new(plans::canary()).reach("reconcile-2");
    let call = scene.run.call();
    scene.run.tell(pause());
    assert_eq!(scene.run.calls(), []);
    assert_eq!(scene.run.waits_for(), "a person: paused by user:bea: lunch");
    // What was under way may arrive, and is remembered; the next step is not entered.
    scene.perform(&call);
    assert_eq!((scene.run.step(), scene.run.calls().len()), ("reconcile-2", 0));
    scene.run.tell(resume());
    assert_eq!(scene.run.step(), "watch-1");
}

#[test]
fn what_was_under_way_is_attempted_again_after_a_pause_with_its_key_and_fence() {
    let mut scene = Scene::new(plans::canary()).reach("reconcile-2");
    let before = scene.run.call();
    scene.run.tell(pause());
    scene.run.after(Millis::hours(1)).tell(resume());
    let after = scene.run.call();
    assert_eq!((&before.operation.key, before.operation.fence), (&after.operation.key, after.operation.fence));
    assert_eq!((after.operation.attempt, after.operation.outcome_unknown, after.operation.failures), (2, true, 0));
}

#[test]
fn a_pause_moves_every_deadline_by_its_length() {
    let deadline = |run: &Run| machine::deadline(&run.state).unwrap();
    let mut run = Scene::new(plans::canary()).reach("reconcile-2").run;
    let (before, length) = (deadline(&run), Millis::hours(3));
    run.tell(pause());
    run.after(length).tell(resume());
    assert_eq!(deadline(&run), before + length);
    assert_eq!(before, run.now - length + STEP_DEADLINE);

    let mut run = watching().run;
    let started = run.state.watch.clone().unwrap().started_at;
    run.tell(pause());
    run.after(length).tell(resume());
    assert_eq!(run.state.watch.clone().unwrap().started_at, started + length);
}

#[test]
fn a_pause_that_nobody_answers_is_taken_back() {
    let mut scene = Scene::new(plans::canary()).reach("reconcile-2");
    scene.run.tell(pause());
    scene.run.reach_deadline();
    assert_eq!(scene.run.phase(), "rolling-back");
    assert_eq!(scene.reach_the_end(), "rolled-back");

    let mut before_any_effect = Run::active(plans::canary());
    before_any_effect.tell(pause());
    before_any_effect.reach_deadline();
    assert_eq!(before_any_effect.phase(), "expired");
}

#[test]
fn a_verdict_s_pause_is_answered_by_looking_again_or_by_a_waiver() {
    for verdict in [Verdict::Unhealthy, Verdict::Inconclusive] {
        let mut scene = watching();
        until_paused(&mut scene, verdict);
        assert!(scene.run.waits_for().starts_with("a person: probe "), "{}", scene.run.waits_for());
        assert_eq!(scene.run.state.operations, [], "looks in flight are let go: they were for a watch that is over");
        scene.run.after(Millis::hours(1)).tell(resume());
        let watch = scene.run.state.watch.clone().unwrap();
        assert_eq!((watch.started_at, watch.checks[0].looks), (scene.run.now, 0), "it looks anew, from the start");

        until_paused(&mut scene, verdict);
        let events = scene.run.tell(promote());
        let waived =
            |e: &Event| matches!(e, Event::StepCompleted { how: HowCompleted::WaivedBy(by), .. } if by.name == "user:bea");
        assert!(events.iter().any(waived), "{events:?}");
        assert_eq!(scene.reach_the_end(), "succeeded");
    }
}

#[test]
fn an_undecided_watch_asks_only_after_its_patience() {
    let mut scene = watching();
    let began = scene.run.now;
    until_paused(&mut scene, Verdict::Inconclusive);
    assert_eq!(scene.run.now, began + WATCH + PATIENCE);
}

#[test]
fn somebody_may_end_a_wait() {
    let mut scene = Scene::new(plans::blue_green()).reach("wait-1");
    scene.run.tell(promote());
    assert_eq!(scene.run.step(), "reconcile-3");
}

#[test]
fn a_person_may_take_a_paused_deployment_back() {
    let mut scene = watching();
    until_paused(&mut scene, Verdict::Unhealthy);
    scene.run.tell(Command::Abort { by: member("user:bea"), reason: "enough".into() });
    assert_eq!(scene.reach_the_end(), "aborted");
}
