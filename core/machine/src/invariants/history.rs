//! The whole journal of a deployment.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use model::{Event, HowCompleted, State, StepKind};

use super::Checked;
use crate::fold;

/// No two intents of a deployment have one key.
pub fn every_intent_has_a_key_of_its_own(events: &[Event], _: &State) -> Checked {
    let mut seen = BTreeSet::new();
    let keys = events.iter().filter_map(|event| {
        let Event::OperationIntended { operation, .. } = event else { return None };
        Some(&operation.key)
    });
    match keys.into_iter().find(|key| !seen.insert(*key)) {
        None => Ok(()),
        Some(key) => Err(format!("{key} was intended twice, wanted a key for each")),
    }
}

/// Every watch before the promotion ended healthy, or was waived by a named person.
pub fn promotion_only_after_every_watch_before_it_ended_healthy(events: &[Event], state: &State) -> Checked {
    let Some(promoted) = events.iter().position(|event| matches!(event, Event::CandidatePromoted { .. })) else { return Ok(()) };
    let before = &events[..promoted];
    let promotion = state.plan.steps.iter().position(|s| s.kind == StepKind::Promote).unwrap_or(0);
    let watches = state.plan.steps[..promotion].iter().enumerate().filter(|(_, s)| matches!(s.kind, StepKind::Watch(_)));
    let ended = |index: usize| before.iter().any(|event| ended_well(event, index));
    let open: Vec<&str> = watches.filter(|(index, _)| !ended(*index)).map(|(_, s)| s.id.as_str()).collect();
    match open.is_empty() {
        true => Ok(()),
        false => Err(format!("promoted although {open:?} neither ended healthy nor were waived")),
    }
}

fn ended_well(event: &Event, index: usize) -> bool {
    let Event::StepCompleted { step, how, .. } = event else { return false };
    let well = match how {
        HowCompleted::Healthy => true,
        HowCompleted::WaivedBy(by) => !by.name.is_empty(),
        HowCompleted::Done => false,
    };
    well && *step == index
}

/// Folding the events gives the state.
pub fn the_journal_folds_to_the_state(events: &[Event], state: &State) -> Checked {
    match fold(events) {
        Some(folded) if folded == *state => Ok(()),
        folded => Err(format!("the events fold to {folded:?}, held is {state:?}")),
    }
}
