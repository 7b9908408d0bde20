//! A person wants it to go on.

use model::{Actor, Event, PauseReason, Stage};

use crate::draft::Draft;
use crate::forward;

pub(super) fn decide(draft: &mut Draft, by: &Actor) {
    let at = draft.now;
    let by_person = draft.state.pause.as_ref().is_some_and(|p| matches!(p.reason, PauseReason::Person { .. }));
    draft.push(Event::Resumed { by: by.clone(), at });
    match draft.state.stage {
        // A verdict paused it: "go on" means "look again", from the start, not "take it as it is"; that is `promote`.
        Stage::Forward { step, done: false, .. } if !by_person => forward::enter(draft, step),
        Stage::Forward { .. } | Stage::Queued { .. } | Stage::Back { .. } | Stage::Ended(_) => {
            draft.reopen_all("it was paused meanwhile");
        }
    }
    forward::advance(draft);
}
