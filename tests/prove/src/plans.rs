//! The strategies in their shortest honest form: every step adds a dimension to what is explored.

use model::{Check, InconclusiveAction, Millis, Plan, Routing, StepKind, Strategy, UnhealthyAction, WatchSpec};
use test_world::plans::{Builder, critical, dry_run, weight};

/// A watch that is over after one look, or two.
const WATCH: Millis = Millis::seconds(30);

/// Attempts of one operation before its step fails.
const ATTEMPTS_MAX: u32 = 2;

/// Returns every plan with its name.
pub fn all() -> Vec<(&'static str, Plan)> {
    let new = Builder::new;
    let canary = new(Strategy::Canary).sides(100, 100, weight(0)).sides(100, 100, weight(50)).watch();
    let blue_green = new(Strategy::BlueGreen).sides(100, 100, weight(0)).sides(100, 100, weight(100)).watch();
    let rolling = new(Strategy::Rolling).sides(100, 50, weight(0)).sides(100, 50, weight(50)).sides(50, 50, weight(50)).watch();
    let recreate = new(Strategy::Recreate).sides(0, 0, Routing::Closed).sides(0, 100, Routing::Closed).sides(0, 100, weight(100));
    let approved = new(Strategy::Canary).gate().approval(1).action(true).sides(100, 100, weight(0));
    let small = new(Strategy::Canary).sides(100, 100, weight(0)).sides(100, 100, weight(50));
    let later = Check { start_after: Millis::seconds(10), ..critical("probe") };
    let scrutinised = small.watch_by(vec![later, dry_run("drill")], UnhealthyAction::Pause, InconclusiveAction::Pause);
    let irreversible = new(Strategy::BlueGreen).sides(100, 100, weight(0)).action(true).action(false).of_no_return();
    vec![
        ("canary", short(canary.sides(100, 100, weight(100)).promote().finish())),
        ("blue-green", short(blue_green.promote().finish())),
        ("rolling", short(rolling.sides(50, 100, weight(50)).sides(50, 100, weight(100)).promote().finish())),
        ("recreate", short(recreate.watch().promote().finish())),
        ("approved", short(approved.sides(100, 100, weight(100)).promote().finish())),
        ("scrutinised", timed(scrutinised.sides(100, 100, weight(100)).promote().finish())),
        ("irreversible", short(irreversible.sides(100, 100, weight(100)).promote().finish())),
    ]
}

/// Returns the plan of this name.
///
/// # Panics
///
/// When there is none.
pub fn named(name: &str) -> Plan {
    let found = all().into_iter().find(|(found, _)| *found == name);
    found.unwrap_or_else(|| panic!("there is no plan {name}")).1
}

/// Leaves each watch one check.
fn short(mut plan: Plan) -> Plan {
    watches(&mut plan).for_each(|spec| spec.checks.truncate(1));
    timed(plan)
}

fn timed(mut plan: Plan) -> Plan {
    plan.policies.attempts_max = ATTEMPTS_MAX;
    watches(&mut plan).for_each(|spec| spec.duration = WATCH);
    plan
}

fn watches(plan: &mut Plan) -> impl Iterator<Item = &mut WatchSpec> {
    plan.steps.iter_mut().filter_map(|step| match &mut step.kind {
        StepKind::Watch(spec) => Some(spec),
        _ => None,
    })
}
