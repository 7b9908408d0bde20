//! The way back, promotion and the ends.

use alloc::format;
use alloc::vec::Vec;

use model::{
    Arrangement, BackStep, Confirmed, Event, OperationKind, OperationResult, Outcome, Percent, Routing, Side, Stage, State,
    StepKind,
};

use super::{Checked, Step, effects};
use crate::back;

/// A deployment that is taken back goes only back: it enters no step and intends only what its way back says.
pub fn no_forward_effect_after_turning_back(step: &Step<'_>) -> Checked {
    let Some(before) = step.before.filter(|before| matches!(before.stage, Stage::Back { .. })) else { return Ok(()) };
    let forward = match step.event {
        Event::StepEntered { .. } | Event::StepCompleted { .. } | Event::CandidatePromoted { .. } | Event::Approved { .. } => {
            true
        }
        Event::OperationIntended { operation, .. } => !effects::is_of_the_way_back(operation, before),
        Event::TurnedBack { .. } | Event::Paused { .. } | Event::Resumed { .. } | Event::Activated { .. } => true,
        Event::Ended { outcome, .. } => *outcome == Outcome::Succeeded,
        Event::Requested { .. }
        | Event::OperationProgressed { .. }
        | Event::OperationRetried { .. }
        | Event::OperationCompleted { .. }
        | Event::OperationAbandoned { .. }
        | Event::PromotionReverted { .. }
        | Event::BackStepCompleted { .. } => false,
    };
    match forward {
        false => Ok(()),
        true => Err(format!("on the way back in {:?} came {:?}", before.stage, step.event)),
    }
}

/// The good side changes by a promotion or its reversal, and by nothing else.
pub fn the_good_side_changes_only_by_a_promotion_or_its_reversal(step: &Step<'_>) -> Checked {
    let before = step.before.map_or(Side::Stable, |before| before.good);
    let wanted = if matches!(step.event, Event::CandidatePromoted { .. }) {
        Side::Candidate
    } else if matches!(step.event, Event::PromotionReverted { .. }) {
        Side::Stable
    } else {
        before
    };
    match step.after.good == wanted {
        true => Ok(()),
        false => Err(format!("the {} side is good after {:?}, wanted the {wanted} side", step.after.good, step.event)),
    }
}

/// The old side becomes the good one again only where, wherever the target stands, it is there at full capacity.
pub fn a_promotion_is_reversed_only_while_the_old_side_stands_by(step: &Step<'_>) -> Checked {
    let (Some(before), Event::PromotionReverted { .. }) = (step.before, step.event) else { return Ok(()) };
    let least = back::least(before, Side::Stable);
    match before.good == Side::Candidate && before.stable.is_some() && least == Percent::FULL {
        true => Ok(()),
        false => Err(format!("the {} side was good and the old one has as little as {least}", before.good)),
    }
}

/// Past a point of no return a deployment does not turn back.
pub fn nothing_is_taken_back_past_a_point_of_no_return(step: &Step<'_>) -> Checked {
    let (Some(before), Event::TurnedBack { .. }) = (step.before, step.event) else { return Ok(()) };
    match back::point_of_no_return(before) {
        None => Ok(()),
        Some(passed) => Err(format!("it was taken back although step {passed} was passed")),
    }
}

/// The undos of a way back are the undoable actions that may have had an effect, in reverse order, each once.
pub fn a_way_back_undoes_exactly_what_was_done_in_reverse_order(step: &Step<'_>) -> Checked {
    let (Some(before), Event::TurnedBack { steps, .. }) = (step.before, step.event) else { return Ok(()) };
    let undone: Vec<usize> = steps.iter().filter_map(undone_by).collect();
    let undoable =
        |index: &usize| matches!(before.plan.steps.get(*index).map(|s| &s.kind), Some(StepKind::Action { undoable: true, .. }));
    let done: Vec<usize> = before.acted.iter().rev().copied().filter(undoable).collect();
    match undone == done {
        true => Ok(()),
        false => Err(format!("it undoes steps {undone:?}, done were {done:?}")),
    }
}

fn undone_by(step: &BackStep) -> Option<usize> {
    match step {
        BackStep::Undo { step } => Some(*step),
        BackStep::RaiseStable | BackStep::RestoreTraffic | BackStep::RemoveCandidate => None,
    }
}

