//! A watch of a plan as clients get it.

use model::{Check, InconclusiveAction, StepKind, UnhealthyAction, WatchSpec};
use towpath_proto::v1;

/// Returns what a step watches, if it is a watch.
pub(crate) fn planned(kind: &StepKind) -> Option<v1::PlanWatch> {
    match kind {
        StepKind::Watch(spec) => Some(watch(spec)),
        StepKind::Gate { .. }
        | StepKind::Approval { .. }
        | StepKind::Action { .. }
        | StepKind::Reconcile { .. }
        | StepKind::Wait { .. }
        | StepKind::Promote => None,
    }
}

fn watch(spec: &WatchSpec) -> v1::PlanWatch {
    v1::PlanWatch {
        at_least_ms: spec.duration.0,
        at_most_ms: spec.longest().0,
        until_decided: spec.until_decided,
        on_unhealthy: match spec.on_unhealthy {
            UnhealthyAction::GoBack => "rollback",
            UnhealthyAction::Pause => "pause",
        }
        .to_owned(),
        on_inconclusive: match spec.on_inconclusive {
            InconclusiveAction::GoBack => "rollback",
            InconclusiveAction::Pause => "pause",
        }
        .to_owned(),
        checks: spec.checks.iter().map(check).collect(),
    }
}

fn check(check: &Check) -> v1::PlanCheck {
    v1::PlanCheck {
        name: check.health.name.clone(),
        role: check.role.as_str().to_owned(),
        every_ms: check.interval.0,
        failures_to_decide: check.failures_to_decide,
        errors_tolerated: check.errors_tolerated,
        start_after_ms: check.start_after.0,
    }
}
