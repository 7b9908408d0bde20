//! What a path says of its checks: until decided, dry runs, critical ones, delays; and what they leave behind over a restart.

use model::{
    Check, CheckRole, Command, Event, HowCompleted, InconclusiveAction, Millis, OperationKind, Plan, UnhealthyAction, Verdict,
};

use crate::support::plans::{self, Builder, INTERVAL, PATIENCE, WATCH, critical, dry_run, weight};
use crate::support::rng::Rng;
use crate::support::scene::report;
use crate::support::world::look;
use crate::support::{Run, Scene, member};

use Verdict::{Error, Healthy, Inconclusive, Unhealthy};

const AT_LEAST: Millis = Millis::minutes(1);
const AT_MOST: Millis = Millis::minutes(10);

/// A plan with one watch, which this is the beginning of.
fn up_to_the_watch() -> Builder {
    Builder::new(model::Strategy::BlueGreen).sides(100, 100, weight(0)).sides(100, 100, weight(50))
}

fn behind_the_watch(watched: Builder) -> Plan {
    watched.sides(100, 100, weight(100)).promote().finish()
}

fn by(checks: Vec<Check>, on_unhealthy: UnhealthyAction) -> Plan {
    behind_the_watch(up_to_the_watch().watch_by(checks, on_unhealthy, InconclusiveAction::Pause))
}

fn until_decided() -> Plan {
    behind_the_watch(up_to_the_watch().watch().until_decided(AT_LEAST, AT_MOST))
}

fn watching(plan: Plan) -> Run {
    machine::check_plan(&plan).unwrap();
    Scene::new(plan).reach("watch-1").run
}

fn is_over(run: &Run) -> bool {
    run.state.watch.is_none() || run.state.pause.is_some()
}

fn came(run: &Run) -> &'static str {
    match (run.state.pause.is_some(), run.step()) {
        (true, _) => "paused",
        (false, "") => run.phase(),
        (false, _) => "went on",
    }
}

/// Answers every look until the watch is decided: `answer` is given the check and how many looks it had before. A look that gets no
/// answer stays open.
fn answer(run: &mut Run, mut answer: impl FnMut(usize, u32) -> Option<Verdict>) {
    for _ in 0..2_000 {
        if is_over(run) {
            return;
        }
        let told = run.calls().into_iter().find_map(|call| {
            let OperationKind::Look { check } = call.operation.kind else { return None };
            let before = run.state.watch.as_ref()?.checks[check].looks;
            Some((call, answer(check, before)?))
        });
        match told {
            Some((call, verdict)) => drop(run.tell(report(&call, look(verdict, "as told")))),
            None => drop(run.reach_deadline()),
        }
    }
    panic!("2000 turns did not decide the watch");
}

/// What comes of a plan's watch whose checks look like this, the last of each for ever, and after how long.
fn check(plan: Plan, looks: &[&[Verdict]], expect: &str, after: Millis) {
    let mut run = watching(plan);
    let began = run.now;
    answer(&mut run, |check, before| {
        let row = looks[check];
        row.get(before as usize).or(row.last()).copied()
    });
    assert_eq!((came(&run), run.now.since(began)), (expect, after), "{looks:?}");
}

fn sum(one: Millis, other: Millis) -> Millis {
    Millis(one.0 + other.0)
}

fn looks(number: u64) -> Millis {
    Millis(INTERVAL.0 * number)
}

#[test]
fn a_watch_until_decided_ends_when_all_are_satisfied_at_once_and_not_before_its_shortest_time() {
    check(until_decided(), &[&[Healthy], &[Healthy]], "went on", AT_LEAST);
    let slow = [Inconclusive, Inconclusive, Inconclusive, Inconclusive, Inconclusive, Healthy];
    check(until_decided(), &[&slow, &[Healthy]], "went on", looks(5));
    check(until_decided(), &[&[Inconclusive], &[Healthy]], "paused", AT_MOST);
    check(until_decided(), &[&[Unhealthy], &[Healthy]], "rolling-back", looks(1));
    // One is satisfied when the other is not, and the other way round, until both are.
    let first = [Healthy, Inconclusive, Healthy, Inconclusive, Healthy];
    let second = [Inconclusive, Healthy, Inconclusive, Healthy];
    check(until_decided(), &[&first, &second], "went on", looks(4));
}

