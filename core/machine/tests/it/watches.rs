//! Health checks that judge: when they decide, and that nothing but a healthy look lets a deployment on.

use model::{Command, InconclusiveAction, Millis, ReportOutcome, UnhealthyAction, Verdict};

use crate::support::plans::{self, Builder, INTERVAL, PATIENCE, WATCH, weight};
use crate::support::scene::{lost, report};
use crate::support::world::look;
use crate::support::{Run, Scene};

use Verdict::{Error, Healthy, Inconclusive, Unhealthy};

fn watching(on_unhealthy: UnhealthyAction, on_inconclusive: InconclusiveAction) -> Run {
    let ready = Builder::new(model::Strategy::BlueGreen).sides(100, 100, weight(0)).sides(100, 100, weight(50));
    let plan = ready.watch_or(on_unhealthy, on_inconclusive).sides(100, 100, weight(100)).promote().finish();
    Scene::new(plan).reach("watch-1").run
}

/// Answers the looks of the first check in turn, from the last one on always with the same; the second check is healthy.
fn watch_with(run: &mut Run, first: &[Verdict]) {
    let mut answers = first.iter().copied();
    let mut last = Healthy;
    for _ in 0..200 {
        if run.step() != "watch-1" || run.state.pause.is_some() {
            return;
        }
        let calls = run.calls();
        for call in &calls {
            let probe = call.operation.key.as_str().contains("look-0");
            last = if probe { answers.next().unwrap_or(last) } else { last };
            run.tell(report(call, look(if probe { last } else { Healthy }, "as told")));
        }
        if calls.is_empty() {
            run.reach_deadline();
        }
    }
    panic!("200 turns did not decide the watch");
}

/// What came of it, and after how long.
fn check(first: &[Verdict], expect: &str, after: Millis) {
    let mut run = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
    let began = run.now;
    watch_with(&mut run, first);
    let came = if run.state.pause.is_some() { "paused" } else { run.phase() };
    assert_eq!((came, run.now.since(began)), (expect, after), "{first:?}");
}

#[test]
fn verdicts_decide_as_the_plan_says() {
    let looks = |number: u64| Millis(INTERVAL.0 * number);
    check(&[Healthy], "shifting", WATCH);
    check(&[Unhealthy], "rolling-back", looks(1));
    check(&[Healthy, Unhealthy, Healthy], "shifting", WATCH);
    check(&[Healthy, Unhealthy, Unhealthy], "rolling-back", looks(2));
    check(&[Inconclusive], "paused", Millis(WATCH.0 + PATIENCE.0));
    check(&[Inconclusive, Inconclusive, Healthy], "shifting", WATCH);
    check(&[Error], "paused", looks(2));
    check(&[Error, Error, Healthy], "shifting", WATCH);
}

#[test]
fn a_look_that_saw_nothing_takes_nothing_back() {
    check(&[Unhealthy, Error, Unhealthy], "rolling-back", Millis(INTERVAL.0 * 2));
    check(&[Unhealthy, Inconclusive, Unhealthy], "rolling-back", Millis(INTERVAL.0 * 2));
    check(&[Unhealthy, Healthy, Unhealthy, Healthy], "shifting", WATCH);
}

#[test]
fn a_check_that_turns_well_in_the_patience_lets_it_on() {
    let doubts = [Inconclusive; 11];
    let answers: Vec<Verdict> = doubts.into_iter().chain([Healthy]).collect();
    check(&answers, "shifting", Millis(WATCH.0 + INTERVAL.0));
}

#[test]
fn a_look_that_is_lost_is_an_error_and_a_wrong_answer_fails_the_step() {
    let mut run = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
    let call = run.calls().remove(0);
    run.tell(report(&call, lost(true, true)));
    assert_eq!(run.state.watch.clone().unwrap().checks[0].errors_in_a_row, 1);
    let call = run.calls().remove(0);
    run.tell(report(&call, crate::support::world::gate(model::GateAnswer::Pass, "yes")));
    assert_eq!(run.phase(), "rolling-back");
}

#[test]
fn what_the_plan_says_about_doubt_does_not_depend_on_what_it_says_about_illness() {
    let mut run = watching(UnhealthyAction::Pause, InconclusiveAction::GoBack);
    watch_with(&mut run, &[Inconclusive]);
    assert_eq!((run.phase(), run.state.pause.is_some()), ("rolling-back", false));
    let mut run = watching(UnhealthyAction::Pause, InconclusiveAction::GoBack);
    watch_with(&mut run, &[Error]);
    assert_eq!((run.phase(), run.state.pause.is_some()), ("rolling-back", false));
    let mut run = watching(UnhealthyAction::Pause, InconclusiveAction::GoBack);
    watch_with(&mut run, &[Unhealthy]);
    assert!(run.state.pause.is_some());
}