/// The candidate is removed only once the good side is confirmed to have all traffic. Where nothing was stable there is none.
pub fn traffic_is_restored_before_capacity_is_taken_away(step: &Step<'_>) -> Checked {
    let (Some(before), Event::OperationIntended { operation, .. }) = (step.before, step.event) else { return Ok(()) };
    let Stage::Back { steps, step: index, .. } = &before.stage else { return Ok(()) };
    if steps.get(*index) != Some(&BackStep::RemoveCandidate) || before.stable.is_none() {
        return Ok(());
    }
    let standing = &before.confirmed;
    match !standing.routing.reaches(Side::Candidate) && standing.stable == Percent::FULL && standing.routing != Routing::Closed {
        true => Ok(()),
        false => Err(format!("{} removes the candidate while confirmed is {standing:?}", operation.key)),
    }
}

/// The steps of a way back are completed in their order, each once; an undo that is done is the current step's.
pub fn an_undo_completes_at_most_once(step: &Step<'_>) -> Checked {
    let Some(before) = step.before else { return Ok(()) };
    let current = match &before.stage {
        Stage::Back { steps, step, .. } => Some((*step, steps.get(*step))),
        Stage::Queued { .. } | Stage::Forward { .. } | Stage::Ended(_) => None,
    };
    match (step.event, current) {
        (Event::BackStepCompleted { step, .. }, Some((index, Some(_)))) if *step == index => Ok(()),
        (Event::BackStepCompleted { step, .. }, _) => Err(format!("step {step} of the way back ended, current is {current:?}")),
        (Event::OperationCompleted { key, result: OperationResult::Done, .. }, _) => {
            let kind = before.operations.iter().find(|o| o.key == *key).map(|o| &o.kind);
            match (kind, current.and_then(|(_, step)| step)) {
                (Some(OperationKind::Undo { step }), Some(BackStep::Undo { step: wanted })) if step == wanted => Ok(()),
                (Some(OperationKind::Undo { step }), found) => {
                    Err(format!("the undo of step {step} ended, current is {found:?}"))
                }
                (_, _) => Ok(()),
            }
        }
        (_, _) => Ok(()),
    }
}

fn ended<'a>(step: &Step<'a>) -> Option<(&'a State, &'a Outcome)> {
    let Event::Ended { outcome, .. } = step.event else { return None };
    Some((step.before?, outcome))
}

fn asked_for_nothing(state: &State) -> bool {
    state.unconfirmed.is_empty()
        && state.acted.is_empty()
        && (state.activated_at.is_none() || state.confirmed == back::resting(state))
}

/// What ends as rejected or expired has asked for nothing.
pub fn an_end_without_effects_left_the_world_alone(step: &Step<'_>) -> Checked {
    let Some((before, Outcome::Rejected { .. } | Outcome::Expired { .. })) = ended(step) else { return Ok(()) };
    match asked_for_nothing(before) {
        true => Ok(()),
        false => Err(format!("{:?} with {:?} confirmed and {:?} asked for", step.event, before.confirmed, before.unconfirmed)),
    }
}

/// In rolled-back, aborted and superseded the good side alone is confirmed with all traffic, or nothing was ever asked for.
pub fn a_rolled_back_deployment_left_the_good_side_with_all_traffic(step: &Step<'_>) -> Checked {
    let Some((before, Outcome::RolledBack(_) | Outcome::Aborted { .. } | Outcome::Superseded { .. })) = ended(step) else {
        return Ok(());
    };
    let wanted = back::resting(before);
    let restored = before.good == Side::Stable && before.confirmed == wanted && before.unconfirmed.is_empty();
    match restored || asked_for_nothing(before) {
        true => Ok(()),
        false => Err(format!(
            "the {} side is good and confirmed is {:?} (and {} unconfirmed), wanted {wanted:?}",
            before.good,
            before.confirmed,
            before.unconfirmed.len()
        )),
    }
}

/// In succeeded the candidate is good and alone is confirmed with all traffic.
pub fn a_succeeded_deployment_left_the_candidate_alone_with_all_traffic(step: &Step<'_>) -> Checked {
    let Some((before, Outcome::Succeeded)) = ended(step) else { return Ok(()) };
    let wanted = Confirmed::of(&Arrangement::CandidateAlone, true);
    match before.good == Side::Candidate && before.confirmed == wanted && before.unconfirmed.is_empty() {
        true => Ok(()),
        false => Err(format!("the {} side is good and confirmed is {:?}, wanted {wanted:?}", before.good, before.confirmed)),
    }
}

/// Once faults are healed and time went on, a deployment is over or asks a person.
pub fn every_deployment_comes_to_rest(state: &State) -> Checked {
    match state.is_terminal() || state.pause.is_some() {
        true => Ok(()),
        false => Err(format!("it is still {} and waits for {:?}", state.phase(), crate::waiting(state))),
    }
}
