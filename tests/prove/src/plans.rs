//! The strategies in their shortest honest form: every step adds a dimension to what is explored.

use model::{Millis, Plan, Routing, StepKind, Strategy};
use test_world::plans::{Builder, weight};

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
    let irreversible = new(Strategy::BlueGreen).sides(100, 100, weight(0)).action(true).action(false).of_no_return();
    vec![
        ("canary", short(canary.sides(100, 100, weight(100)).promote().finish())),
        ("blue-green", short(blue_green.promote().finish())),
        ("rolling", short(rolling.sides(50, 100, weight(50)).sides(50, 100, weight(100)).promote().finish())),
        ("recreate", short(recreate.watch().promote().finish())),
        ("approved", short(approved.sides(100, 100, weight(100)).promote().finish())),
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

fn short(mut plan: Plan) -> Plan {
    plan.policies.attempts_max = ATTEMPTS_MAX;
    for step in &mut plan.steps {
        if let StepKind::Watch(spec) = &mut step.kind {
            spec.duration = WATCH;
            spec.checks.truncate(1);
        }
    }
    plan
}
