//! From a state to the line that lists show, and to what its scope learns from it.

use journal::{DeploymentRow, Status};
use model::{ReleaseSpec, Side, Stage, State};

/// Returns the line of a state.
pub(crate) fn of(state: &State) -> DeploymentRow {
    DeploymentRow {
        id: state.id.clone(),
        scope: state.plan.scope.clone(),
        release: state.plan.release.id.clone(),
        release_label: state.plan.release.label.clone(),
        status: match state.stage {
            Stage::Queued { .. } => Status::Queued,
            Stage::Forward { .. } | Stage::Back { .. } => Status::Active,
            Stage::Ended(_) => Status::Ended,
        },
        phase: state.phase(),
        paused: state.pause.is_some(),
        head: state.version,
        requested_at: state.requested_at,
        ended_at: state.ended_at,
    }
}

/// Returns what is stable in the scope from here on, if the state changes that: it ended with the candidate as the good side.
pub(crate) fn new_stable(state: &State) -> Option<Option<ReleaseSpec>> {
    (state.is_terminal() && state.good == Side::Candidate).then(|| Some(state.plan.release.clone()))
}
