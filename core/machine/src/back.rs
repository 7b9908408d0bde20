//! The way back: automatic rollback as a first-class motion.
//!
//! Its first effect restores traffic to the good side and confirms it; capacity is only taken away after. It goes straight
//! back, not through the steps that led here. Every effect is an absolute state, so it does not matter what the abandoned
//! effects before it did or may still do: their fences are lower.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use model::{
    Arrangement, BackStep, BasisPoints, Cause, Confirmed, Event, OperationKind, Outcome, Percent, Routing, Side, Stage, State,
    StepKind, Timestamp,
};

use crate::draft::Draft;
use crate::{desired, limits};

/// Returns whether the state can be taken back at all: the stable side is the good one, or still stands by at full capacity,
/// and no point of no return was passed.
pub(crate) fn is_possible(state: &State) -> bool {
    let stands_by = state.good == Side::Stable || (state.stable.is_some() && least(state, Side::Stable) == Percent::FULL);
    stands_by && point_of_no_return(state).is_none()
}

/// Returns the name of the point of no return that was passed, if one was.
pub(crate) fn point_of_no_return(state: &State) -> Option<String> {
    let Stage::Forward { step: current, done, .. } = state.stage else { return None };
    let passed = |index: usize| state.acted.contains(&index) || index < current || (index == current && done);
    let steps = state.plan.steps.iter().enumerate();
    steps.filter(|(index, step)| step.point_of_no_return && passed(*index)).map(|(_, s)| String::from(s.id.as_str())).next_back()
}

/// Turns back. Before any effect there is nothing to take back, and the deployment simply ends.
pub(crate) fn turn(draft: &mut Draft, cause: Cause) {
    let at = draft.now;
    draft.abandon_all("the deployment is taken back");
    if !had_effect(&draft.state) {
        return draft.push(Event::Ended { outcome: ended_before_effect(cause), at });
    }
    if let Some(step) = point_of_no_return(&draft.state) {
        let needs = format!("{}; there is no way back past step {step}: go forward or stop by hand", describe(&cause));
        return draft.push(Event::Ended { outcome: Outcome::Blocked { needs }, at });
    }
    if !is_possible(&draft.state) {
        let needs = format!("the candidate was promoted and keeps all traffic, but {}", describe(&cause));
        return draft.push(Event::Ended { outcome: Outcome::Blocked { needs }, at });
    }
    if draft.state.good == Side::Candidate {
        draft.push(Event::PromotionReverted { at });
    }
    let steps = way_back(&draft.state);
    let deadline = at + draft.state.plan.policies.way_back_deadline;
    draft.push(Event::TurnedBack { cause, steps, at, deadline });
    enter(draft);
}

fn had_effect(state: &State) -> bool {
    !state.unconfirmed.is_empty() || !state.acted.is_empty() || state.confirmed != resting(state)
}

/// Returns what stands in a scope where no deployment has done anything.
pub(crate) fn resting(state: &State) -> Confirmed {
    Confirmed::of(&Arrangement::StableAlone, state.stable.is_some())
}

fn ended_before_effect(cause: Cause) -> Outcome {
    match cause {
        Cause::Aborted { by, reason } | Cause::RolledBack { by, reason } => Outcome::Aborted { by, reason },
        Cause::Superseded { by } => Outcome::Superseded { by },
        Cause::DeadlinePassed { waiting_for, .. } => Outcome::Expired { waiting_for },
        Cause::PauseExpired { reason } => Outcome::Expired { waiting_for: reason },
        Cause::Unhealthy { .. } | Cause::StepFailed { .. } | Cause::FencedOff { .. } => {
            Outcome::Rejected { reason: describe(&cause) }
        }
    }
}

/// Returns a cause as a sentence fragment.
pub(crate) fn describe(cause: &Cause) -> String {
    match cause {
        Cause::Unhealthy { step, check, sentence } => format!("{check} found it unhealthy in step {step}: {sentence}"),
        Cause::StepFailed { step, message } => format!("step {step} failed: {message}"),
        Cause::DeadlinePassed { step, waiting_for } => format!("step {step} passed its deadline waiting for {waiting_for}"),
        Cause::PauseExpired { reason } => format!("nobody answered the pause in time: {reason}"),
        Cause::Aborted { by, reason } => format!("aborted by {}: {reason}", by.name),
        Cause::RolledBack { by, reason } => format!("rolled back by {}: {reason}", by.name),
        Cause::Superseded { by } => format!("superseded by deployment {by}"),
        Cause::FencedOff { highest } => format!("somebody else writes to the target: it has seen fence {highest}"),
    }
}

fn way_back(state: &State) -> Vec<BackStep> {
    let mut steps = Vec::new();
    if state.stable.is_some() {
        if least(state, Side::Stable) == Percent::NONE {
            steps.push(BackStep::RaiseStable);
        }
        steps.push(BackStep::RestoreTraffic);
    }
    let undoable = |step: &&usize| matches!(state.plan.steps[**step].kind, StepKind::Action { undoable: true, .. });
    steps.extend(state.acted.iter().rev().filter(undoable).map(|step| BackStep::Undo { step: *step }));
    steps.push(BackStep::RemoveCandidate);
    steps
}