#[test]
fn a_plugin_cannot_postpone_its_next_look_past_the_watch() {
    let mut run = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
    let call = run.calls().remove(0);
    let ReportOutcome::Look(mut found) = look(Healthy, "see you") else { unreachable!("a look is a look") };
    found.next_look_after = Some(Millis(u64::MAX));
    run.tell(report(&call, ReportOutcome::Look(found)));
    assert_eq!(run.state.watch.clone().unwrap().checks[0].next_look_at, run.now + machine::limits::AGAIN_MAX);
}

#[test]
fn a_failed_look_does_not_lose_what_the_plugin_wanted_to_remember() {
    let mut run = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
    let ReportOutcome::Look(mut found) = look(Healthy, "well") else { unreachable!("a look is a look") };
    found.plugin_state = Some(vec![1, 2, 3]);
    let call = run.calls().remove(0);
    run.tell(report(&call, ReportOutcome::Look(found)));
    run.reach_deadline();
    let call = run.calls().into_iter().find(|c| c.operation.key.as_str().contains("look-0")).unwrap();
    run.tell(report(&call, lost(false, true)));
    let check = run.state.watch.clone().unwrap().checks.remove(0);
    assert_eq!(check.last.unwrap().plugin_state, Some(vec![1, 2, 3]));
}

#[test]
fn a_watch_says_whom_it_waits_for() {
    let mut run = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
    assert_eq!(run.waits_for(), "health checks: probe (not looked yet); traffic (not looked yet)");
    let call = run.calls().remove(0);
    run.tell(report(&call, look(Healthy, "well")));
    assert_eq!(run.waits_for(), "health checks: traffic (not looked yet)");
    let call = run.calls().remove(0);
    run.tell(report(&call, look(Healthy, "well")));
    assert_eq!(run.waits_for(), "the watch to last its time");
    assert_eq!(plans::INTERVAL, machine::deadline(&run.state).unwrap().since(run.now));
}

/// Answers every look that is open as the candidate's being well.
fn answer_well(run: &mut Run) {
    for call in run.calls() {
        run.tell(report(&call, look(Healthy, "well")));
    }
}

/// The engine dies and is back long after the watch and its patience are over.
fn away_for_longer_than_the_watch(run: &mut Run) {
    run.after(Millis((WATCH.0 + PATIENCE.0) * 10));
    run.tell(Command::Recover);
    run.tell(Command::Tick);
}

#[test]
fn an_engine_that_was_away_for_longer_than_the_watch_looks_once_more() {
    for looked_before in [false, true] {
        let mut run = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
        if looked_before {
            answer_well(&mut run);
        }
        away_for_longer_than_the_watch(&mut run);
        assert_eq!((run.step(), run.state.pause.is_some()), ("watch-1", false), "what was seen before is not enough to decide");
        assert_eq!(run.calls().len(), 2, "one look of each check");
        assert!(run.calls().iter().all(|call| call.deadline > run.now), "there is time to take it");
        answer_well(&mut run);
        assert_eq!(run.step(), "reconcile-3");
    }
}

#[test]
fn what_fell_ill_while_the_engine_was_away_does_not_go_on() {
    let mut run = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
    answer_well(&mut run);
    away_for_longer_than_the_watch(&mut run);
    let calls = run.calls();
    run.tell(report(&calls[0], look(Unhealthy, "errors")));
    run.tell(report(&calls[1], look(Healthy, "well")));
    assert_eq!(
        run.state.pause.as_ref().map(|_| run.step()),
        Some("watch-1"),
        "one look of two that it takes, and no time for more"
    );
}

#[test]
fn a_look_in_flight_at_the_end_is_waited_for() {
    let mut run = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
    while run.now.since(run.state.watch.clone().unwrap().started_at) < Millis(WATCH.0 - INTERVAL.0) {
        answer_well(&mut run);
        run.reach_deadline();
    }
    run.after(INTERVAL).tell(Command::Tick);
    assert_eq!((run.step(), run.calls().len()), ("watch-1", 2));
    answer_well(&mut run);
    assert_eq!(run.step(), "reconcile-3");
}

#[test]
fn a_look_that_never_comes_back_is_doubt() {
    let mut run = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
    let began = run.now;
    run.reach_deadline();
    assert_eq!((run.state.pause.is_some(), run.now.since(began)), (true, Millis(WATCH.0 + PATIENCE.0)));
    let mut late = watching(UnhealthyAction::GoBack, InconclusiveAction::Pause);
    away_for_longer_than_the_watch(&mut late);
    let asked = late.now;
    late.reach_deadline();
    assert_eq!((late.state.pause.is_some(), late.now.since(asked)), (true, machine::limits::LOOK_MAX));
}
