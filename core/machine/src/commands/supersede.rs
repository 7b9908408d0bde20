//! A newer deployment takes its place.

use model::{Cause, DeploymentId, Event, Outcome, Side, Stage};

use crate::back;
use crate::draft::Draft;

pub(super) fn decide(draft: &mut Draft, by: &DeploymentId) {
    let at = draft.now;
    match draft.state.stage {
        Stage::Queued { .. } => draft.push(Event::Ended { outcome: Outcome::Superseded { by: by.clone() }, at }),
        // What is promoted finishes: it is moments from its end, and the newer one would only have to undo it.
        Stage::Forward { .. } if draft.state.good == Side::Candidate || !back::is_possible(&draft.state) => {}
        Stage::Forward { .. } => back::turn(draft, Cause::Superseded { by: by.clone() }),
        Stage::Back { .. } | Stage::Ended(_) => {}
    }
}
