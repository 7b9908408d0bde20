//! The checks can fail: each is shown a lie that it must find.

use machine::invariants::{
    LIST, SideSample, TargetSample, check_end, check_history, check_scope, check_settled, check_step, check_target,
};
use model::{
    Approval, Assessment, CheckState, Command, Confirmed, Event, Fence, HowCompleted, Operation, OperationKind, Outcome, Pause,
    PauseReason, PlanHash, ReleaseId, ReportOutcome, Side, Stage, State, Timestamp, Verdict, WatchSpec,
};

use crate::support::plans::{self, percent, weight};
use crate::support::{Run, Scene, actor, member};

fn at(step: &str) -> State {
    Scene::new(plans::canary()).reach(step).run.state
}

fn ended(command: Command) -> State {
    let mut scene = Scene::new(plans::canary()).reach("watch-2");
    scene.run.tell(command);
    scene.reach_the_end();
    scene.run.state
}

fn taking_back() -> State {
    let mut scene = Scene::new(plans::canary()).reach("watch-2");
    scene.run.tell(Command::Rollback { by: member("user:bea"), reason: "no".into() });
    scene.run.state
}

/// Lets an event happen that `decide` would not have decided, and changes what came of it.
fn lie(before: State, event: &Event, change: impl FnOnce(&mut State), expect: &str) {
    let mut after = machine::apply(Some(before.clone()), event);
    change(&mut after);
    found(check_step(Some(&before), event, &after), expect);
}

fn found(checked: Result<(), machine::invariants::Violation>, expect: &str) {
    let violation = checked.expect_err(expect);
    assert_eq!(violation.name, expect, "{violation}");
    let listed = LIST.iter().find(|entry| entry.number == violation.number).unwrap();
    assert_eq!(listed.name, expect);
}

fn done(step: usize, how: HowCompleted) -> Event {
    Event::StepCompleted { step, how, at: Timestamp(i64::MAX) }
}

fn over(outcome: Outcome) -> Event {
    Event::Ended { outcome, at: Timestamp(i64::MAX) }
}

/// The first intent of a canary, with another operation in its place.
fn intent(run: &Run, change: impl FnOnce(&mut model::Operation, &mut Confirmed)) -> Event {
    let intents = run.events.iter().rev().find_map(|event| match event {
        Event::OperationIntended { operation, asks_for: Some(asks_for) } => Some((operation.clone(), asks_for.clone())),
        _ => None,
    });
    let (mut operation, mut asks_for) = intents.unwrap();
    operation.key = model::OperationKey::of(&run.state.id, "lie", 99);
    operation.fence = Some(run.state.fence.next());
    change(&mut operation, &mut asks_for);
    Event::OperationIntended { operation, asks_for: Some(asks_for) }
}

#[test]
fn lies_about_intents_are_found() {
    let run = Scene::new(plans::canary()).reach("watch-1").run;
    let check = |change: &dyn Fn(&mut model::Operation, &mut Confirmed), expect| {
        lie(run.state.clone(), &intent(&run, |operation, asks| change(operation, asks)), |_| {}, expect);
    };
    check(&|_, asks| asks.candidate = percent(0), "traffic_only_to_sides_with_confirmed_capacity");
    check(&|_, asks| (asks.candidate, asks.routing) = (percent(0), weight(0)), "capacity_is_never_taken_from_under_traffic");
    check(&|operation, _| operation.fence = Some(Fence(1)), "fences_only_grow");
    check(&|operation, _| operation.fence = None, "fences_only_grow");

    let busy = Scene::new(plans::canary()).reach("reconcile-2").run;
    lie(busy.state.clone(), &intent(&busy, |_, _| {}), |_| {}, "one_effect_on_the_target_at_a_time");
    let unknown = intent(&busy, |_, _| {});
    let Event::OperationIntended { operation, .. } = unknown else { unreachable!("it is an intent") };
    let abandoned = Event::OperationAbandoned { key: operation.key, reason: String::new() };
    lie(busy.state, &abandoned, |_| {}, "every_outcome_names_a_journaled_intent");

    let mut paused = run;
    paused.tell(Command::Pause { by: member("user:bea"), reason: String::new() });
    let event = intent(&paused, |_, _| {});
    lie(paused.state, &event, |_| {}, "no_forward_effect_in_a_paused_state");
}

