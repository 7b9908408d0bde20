//! A person wants it to stand still.

use alloc::string::String;

use model::{Actor, Event, Pause, PauseReason};

use crate::draft::Draft;

pub(super) fn decide(draft: &mut Draft, by: &Actor, reason: &str) {
    let since = draft.now;
    let deadline = since + draft.state.plan.policies.pause_expires_after;
    let reason = PauseReason::Person { by: by.clone(), reason: String::from(reason) };
    draft.push(Event::Paused { pause: Pause { reason, since, deadline } });
}
