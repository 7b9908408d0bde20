//! Intents, fences, traffic and capacity.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use model::{BasisPoints, Confirmed, Event, Operation, OperationKey, OperationKind, Percent, Routing, Side, Stage, State};

use super::{Checked, Step};
use crate::owed;

/// The weights of every arrangement that is confirmed or asked for sum to 10 000, or nobody is served.
pub fn weights_sum_to_ten_thousand(step: &Step<'_>) -> Checked {
    let arrangements = core::iter::once(&step.after.confirmed).chain(&step.after.unconfirmed);
    arrangements.map(|a| &a.routing).try_for_each(routing_sums_up)
}

/// Returns what is wrong with the weights of a routing.
pub(super) fn routing_sums_up(routing: &Routing) -> Checked {
    let (stable, candidate) = (routing.share(Side::Stable), routing.share(Side::Candidate));
    let sum = u32::from(stable.get()) + u32::from(candidate.get());
    match routing {
        Routing::Closed if sum == 0 => Ok(()),
        Routing::Open { mirror, .. } if sum == 10_000 && mirror.get() <= BasisPoints::ALL.get() => Ok(()),
        Routing::Closed | Routing::Open { .. } => Err(format!("stable has {stable}, the candidate {candidate}: {sum} of 10000")),
    }
}

/// Returns the operation that an event intends, with the arrangement that it asks for.
fn intended<'a>(step: &Step<'a>) -> Option<(&'a Operation, Option<&'a Confirmed>)> {
    let Event::OperationIntended { operation, asks_for } = step.event else { return None };
    Some((operation, asks_for.as_ref()))
}

fn capacity(arrangement: &Confirmed, side: Side) -> Percent {
    match side {
        Side::Stable => arrangement.stable,
        Side::Candidate => arrangement.candidate,
    }
}

/// Returns everything that the target may stand at: confirmed last, or asked for since.
fn possible(state: &State) -> impl Iterator<Item = &Confirmed> {
    core::iter::once(&state.confirmed).chain(&state.unconfirmed)
}

/// A reconcile that lets traffic reach a side asks for capacity there, and meets capacity there wherever the target stands.
pub fn traffic_only_to_sides_with_confirmed_capacity(step: &Step<'_>) -> Checked {
    let (Some(before), Some((operation, Some(asked)))) = (step.before, intended(step)) else { return Ok(()) };
    [Side::Stable, Side::Candidate].into_iter().filter(|side| asked.routing.reaches(*side)).try_for_each(|side| {
        let least = possible(before).map(|a| capacity(a, side)).min().unwrap_or(Percent::NONE);
        let wanted = capacity(asked, side);
        match least > Percent::NONE && wanted > Percent::NONE {
            true => Ok(()),
            false => Err(format!(
                "{} sends {} of the traffic to the {side} side, which has as little as {least} and is to have {wanted}",
                operation.key,
                asked.routing.share(side)
            )),
        }
    })
}

/// On the way forward a side keeps its capacity until no traffic reaches it wherever the target stands, or the door is closed.
pub fn capacity_is_never_taken_from_under_traffic(step: &Step<'_>) -> Checked {
    let (Some(before), Some((operation, Some(asked)))) = (step.before, intended(step)) else { return Ok(()) };
    if matches!(before.stage, Stage::Back { .. }) || asked.routing == Routing::Closed {
        return Ok(());
    }
    [Side::Stable, Side::Candidate].into_iter().filter(|side| capacity(asked, *side) == Percent::NONE).try_for_each(|side| {
        match possible(before).find(|a| a.routing.reaches(side)) {
            None => Ok(()),
            Some(found) => {
                let share = found.routing.share(side);
                Err(format!("{} takes the {side} side away, which may have {share} of the traffic", operation.key))
            }
        }
    })
}