#[test]
fn lies_about_states_are_found() {
    let resumed = Event::Resumed { by: member("user:bea"), at: Timestamp(0) };
    let check = |change: &dyn Fn(&mut State), expect| lie(at("reconcile-2"), &resumed, change, expect);
    check(&|state| state.version += 1, "versions_are_gap_free");
    check(&|state| state.plan.hash = PlanHash::new("plan-2").unwrap(), "the_plan_in_force_never_changes");
    check(&|state| state.fence = Fence(0), "fences_only_grow");
    check(&|state| state.good = Side::Candidate, "the_good_side_changes_only_by_a_promotion_or_its_reversal");
    check(&|state| state.operations[0].failures = 3, "retries_stay_within_their_limit");
    check(&|state| state.operations[0].fence = Some(Fence(99)), "a_retry_keeps_key_and_fence");
}

#[test]
fn lies_about_progress_are_found() {
    let healthy = || done(3, HowCompleted::Healthy);
    lie(at("watch-1"), &healthy(), |_| {}, "an_inconclusive_verdict_never_advances");
    lie(at("watch-1"), &done(3, HowCompleted::Done), |_| {}, "an_inconclusive_verdict_never_advances");
    let (at_once, deadline) = (Timestamp(0), Timestamp(i64::MAX));
    lie(at("watch-1"), &Event::StepEntered { step: 6, at: at_once, deadline }, |_| {}, "steps_follow_in_their_order");
    lie(at("watch-1"), &over(Outcome::Succeeded), |_| {}, "steps_follow_in_their_order");
    let early = Event::StepCompleted { step: 9, how: HowCompleted::Done, at: at_once };
    let waiting = Scene::new(plans::blue_green()).reach("wait-1").run.state;
    let Stage::Forward { step, .. } = waiting.stage else { unreachable!("it waits") };
    let Event::StepCompleted { how, at, .. } = early else { unreachable!("it is a completion") };
    lie(waiting, &Event::StepCompleted { step, how, at }, |_| {}, "time_alone_changes_nothing_before_its_deadline");
    let expired = Event::Ended { outcome: Outcome::Expired { waiting_for: String::new() }, at: at_once };
    lie(Run::queued(plans::canary()).state, &expired, |_| {}, "time_alone_changes_nothing_before_its_deadline");
}

