//! What walks come by.

use std::collections::BTreeSet;

use model::{BackStep, Event, HowCompleted, OperationKind, OperationResult, PauseReason};

use crate::support::Run;

/// What at least one walk must come by: ends, and the rare motions. A walk that never gets anywhere would check nothing.
pub(super) const MARKS: [&str; 17] = [
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
    run.events.iter().filter_map(of).chain([run.phase()]).collect()
}