#[test]
fn whoever_is_satisfied_goes_on_looking_while_another_cannot_tell() {
    let ill_later = [Healthy, Healthy, Healthy, Healthy, Unhealthy];
    check(until_decided(), &[&[Inconclusive], &ill_later], "rolling-back", looks(5));
    // So it is in the patience of a watch that lasts its time.
    let plain = || by(vec![plans::check("probe"), plans::check("traffic")], UnhealthyAction::GoBack);
    let at_the_end = u32::try_from(WATCH.0 / INTERVAL.0).unwrap();
    let mut run = watching(plain());
    let began = run.now;
    answer(&mut run, |check, before| {
        Some(if check == 0 {
            Inconclusive
        } else if before > at_the_end {
            Unhealthy
        } else {
            Healthy
        })
    });
    assert_eq!((came(&run), run.now.since(began)), ("rolling-back", sum(WATCH, looks(2))));
}

#[test]
fn looks_that_take_long_do_not_keep_a_watch_from_ending() {
    // Each look takes twenty intervals, and there is no moment at which no look of either check is on its way.
    let (takes, every) = (Millis::seconds(20), Millis::seconds(1));
    let slow = |name, seconds| Check { interval: every, start_after: Millis::seconds(seconds), ..plans::check(name) };
    let (go_back, asks) = (UnhealthyAction::GoBack, InconclusiveAction::Pause);
    let watched = up_to_the_watch().watch_by(vec![slow("probe", 0), slow("traffic", 10)], go_back, asks);
    let mut run = watching(behind_the_watch(watched.until_decided(AT_LEAST, AT_MOST)));
    let began = run.now;
    while !is_over(&run) {
        let due = machine::deadline(&run.state).unwrap();
        match run.calls().into_iter().min_by_key(|call| call.operation.intended_at) {
            Some(call) if call.operation.intended_at + takes <= due => {
                run.now = call.operation.intended_at + takes;
                run.tell(report(&call, look(Healthy, "well")));
            }
            _ => drop(run.reach_deadline()),
        }
    }
    assert_eq!((came(&run), run.now.since(began)), ("went on", Millis::seconds(72)));
}

#[test]
fn a_dry_run_is_measured_and_decides_nothing() {
    for dry in [Healthy, Unhealthy, Inconclusive, Error] {
        let plan = || by(vec![plans::check("probe"), dry_run("drill")], UnhealthyAction::GoBack);
        check(plan(), &[&[Healthy], &[dry]], "went on", WATCH);
        check(plan(), &[&[Unhealthy], &[dry]], "rolling-back", looks(1));
        check(plan(), &[&[Inconclusive], &[dry]], "paused", sum(WATCH, PATIENCE));
    }
    let mut run = watching(by(vec![plans::check("probe"), dry_run("drill")], UnhealthyAction::GoBack));
    answer(&mut run, |check, _| Some(if check == 0 { Healthy } else { Unhealthy }));
    let dry = |event: &&Event| matches!(event, Event::OperationCompleted { key, .. } if key.as_str().contains("look-1"));
    assert_eq!(run.events.iter().filter(dry).count() as u64, WATCH.0 / INTERVAL.0, "each of its looks is in the journal");
}

#[test]
fn a_dry_run_is_not_waited_for() {
    let mut run = watching(by(vec![plans::check("probe"), dry_run("drill")], UnhealthyAction::GoBack));
    let began = run.now;
    assert_eq!(run.waits_for(), "health checks: probe (not looked yet)");
    answer(&mut run, |check, _| (check == 0).then_some(Healthy));
    assert_eq!((came(&run), run.now.since(began)), ("went on", WATCH));
    let open: Vec<&str> = run.state.operations.iter().map(|o| o.key.as_str()).collect();
    assert!(open.len() == 1 && open[0].contains("reconcile-3"), "its look is let go when the watch is over: {open:?}");
}