fn named_by(event: &Event) -> Option<(&OperationKey, Option<u32>)> {
    match event {
        Event::OperationProgressed { key, attempt, .. }
        | Event::OperationRetried { key, attempt, .. }
        | Event::OperationCompleted { key, attempt, .. } => Some((key, Some(*attempt))),
        Event::OperationAbandoned { key, .. } => Some((key, None)),
        Event::Requested { .. }
        | Event::Activated { .. }
        | Event::StepEntered { .. }
        | Event::StepCompleted { .. }
        | Event::OperationIntended { .. }
        | Event::Approved { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::CandidatePromoted { .. }
        | Event::PromotionReverted { .. }
        | Event::TurnedBack { .. }
        | Event::BackStepCompleted { .. }
        | Event::Ended { .. } => None,
    }
}

/// What is said of an operation is said of one that is open, at the attempt that is current.
pub fn every_outcome_names_a_journaled_intent(step: &Step<'_>) -> Checked {
    let Some((key, attempt)) = named_by(step.event) else { return Ok(()) };
    let open: &[Operation] = step.before.map_or(&[], |before| &before.operations);
    match open.iter().find(|o| o.key == *key) {
        Some(found) if attempt.is_none_or(|attempt| attempt == found.attempt) => Ok(()),
        Some(found) => Err(format!("attempt {attempt:?} of {key} came back, attempt {} is current", found.attempt)),
        None => {
            let open: Vec<&str> = open.iter().map(|o| o.key.as_str()).collect();
            Err(format!("{key} was not intended or is over; open are {open:?}"))
        }
    }
}

/// The fence never falls, and each intent that changes the world takes a higher one than all before it.
pub fn fences_only_grow(step: &Step<'_>) -> Checked {
    let Some(before) = step.before else { return Ok(()) };
    if step.after.fence < before.fence {
        return Err(format!("the fence fell from {} to {}", before.fence, step.after.fence));
    }
    let Some((operation, _)) = intended(step) else { return Ok(()) };
    match (operation.kind.changes_the_world(), operation.fence) {
        (true, Some(fence)) if fence > before.fence => Ok(()),
        (false, None) => Ok(()),
        (_, fence) => Err(format!("{} takes fence {fence:?}, the highest so far is {}", operation.key, before.fence)),
    }
}

/// At most one open operation changes the world.
pub fn one_effect_on_the_target_at_a_time(step: &Step<'_>) -> Checked {
    let changing = step.after.operations.iter().filter(|o| o.kind.changes_the_world());
    let changing: Vec<&str> = changing.map(|o| o.key.as_str()).collect();
    match changing.len() {
        0 | 1 => Ok(()),
        _ => Err(format!("open at once: {changing:?}, wanted one")),
    }
}

/// An operation that was open before and is open still has the key, fence and kind it was intended with, and no fewer attempts.
pub fn a_retry_keeps_key_and_fence(step: &Step<'_>) -> Checked {
    let Some(before) = step.before else { return Ok(()) };
    before.operations.iter().try_for_each(|was| match step.after.operations.iter().find(|o| o.key == was.key) {
        Some(is) if is.fence != was.fence => Err(format!("{} had fence {:?}, now {:?}", was.key, was.fence, is.fence)),
        Some(is) if is.kind != was.kind => Err(format!("{} asked for {:?}, now {:?}", was.key, was.kind, is.kind)),
        Some(is) if is.attempt < was.attempt => Err(format!("{} was at attempt {}, now {}", was.key, was.attempt, is.attempt)),
        Some(_) | None => Ok(()),
    })
}

/// On the way forward no operation fails more often in a row than the plan allows.
pub fn retries_stay_within_their_limit(step: &Step<'_>) -> Checked {
    let limit = step.after.plan.policies.attempts_max.max(1);
    let forward = matches!(step.after.stage, Stage::Forward { .. });
    match step.after.operations.iter().find(|o| forward && o.failures >= limit) {
        None => Ok(()),
        Some(found) => {
            Err(format!("{} failed {} times in a row and is still tried, allowed are {limit}", found.key, found.failures))
        }
    }
}

/// While it stands still, a deployment intends nothing, and it owes no calls.
pub fn no_forward_effect_in_a_paused_state(step: &Step<'_>) -> Checked {
    if let (Some(before), Some((operation, _))) = (step.before, intended(step))
        && let Some(pause) = &before.pause
    {
        return Err(format!("{} was intended in a pause since {}", operation.key, pause.since.0));
    }
    if step.after.pause.is_none() {
        return Ok(());
    }
    let calls: Vec<String> = owed::calls(step.after).map(|call| call.operation.key.as_str().into()).collect();
    match calls.is_empty() {
        true => Ok(()),
        false => Err(format!("a paused deployment owes {calls:?}, wanted nothing")),
    }
}

/// Returns whether an operation belongs to the way back: its keys are named after the steps there.
pub(super) fn is_of_the_way_back(operation: &Operation, state: &State) -> bool {
    let Stage::Back { steps, step, .. } = &state.stage else { return false };
    match (&operation.kind, steps.get(*step)) {
        (OperationKind::Undo { step }, Some(model::BackStep::Undo { step: current })) => step == current,
        (
            OperationKind::Reconcile { .. },
            Some(model::BackStep::RaiseStable | model::BackStep::RestoreTraffic | model::BackStep::RemoveCandidate),
        ) => true,
        (
            OperationKind::AskGate
            | OperationKind::Reconcile { .. }
            | OperationKind::Look { .. }
            | OperationKind::Act { .. }
            | OperationKind::Undo { .. },
            _,
        ) => false,
    }
}