/// Returns the least capacity that a side may have, given what was asked for and never confirmed.
pub(crate) fn least(state: &State, side: Side) -> Percent {
    possible(state, side).min().unwrap_or(Percent::NONE)
}

fn possible(state: &State, side: Side) -> impl Iterator<Item = Percent> + '_ {
    let capacity = move |c: &Confirmed| match side {
        Side::Stable => c.stable,
        Side::Candidate => c.candidate,
    };
    core::iter::once(&state.confirmed).chain(&state.unconfirmed).map(capacity)
}

/// Begins the current step of the way back, or ends the deployment behind the last one.
pub(crate) fn enter(draft: &mut Draft) {
    let candidate = least(&draft.state, Side::Candidate);
    begin(draft, candidate, draft.now);
}

/// Begins the current step anew, with a higher fence and after a pause: somebody else claimed the target.
pub(crate) fn claim_again(draft: &mut Draft) {
    let candidate = least(&draft.state, Side::Candidate);
    begin(draft, candidate, draft.now + limits::CLAIM_AGAIN);
}

/// Begins the current step anew and gives the candidate up: the target cannot keep it up, and the good side must not wait for it.
pub(crate) fn without_candidate(draft: &mut Draft) {
    begin(draft, Percent::NONE, draft.now);
}

/// Returns whether the way back is at a step that brings the good side back, during which the candidate's own state does not matter.
pub(crate) fn restores(state: &State) -> bool {
    let Stage::Back { steps, step, .. } = &state.stage else { return false };
    matches!(steps.get(*step), Some(BackStep::RaiseStable | BackStep::RestoreTraffic))
}

fn begin(draft: &mut Draft, candidate: Percent, not_before: Timestamp) {
    let Stage::Back { cause, steps, step, .. } = &draft.state.stage else { return };
    let at = draft.now;
    let Some(current) = steps.get(*step).cloned() else {
        let outcome = ended_back(cause.clone());
        return draft.push(Event::Ended { outcome, at });
    };
    let name = name(&current);
    match current {
        BackStep::Undo { step } => {
            draft.intend_not_before(not_before, &format!("{name}-{step}"), OperationKind::Undo { step }, None);
        }
        BackStep::RaiseStable | BackStep::RestoreTraffic | BackStep::RemoveCandidate => {
            let arrangement = arrangement(&draft.state, &current, candidate);
            let asks_for = Confirmed::of(&arrangement, draft.state.stable.is_some());
            let desired = desired::desired(&draft.state, &arrangement);
            draft.intend_not_before(not_before, name, OperationKind::Reconcile { desired }, Some(asks_for));
        }
    }
}

/// Returns the name of a step of the way back; operations are named after it.
pub(crate) fn name(step: &BackStep) -> &'static str {
    match step {
        BackStep::RaiseStable => "back-raise-stable",
        BackStep::RestoreTraffic => "back-restore-traffic",
        BackStep::Undo { .. } => "back-undo",
        BackStep::RemoveCandidate => "back-remove-candidate",
    }
}

/// Returns how the sides shall stand, with the candidate at the least capacity that it is known to have: traffic never went
/// to more than that, and capacity that was asked for and never came must not hold up the good side.
fn arrangement(state: &State, step: &BackStep, candidate: Percent) -> Arrangement {
    let stable = Percent::FULL;
    match step {
        BackStep::RaiseStable => Arrangement::SideBySide { stable, candidate, routing: routing_known_safe(state, candidate) },
        BackStep::RestoreTraffic => Arrangement::SideBySide { stable, candidate, routing: Routing::weights(BasisPoints::NONE) },
        BackStep::Undo { .. } | BackStep::RemoveCandidate => Arrangement::StableAlone,
    }
}

/// Returns the confirmed routing where both ends of it are known to run, otherwise nobody's: traffic never goes to a side
/// that may not be there.
fn routing_known_safe(state: &State, candidate: Percent) -> Routing {
    let routing = &state.confirmed.routing;
    let runs = |side, least| !routing.reaches(side) || least > Percent::NONE;
    match runs(Side::Stable, least(state, Side::Stable)) && runs(Side::Candidate, candidate) {
        true => routing.clone(),
        false => Routing::Closed,
    }
}

fn ended_back(cause: Cause) -> Outcome {
    match cause {
        Cause::Aborted { by, reason } => Outcome::Aborted { by, reason },
        Cause::Superseded { by } => Outcome::Superseded { by },
        Cause::Unhealthy { .. }
        | Cause::StepFailed { .. }
        | Cause::DeadlinePassed { .. }
        | Cause::PauseExpired { .. }
        | Cause::RolledBack { .. }
        | Cause::FencedOff { .. } => Outcome::RolledBack(cause),
    }
}