/// The verdict of a check's next look, the same whoever else looks.
fn told(seed: u64, check: &str, before: u32) -> Verdict {
    let name = check.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
    let mut rng = Rng::new(seed * 1_000_003 + name * 1_009 + u64::from(before));
    // Mostly well, or nothing would ever last until the end.
    *rng.pick(&[Healthy, Healthy, Healthy, Healthy, Healthy, Unhealthy, Inconclusive, Error])
}

#[test]
fn with_dry_runs_beside_them_the_others_decide_the_same_at_the_same_time() {
    let mut ends = std::collections::BTreeMap::<&str, u32>::new();
    for seed in 0..400 {
        let deciding = vec![plans::check("probe"), Check { errors_tolerated: 0, ..critical("traffic") }];
        let mut all = vec![dry_run("drill"), Check { interval: Millis::seconds(7), ..dry_run("exercise") }];
        all.splice(1..1, deciding.clone());
        let end = |checks: Vec<Check>| {
            let names: Vec<String> = checks.iter().map(|check| check.health.name.clone()).collect();
            let watched = up_to_the_watch().watch_by(checks, UnhealthyAction::Pause, InconclusiveAction::GoBack);
            let mut run = watching(behind_the_watch(watched.until_decided(AT_LEAST, AT_MOST)));
            let began = run.now;
            answer(&mut run, |check, before| Some(told(seed, &names[check], before)));
            (came(&run), run.now.since(began))
        };
        let (without, with) = (end(deciding), end(all));
        assert_eq!(without, with, "seed {seed}");
        *ends.entry(with.0).or_default() += 1;
    }
    assert_eq!(ends.keys().copied().collect::<Vec<_>>(), ["paused", "rolling-back", "went on"], "{ends:?}");
}

#[test]
fn one_unhealthy_look_of_a_critical_check_leads_back_at_once() {
    let plan = || by(vec![plans::check("probe"), Check { failures_to_decide: 5, ..critical("traffic") }], UnhealthyAction::Pause);
    check(plan(), &[&[Healthy], &[Healthy, Healthy, Unhealthy]], "rolling-back", looks(2));
    check(plan(), &[&[Unhealthy], &[Healthy]], "paused", looks(1));
    // A check that cannot look has found nothing.
    check(plan(), &[&[Healthy], &[Error]], "paused", looks(2));
    check(plan(), &[&[Healthy], &[Inconclusive]], "paused", sum(WATCH, PATIENCE));
}

#[test]
fn of_two_objections_the_one_that_leads_back_is_heard() {
    let probe = Check { failures_to_decide: 1, ..plans::check("probe") };
    let mut run = watching(by(vec![probe, critical("traffic")], UnhealthyAction::Pause));
    // What comes back in a pause is remembered, and judged when it is over.
    let calls = run.calls();
    run.tell(Command::Pause { by: member("user:bea"), reason: String::new() });
    calls.iter().for_each(|call| drop(run.tell(report(call, look(Unhealthy, "errors")))));
    assert_eq!(came(&run), "paused");
    run.tell(Command::Resume { by: member("user:bea") });
    assert_eq!(came(&run), "rolling-back");
}

#[test]
fn a_soak_has_a_direction_of_its_own() {
    // Before the promotion the plan goes back; its soak pauses when unhealthy and goes back when undecided. Its checks: a dry run, one
    // that decides and starts later, a critical one.
    let soaking = || Scene::new(plans::scrutinised()).reach("watch-3");
    for (looks, expect) in [
        ([Unhealthy, Healthy, Healthy], "went on"),
        ([Healthy, Unhealthy, Healthy], "paused"),
        ([Healthy, Error, Healthy], "rolling-back"),
        ([Healthy, Inconclusive, Healthy], "rolling-back"),
        ([Healthy, Healthy, Unhealthy], "rolling-back"),
    ] {
        let mut scene = soaking();
        assert_eq!((scene.run.phase(), scene.run.state.good), ("soaking", model::Side::Candidate));
        answer(&mut scene.run, |check, _| Some(looks[check]));
        assert_eq!(came(&scene.run), expect, "{looks:?}");
        let end = if expect == "went on" { "succeeded" } else { "rolled-back" };
        if expect == "paused" {
            scene.run.tell(Command::Rollback { by: member("user:bea"), reason: "enough".into() });
        }
        assert_eq!(scene.reach_the_end(), end, "{looks:?}");
        assert_eq!(scene.run.state.good, if end == "succeeded" { model::Side::Candidate } else { model::Side::Stable });
    }
}