#[test]
fn lies_about_watches_are_found() {
    let watched = Scene::new(plans::scrutinised()).reach("watch-1").run;
    let cause = |check: &str| model::Cause::Unhealthy {
        step: watched.state.plan.steps[2].id.clone(),
        check: check.into(),
        sentence: "errors".into(),
    };
    let turned =
        |check: &str, at| Event::TurnedBack { cause: cause(check), steps: Vec::new(), at, deadline: Timestamp(i64::MAX) };
    let paused = |reason, since| Event::Paused { pause: Pause { reason, since, deadline: Timestamp(i64::MAX) } };
    let (check, sentence) = ("probe".to_owned(), "nothing".to_owned());
    let ill = |check: usize, change: &dyn Fn(&mut model::CheckState)| {
        let mut state = watched.state.clone();
        change(&mut state.watch.as_mut().unwrap().checks[check]);
        state
    };
    let expect = "a_dry_run_verdict_decides_nothing";
    // Nobody has said anything yet, or only the dry run has, or not enough.
    lie(watched.state.clone(), &turned("probe", watched.now), |_| {}, expect);
    lie(ill(1, &|drill| drill.unhealthy_in_a_row = 9), &turned("drill", watched.now), |_| {}, expect);
    lie(ill(1, &|drill| drill.errors_in_a_row = 9), &turned("drill", Timestamp(i64::MAX)), |_| {}, expect);
    let unhealthy = PauseReason::Unhealthy { check: check.clone(), sentence: sentence.clone() };
    lie(watched.state.clone(), &paused(unhealthy.clone(), watched.now), |_| {}, expect);
    lie(ill(0, &|probe| probe.errors_in_a_row = 9), &paused(unhealthy, watched.now), |_| {}, expect);
    let inconclusive = PauseReason::Inconclusive { check, sentence };
    lie(ill(0, &|probe| probe.unhealthy_in_a_row = 9), &paused(inconclusive, watched.now), |_| {}, expect);
    lie(at("reconcile-2"), &turned("probe", watched.now), |_| {}, expect);

    let steps = model::StepKind::Watch;
    let mut blind = watched.state.clone();
    let model::StepKind::Watch(spec) = blind.plan.steps[2].kind.clone() else { unreachable!("it is a watch") };
    blind.plan.steps[2].kind = steps(WatchSpec { checks: vec![plans::dry_run("drill")], ..spec });
    blind.watch.as_mut().unwrap().checks = vec![CheckState { last: Some(well()), ..CheckState::default() }];
    blind.operations.clear();
    lie(blind, &done(2, HowCompleted::Healthy), |_| {}, "an_inconclusive_verdict_never_advances");

    let look = |check, at| {
        let Some(Event::OperationIntended { operation, .. }) = watched.events.iter().rev().find(
            |event| matches!(event, Event::OperationIntended { operation, .. } if operation.key.as_str().contains("look-0")),
        ) else {
            unreachable!("a look was intended")
        };
        let kind = OperationKind::Look { check };
        let key = model::OperationKey::of(&watched.state.id, "lie", 99);
        Event::OperationIntended { operation: Operation { key, kind, intended_at: at, ..operation.clone() }, asks_for: None }
    };
    let expect = "a_look_is_not_taken_before_its_time";
    lie(watched.state.clone(), &look(1, watched.now), |_| {}, expect);
    lie(ill(1, &|drill| drill.next_look_at = Timestamp(0)), &look(1, watched.now), |_| {}, expect);
    lie(ill(2, &|traffic| traffic.next_look_at = Timestamp(i64::MAX)), &look(2, watched.now), |_| {}, expect);
    lie(watched.state.clone(), &look(3, watched.now), |_| {}, expect);
    lie(at("reconcile-2"), &look(0, watched.now), |_| {}, expect);
}

fn well() -> Assessment {
    let ReportOutcome::Look(found) = crate::support::world::look(Verdict::Healthy, "well") else { unreachable!("it is a look") };
    found
}

#[test]
fn lies_about_approvals_are_found() {
    let asking = Scene::new(plans::guarded()).reach("approval-1").run;
    let step = asking.state.plan.steps[1].id.clone();
    let hash = || asking.state.plan.hash.clone();
    let check = |by, plan, at| {
        let event = Event::Approved { approval: Approval { by, at, step: step.clone(), plan } };
        lie(asking.state.clone(), &event, |_| {}, "an_approval_counts_once_from_those_entitled_and_in_time");
    };
    check(actor("user:eve"), hash(), asking.now);
    check(member("user:ada"), hash(), asking.now);
    check(member("user:bea"), PlanHash::new("plan-2").unwrap(), asking.now);
    check(member("user:bea"), hash(), Timestamp(i64::MAX));
}

#[test]
fn lies_about_the_way_back_and_the_end_are_found() {
    let rolled_back = || Outcome::RolledBack(model::Cause::FencedOff { highest: Fence(9) });
    let good = "a_rolled_back_deployment_left_the_good_side_with_all_traffic";
    lie(at("watch-2"), &over(rolled_back()), |_| {}, good);
    lie(at("watch-2"), &over(Outcome::Rejected { reason: String::new() }), |_| {}, "an_end_without_effects_left_the_world_alone");
    lie(taking_back(), &Event::CandidatePromoted { at: Timestamp(0) }, |_| {}, "no_forward_effect_after_turning_back");
    lie(taking_back(), &Event::BackStepCompleted { step: 1, at: Timestamp(0) }, |_| {}, "an_undo_completes_at_most_once");
    let reverted = Event::PromotionReverted { at: Timestamp(0) };
    lie(at("watch-2"), &reverted, |_| {}, "a_promotion_is_reversed_only_while_the_old_side_stands_by");
    let turned = |steps| Event::TurnedBack {
        cause: model::Cause::FencedOff { highest: Fence(9) },
        steps,
        at: Timestamp(0),
        deadline: Timestamp(i64::MAX),
    };
    let undo = turned(vec![model::BackStep::Undo { step: 0 }]);
    lie(at("watch-2"), &undo, |_| {}, "a_way_back_undoes_exactly_what_was_done_in_reverse_order");
    let past = Scene::new(plans::irreversible()).reach("watch-1").run.state;
    lie(past, &turned(Vec::new()), |_| {}, "nothing_is_taken_back_past_a_point_of_no_return");
}

