//! What a step of the way back does, as a sentence fragment. For the way forward, the path says it.

use model::{BackStep, Plan};

/// Returns what a step of the way back does.
pub(crate) fn does_back(step: &BackStep, plan: &Plan) -> String {
    match step {
        BackStep::RaiseStable => "bring the stable side's capacity back".to_owned(),
        BackStep::RestoreTraffic => "give all traffic back to the good side".to_owned(),
        BackStep::Undo { step } => match plan.steps.get(*step) {
            Some(step) => format!("undo {}", step.id),
            None => "undo an action".to_owned(),
        },
        BackStep::RemoveCandidate => "remove the candidate".to_owned(),
    }
}