#[test]
fn where_nothing_leads_back_a_person_is_asked() {
    let asked = |check: Check, on_unhealthy, on_inconclusive, verdict| {
        let gone = Builder::new(model::Strategy::Rolling).sides(100, 100, weight(0)).sides(100, 100, weight(100));
        let gone = gone.sides(0, 100, weight(100)).promote().of_no_return();
        let mut run = watching(gone.watch_by(vec![check], on_unhealthy, on_inconclusive).finish());
        answer(&mut run, |_, _| Some(verdict));
        (came(&run), run.waits_for())
    };
    let found = asked(critical("traffic"), UnhealthyAction::Pause, InconclusiveAction::Pause, Unhealthy);
    assert_eq!(found, ("paused", "a person: traffic found it unhealthy: as told".to_owned()));
    // Whoever could not tell found nothing, and is not said to have.
    let blind = Check { errors_tolerated: 0, ..plans::check("probe") };
    let found = asked(blind, UnhealthyAction::GoBack, InconclusiveAction::GoBack, Error);
    assert_eq!(found, ("paused", "a person: probe could not tell: the check itself failed: as told".to_owned()));
}

#[test]
fn a_check_that_starts_later_is_not_asked_before() {
    let delay = Millis::seconds(75);
    let plan = || by(vec![plans::check("probe"), Check { start_after: delay, ..plans::check("late") }], UnhealthyAction::GoBack);
    let mut run = watching(plan());
    let began = run.now;
    answer(&mut run, |_, _| Some(Healthy));
    let at = run.events.iter().find_map(|event| match event {
        Event::OperationIntended { operation, .. } if operation.key.as_str().contains("look-1") => Some(operation.intended_at),
        _ => None,
    });
    assert_eq!((at.map(|at| at.since(began)), came(&run), run.now.since(began)), (Some(delay), "went on", WATCH));

    // A pause moves it like everything else.
    let mut run = watching(plan());
    run.after(Millis::seconds(60)).tell(Command::Pause { by: member("user:bea"), reason: String::new() });
    run.after(Millis::hours(1)).tell(Command::Resume { by: member("user:bea") });
    let next = run.state.watch.clone().unwrap().checks[1].next_look_at;
    assert_eq!(next.since(run.now), Millis::seconds(15));

    // When it is looked at anew after a verdict's pause, the delay begins anew.
    let asking = by(vec![Check { start_after: delay, ..plans::check("late") }], UnhealthyAction::Pause);
    let mut run = watching(asking);
    answer(&mut run, |_, _| Some(Unhealthy));
    run.after(Millis::hours(1)).tell(Command::Resume { by: member("user:bea") });
    assert_eq!(run.state.watch.clone().unwrap().checks[0].next_look_at.since(run.now), delay);
}

#[test]
fn a_delay_longer_than_the_watch_is_waited_for() {
    let late = Check { start_after: sum(WATCH, Millis::seconds(30)), ..plans::check("late") };
    check(
        by(vec![plans::check("probe"), late], UnhealthyAction::GoBack),
        &[&[Healthy], &[Healthy]],
        "went on",
        sum(WATCH, looks(1)),
    );
    let never = Check { start_after: Millis::hours(9), ..plans::check("late") };
    let paused = sum(WATCH, PATIENCE);
    check(by(vec![plans::check("probe"), never], UnhealthyAction::GoBack), &[&[Healthy], &[Healthy]], "paused", paused);
}

/// The engine dies and is back: what is known is what the journal says, and what was on its way is asked again.
fn restart(run: &mut Run) {
    run.state = machine::fold(&run.events).unwrap();
    run.tell(Command::Recover);
}