#[test]
fn an_event_after_the_end_is_found() {
    let over = ended(Command::Abort { by: member("user:bea"), reason: "no".into() });
    let event = Event::Resumed { by: member("user:bea"), at: Timestamp(0) };
    found(check_step(Some(&over), &event, &over), "terminal_states_absorb");
}

#[test]
fn a_journal_that_tells_another_story_is_found() {
    let mut scene = Scene::new(plans::canary());
    scene.reach_the_end();
    let (events, state) = (&scene.run.events, &scene.run.state);
    assert_eq!(check_history(events, state), Ok(()));
    found(check_history(&events[..events.len() - 1], state), "the_journal_folds_to_the_state");
    let unwatched: Vec<Event> = events.iter().filter(|e| !matches!(e, Event::StepCompleted { step: 3, .. })).cloned().collect();
    found(check_history(&unwatched, state), "promotion_only_after_every_watch_before_it_ended_healthy");
    let twice: Vec<Event> = events.iter().chain(events).cloned().collect();
    found(check_history(&twice, state), "every_intent_has_a_key_of_its_own");
}

#[test]
fn a_target_that_shows_the_wrong_thing_is_found() {
    let scene = Scene::new(plans::canary()).reach("watch-1");
    let sample = scene.world.sample();
    let check = |change: &dyn Fn(&mut TargetSample), expect| {
        let mut after = sample.clone();
        change(&mut after);
        found(check_target(Some(&sample), &after, &scene.run.state), expect);
    };
    assert_eq!(check_target(Some(&sample), &sample, &scene.run.state), Ok(()));
    check(&|s| s.highest_fence = Fence(0), "the_highest_fence_seen_never_falls");
    check(&|s| s.highest_fence = Fence(99), "the_target_has_seen_no_fence_that_was_not_journaled");
    check(&|s| s.candidate = None, "the_target_sends_traffic_only_to_sides_that_are_ready");
    let unknown = || Some(SideSample { release: plans::release(3).id, ready: 1 });
    check(&|s| s.candidate = unknown(), "the_target_runs_only_what_was_asked_for");
    check(&|s| s.stable = unknown(), "the_target_runs_only_what_was_asked_for");
}

#[test]
fn a_target_that_did_not_come_back_is_found() {
    let aborted = ended(Command::Abort { by: member("user:bea"), reason: "no".into() });
    let side = |number| Some(SideSample { release: ReleaseId::new(&format!("release-{number}")).unwrap(), ready: 100 });
    let alone = |number| TargetSample { highest_fence: Fence(9), routing: weight(0), stable: side(number), candidate: None };
    assert_eq!(check_end(&aborted, &alone(1)), Ok(()));
    found(check_end(&aborted, &alone(2)), "after_a_way_back_the_target_runs_the_old_release_alone");
    let mut scene = Scene::new(plans::canary());
    scene.reach_the_end();
    assert_eq!(check_end(&scene.run.state, &alone(2)), Ok(()));
    found(check_end(&scene.run.state, &alone(1)), "after_a_success_the_target_runs_the_new_release_alone");
    found(check_end(&at("watch-1"), &alone(1)), "every_deployment_comes_to_rest");
}

#[test]
fn a_deployment_that_waits_and_has_not_asked_is_found() {
    for step in ["gate-1", "reconcile-1"] {
        let mut forgot = at(step);
        assert_eq!(check_settled(&forgot), Ok(()));
        forgot.operations.clear();
        found(check_settled(&forgot), "whoever_waits_for_an_answer_has_asked");
    }
    let mut forgot = taking_back();
    forgot.operations.clear();
    found(check_settled(&forgot), "whoever_waits_for_an_answer_has_asked");
}

#[test]
fn two_active_deployments_of_one_scope_are_found() {
    let (queued, active) = (Run::queued(plans::canary()).state, at("watch-1"));
    assert_eq!(check_scope([&queued, &active]), Ok(()));
    found(check_scope([&active, &active]), "at_most_one_active_deployment_per_scope");
}
