//! What a durable state owes the world. Starting, stepping and recovering after a crash are the same call.

use alloc::vec::Vec;

use model::{Call, Effect, OperationKind, Stage, State, StepKind, Timestamp};

use crate::{Journaled, watch};

/// Returns the calls that the state owes and when it wants to be woken.
///
/// A paused state owes no calls: only the way back goes on in spite of people, and it cannot be paused.
pub fn owed(state: &Journaled) -> Vec<Effect> {
    calls(state).map(Effect::Call).chain(deadline(state).map(Effect::WakeAt)).collect()
}

/// Returns the calls that a state would owe once it is durable.
pub(crate) fn calls(state: &State) -> impl Iterator<Item = Call> + '_ {
    let give_up = match &state.stage {
        Stage::Forward { deadline, .. } if state.pause.is_none() => Some(*deadline),
        Stage::Back { deadline, .. } => Some(*deadline),
        Stage::Forward { .. } | Stage::Queued { .. } | Stage::Ended(_) => None,
    };
    give_up.into_iter().flat_map(move |deadline| {
        state.operations.iter().map(move |operation| Call {
            deployment: state.id.clone(),
            scope: state.plan.scope.clone(),
            operation: operation.clone(),
            deadline: match operation.kind {
                // A look that fell due in time is taken even when the watch's own time is over.
                OperationKind::Look { .. } => watch::give_up(operation),
                OperationKind::AskGate
                | OperationKind::Reconcile { .. }
                | OperationKind::Act { .. }
                | OperationKind::Undo { .. } => deadline,
            },
        })
    })
}

/// Returns the next instant at which time alone changes something; `None` only when the deployment is over.
pub fn deadline(state: &State) -> Option<Timestamp> {
    match (&state.stage, &state.pause) {
        (Stage::Ended(_), _) => None,
        (Stage::Queued { deadline } | Stage::Back { deadline, .. }, _) => Some(*deadline),
        (Stage::Forward { .. }, Some(pause)) => Some(pause.deadline),
        (Stage::Forward { deadline, .. }, None) => Some(next_of_watch(state).unwrap_or(*deadline)),
    }
}

fn next_of_watch(state: &State) -> Option<Timestamp> {
    let Stage::Forward { step, done: false, .. } = state.stage else { return None };
    match (&state.plan.steps[step].kind, &state.watch) {
        (StepKind::Watch(spec), Some(running)) => Some(watch::next(state, spec, running)),
        _ => None,
    }
}