#[test]
fn failures_and_errors_in_a_row_are_counted_over_restarts_and_over_looks_that_could_not_tell() {
    // The check decides by two unhealthy looks in a row, and asks a person after three errors in a row.
    for (told, expect) in [
        (vec![Unhealthy, Unhealthy], "rolling-back"),
        (vec![Unhealthy, Inconclusive, Error, Unhealthy], "rolling-back"),
        (vec![Unhealthy, Healthy, Unhealthy, Healthy], "went on"),
        (vec![Error, Error, Error], "paused"),
        // A look that could not tell is a look: the check itself works.
        (vec![Error, Error, Inconclusive, Error, Error, Healthy], "went on"),
        (vec![Error, Error, Healthy, Error, Error, Healthy], "went on"),
    ] {
        let mut run = watching(by(vec![plans::check("probe")], UnhealthyAction::GoBack));
        for verdict in &told {
            assert!(!is_over(&run), "{told:?} was decided before {verdict:?}");
            restart(&mut run);
            if run.calls().is_empty() {
                run.reach_deadline();
            }
            restart(&mut run);
            let call = run.call();
            run.tell(report(&call, look(*verdict, "as told")));
        }
        answer(&mut run, |_, _| Some(Healthy));
        assert_eq!(came(&run), expect, "{told:?}");
    }
}

#[test]
fn the_answer_to_a_look_from_before_a_restart_counts_once() {
    let mut run = watching(by(vec![plans::check("probe")], UnhealthyAction::GoBack));
    let before = run.call();
    restart(&mut run);
    let after = run.call();
    assert_eq!((&before.operation.key, after.operation.attempt), (&after.operation.key, before.operation.attempt + 1));
    assert_eq!(run.tell(report(&before, look(Unhealthy, "late"))), []);
    run.tell(report(&after, look(Unhealthy, "errors")));
    assert_eq!(run.state.watch.clone().unwrap().checks[0].unhealthy_in_a_row, 1);
}

#[test]
fn a_watch_that_nobody_decides_never_ends_well() {
    // Such a plan is refused; this is for the case that it came here all the same.
    let mut plan = by(vec![dry_run("drill")], UnhealthyAction::GoBack);
    let step = "watch-1".to_owned();
    assert_eq!(machine::check_plan(&plan), Err(machine::PlanFault::DecidesNothing { step }));
    for checks in [vec![dry_run("drill")], Vec::new()] {
        let Some(model::StepKind::Watch(spec)) =
            plan.steps.iter_mut().map(|s| &mut s.kind).find(|k| matches!(k, model::StepKind::Watch(_)))
        else {
            unreachable!("the plan has a watch")
        };
        spec.checks = checks;
        let mut run = Scene::new(plan.clone()).reach("watch-1").run;
        let began = run.now;
        while !is_over(&run) {
            let events = machine::decide(&run.state, &Command::Tick, machine::deadline(&run.state).unwrap()).unwrap();
            run.now = machine::deadline(&run.state).unwrap();
            run.state = events.iter().fold(run.state.clone(), |state, event| machine::apply(Some(state), event));
        }
        assert_eq!((came(&run), run.now.since(began)), ("paused", sum(WATCH, PATIENCE)));
        assert_eq!(run.waits_for(), "a person: the watch could not tell: no check of it decides");
    }
}

#[test]
fn a_watch_with_every_policy_leads_to_the_ends_that_it_should() {
    let plan = plans::scrutinised();
    assert!(plan.steps.iter().any(|step| matches!(&step.kind, model::StepKind::Watch(spec) if spec.until_decided)));
    let roles = |role| {
        plan.steps
            .iter()
            .any(|step| matches!(&step.kind, model::StepKind::Watch(spec) if spec.checks.iter().any(|c| c.role == role)))
    };
    assert!(roles(CheckRole::Critical) && roles(CheckRole::DryRun));
    let mut scene = Scene::new(plan);
    assert_eq!(scene.reach_the_end(), "succeeded", "dry runs say the contrary all the time");
    let healthy = |event: &&Event| matches!(event, Event::StepCompleted { how: HowCompleted::Healthy, .. });
    assert_eq!(scene.run.events.iter().filter(healthy).count(), 3);
}
