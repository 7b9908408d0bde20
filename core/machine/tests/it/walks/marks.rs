//! What walks come by.

use std::collections::BTreeSet;

use model::{BackStep, Cause, CheckRole, Event, HowCompleted, InconclusiveAction, OperationKind, OperationResult, PauseReason};
use model::{StepKind, Timestamp, UnhealthyAction, WatchSpec};

use crate::support::Run;

/// What at least one walk must come by: ends, and the rare motions. A walk that never gets anywhere would check nothing.
pub(super) const MARKS: [&str; 20] = [
    "succeeded",
    "rolled-back",
    "aborted",
    "superseded",
    "rejected",
    "expired",
    "blocked",
    "rollback-failed",
    "promotion reverted",
    "stable raised",
    "undone",
    "candidate given up",
    "claimed again",
    "waived",
    "approved",
    "progress extended a deadline",
    "paused by a verdict",
    "went on against a dry run",
    "a critical check led back",
    "decided before the longest time",
];

/// Returns what a walk came by.
pub(super) fn marks(run: &Run) -> BTreeSet<&'static str> {
    let of = |event: &Event| -> Option<&'static str> {
        match event {
            Event::PromotionReverted { .. } => Some("promotion reverted"),
            Event::TurnedBack { steps, .. } if steps.contains(&BackStep::RaiseStable) => Some("stable raised"),
            Event::OperationIntended { operation, .. } if matches!(operation.kind, OperationKind::Undo { .. }) => Some("undone"),
            Event::OperationCompleted { key, result: OperationResult::Failed(_), .. } if key.as_str().contains("back-") => {
                Some("candidate given up")
            }
            Event::OperationCompleted { key, result: OperationResult::Superseded(_), .. } if key.as_str().contains("back-") => {
                Some("claimed again")
            }
            Event::StepCompleted { how: HowCompleted::WaivedBy(_), .. } => Some("waived"),
            Event::Approved { .. } => Some("approved"),
            Event::OperationProgressed { deadline: Some(_), .. } => Some("progress extended a deadline"),
            Event::Paused { pause } if !matches!(pause.reason, PauseReason::Person { .. }) => Some("paused by a verdict"),
            _ => None,
        }
    };
    run.events.iter().filter_map(of).chain(of_watches(run)).chain([run.phase()]).collect()
}

/// Returns what the policies of a walk's watches led to.
fn of_watches(run: &Run) -> Vec<&'static str> {
    let spec = |step: usize| match &run.state.plan.steps[step].kind {
        StepKind::Watch(spec) => Some(spec),
        _ => None,
    };
    let (mut found, mut entered) = (Vec::new(), Timestamp(0));
    for event in &run.events {
        match event {
            Event::StepEntered { at, .. } => entered = *at,
            Event::StepCompleted { step, how: HowCompleted::Healthy, at } => {
                let spec = spec(*step).expect("only a watch ends healthy");
                found.extend(spec.checks.iter().any(|check| !check.role.decides()).then_some("went on against a dry run"));
                let early = spec.until_decided && at.since(entered) < spec.longest();
                found.extend(early.then_some("decided before the longest time"));
            }
            Event::TurnedBack { cause: Cause::Unhealthy { step, check, .. }, .. } => {
                let index =
                    run.state.plan.steps.iter().position(|planned| planned.id == *step).expect("it is a step of the plan");
                let led_back = spec(index).is_some_and(|spec| asks_but_for(spec, check));
                found.extend(led_back.then_some("a critical check led back"));
            }
            _ => {}
        }
    }
    found
}

/// Returns whether a watch asks a person whatever comes, but not when this check finds something.
fn asks_but_for(spec: &WatchSpec, name: &str) -> bool {
    let critical = spec.checks.iter().any(|check| check.role == CheckRole::Critical && check.health.name == name);
    critical && (spec.on_unhealthy, spec.on_inconclusive) == (UnhealthyAction::Pause, InconclusiveAction::Pause)
}
