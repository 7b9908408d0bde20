//! Deadlines: absolute, stored, measured on progress, and never early.

use model::{Command, Event, Millis, Phase, Progress, ReportOutcome};

use crate::support::plans::{self, STEP_DEADLINE, WAIT};
use crate::support::world::{Candidate, gate};
use crate::support::{Run, Scene};

#[test]
fn nothing_happens_before_its_time() {
    let scenes = ["gate-1", "reconcile-2", "watch-1"].map(|step| Scene::new(plans::canary()).reach(step).run);
    let waiting = Scene::new(plans::blue_green()).reach("wait-1").run;
    for mut run in scenes.into_iter().chain([waiting, Run::queued(plans::canary())]) {
        let calls = run.calls().len();
        let deadline = machine::deadline(&run.state).unwrap();
        run.now = deadline - Millis(1);
        assert_eq!(run.tell(Command::Tick), [], "in {}", run.phase());
        assert_eq!(run.calls().len(), calls);
    }
}

#[test]
fn what_waits_too_long_ends_truthfully() {
    let mut queued = Run::queued(plans::canary());
    queued.reach_deadline();
    assert_eq!(queued.state.phase(), Phase::Expired);

    let mut scene = Scene::new(plans::canary());
    let began = scene.run.now;
    while scene.run.step() == "gate-1" {
        scene.answer(gate(model::GateAnswer::Wait, "the tests still run"));
        if scene.run.now.since(began) >= STEP_DEADLINE {
            scene.run.reach_deadline();
        }
    }
    let Some(model::Outcome::Expired { waiting_for }) = scene.run.state.outcome() else { panic!("{}", scene.run.phase()) };
    assert_eq!(waiting_for, "the gate junit: the tests still run");

    let mut scene = Scene::new(plans::canary()).reach("reconcile-1");
    scene.world.candidate_is = Candidate::NeverReady;
    let began = scene.run.now;
    scene.until(|run| run.phase() == "rolling-back");
    assert_eq!(scene.run.now, began + STEP_DEADLINE);
    assert_eq!(scene.reach_the_end(), "rolled-back");
}

#[test]
fn a_wait_lasts_its_time() {
    let mut scene = Scene::new(plans::blue_green()).reach("wait-1");
    let began = scene.run.now;
    assert_eq!(scene.run.waits_for(), "time to pass");
    scene.run.reach_deadline();
    assert_eq!((scene.run.step(), scene.run.now), ("reconcile-3", began + WAIT));
}

/// Reports this many ready on the candidate side after a while.
fn ready(scene: &mut Scene, ready: u32) {
    let mut observation = scene.world.observation();
    observation.sides.retain(|side| side.side == model::Side::Stable);
    let mut candidate = observation.sides[0].clone();
    candidate.side = model::Side::Candidate;
    candidate.ready = ready;
    observation.sides.push(candidate);
    let message = format!("{ready} ready");
    scene.answer(ReportOutcome::Progress(Progress::InProgress { observation, retry_after_ms: 60_000, message }));
}

#[test]
fn progress_gives_the_time_anew_and_standing_still_does_not() {
    let mut scene = Scene::new(plans::canary()).reach("reconcile-1");
    ready(&mut scene, 0);
    let deadline = machine::deadline(&scene.run.state).unwrap();
    ready(&mut scene, 0);
    assert_eq!(machine::deadline(&scene.run.state), Some(deadline));
    ready(&mut scene, 1);
    assert_eq!(machine::deadline(&scene.run.state), Some(scene.run.now + STEP_DEADLINE));
}

#[test]
fn a_candidate_that_comes_and_goes_does_not_keep_its_step_for_ever() {
    let mut scene = Scene::new(plans::canary()).reach("reconcile-1");
    let began = scene.run.now;
    let mut up = 0;
    while scene.run.phase() != "rolling-back" {
        assert!(scene.run.now.since(began) < Millis::hours(24), "it comes and goes for ever");
        up = 1 - up;
        ready(&mut scene, up);
        if machine::deadline(&scene.run.state).unwrap() <= scene.run.call().operation.not_before {
            scene.run.reach_deadline();
        }
    }
    assert_eq!(scene.run.now, began + Millis(STEP_DEADLINE.0 * machine::limits::PROGRESS_EXTENDS_MAX));
}

#[test]
fn a_deployment_is_woken_only_when_there_is_something_to_do() {
    for (name, plan) in plans::all() {
        let mut scene = Scene::new(plan);
        let mut wakes = 0;
        while !scene.run.state.is_terminal() && wakes < 1_000 {
            let before = scene.run.events.len();
            let deadline = machine::deadline(&scene.run.state);
            scene.turn();
            let moved = scene.run.events.len() > before || machine::deadline(&scene.run.state) != deadline;
            assert!(moved, "{name} was woken at {deadline:?} for nothing");
            wakes += 1;
        }
        assert!(scene.run.state.is_terminal(), "{name} was woken {wakes} times and is {}", scene.run.phase());
        assert_eq!(machine::deadline(&scene.run.state), None);
    }
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    let mut scene = Scene::new(plans::canary()).reach("watch-1");
    scene.run.now = scene.run.now - Millis::minutes(10);
    scene.run.tell(Command::Tick);
    scene.run.tell(Command::Pause { by: crate::support::member("user:bea"), reason: String::new() });
    scene.run.now = scene.run.now - Millis::minutes(10);
    let events = scene.run.tell(Command::Resume { by: crate::support::member("user:bea") });
    assert!(events.iter().any(|e| matches!(e, Event::Resumed { .. })));
    assert_eq!(scene.reach_the_end(), "succeeded");
}
