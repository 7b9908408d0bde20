//! The order of steps, watches, approvals, time and waiting.

use alloc::format;
use alloc::string::String;

use model::{
    Approval, Cause, Event, HowCompleted, OperationKind, Outcome, PauseReason, Stage, State, StepKind, Timestamp, Verdict,
    WatchSpec, WatchState,
};

use super::{Checked, Step};
use crate::{deadline, waiting, watch};

/// No event follows the end.
pub fn terminal_states_absorb(step: &Step<'_>) -> Checked {
    match step.before.and_then(State::outcome) {
        None => Ok(()),
        Some(outcome) => Err(format!("after the end ({}) came {:?}", outcome.phase(), step.event)),
    }
}

/// Each event raises the version by one; the first gives 1.
pub fn versions_are_gap_free(step: &Step<'_>) -> Checked {
    let before = step.before.map_or(0, |before| before.version);
    match step.after.version == before + 1 {
        true => Ok(()),
        false => Err(format!("version {} follows version {before}", step.after.version)),
    }
}

/// Name, requester and plan stay what they were.
pub fn the_plan_in_force_never_changes(step: &Step<'_>) -> Checked {
    let Some(before) = step.before else { return Ok(()) };
    let same = before.id == step.after.id && before.requested_by == step.after.requested_by && before.plan == step.after.plan;
    match same {
        true => Ok(()),
        false => Err(format!("{} runs plan {}, it ran {}", step.after.id, step.after.plan.hash, before.plan.hash)),
    }
}

/// A deployment that is not over says what it waits for and when that will have lasted too long; one that is over waits for nothing.
pub fn every_waiting_state_has_a_reason_and_a_deadline(step: &Step<'_>) -> Checked {
    let (reason, until) = (waiting(step.after), deadline(step.after));
    match (step.after.is_terminal(), &reason, until) {
        (false, Some(_), Some(_)) | (true, None, None) => Ok(()),
        (_, reason, until) => {
            Err(format!("in {} it waits for {reason:?} until {until:?}; wanted both, or neither at the end", step.after.phase()))
        }
    }
}

/// A step is entered from the queue when it is the first, when the one before it is done, or anew when a pause ends; it is completed
/// while it is current, once; success comes behind the last.
pub fn steps_follow_in_their_order(step: &Step<'_>) -> Checked {
    let Some(before) = step.before else { return Ok(()) };
    let (legal, what) = match (step.event, &before.stage) {
        (Event::StepEntered { step: entered, .. }, Stage::Queued { .. }) => (*entered == 0, *entered),
        (Event::StepEntered { step: entered, .. }, Stage::Forward { step: current, done, .. }) => {
            let next = *done && *entered == current + 1;
            let watching = matches!(before.plan.steps.get(*current).map(|s| &s.kind), Some(StepKind::Watch(_)));
            let again = !*done && entered == current && watching;
            (next || again, *entered)
        }
        (Event::StepCompleted { step: completed, .. }, Stage::Forward { step: current, done, .. }) => {
            (completed == current && !done, *completed)
        }
        (Event::Ended { outcome: Outcome::Succeeded, .. }, Stage::Forward { step: current, done, .. }) => {
            (*done && current + 1 == before.plan.steps.len(), *current)
        }
        (Event::StepEntered { step, .. } | Event::StepCompleted { step, .. }, _) => (false, *step),
        (Event::Ended { outcome: Outcome::Succeeded, .. }, _) => (false, before.plan.steps.len()),
        (_, _) => return Ok(()),
    };
    match legal {
        true => Ok(()),
        false => Err(format!("step {what} in {:?}: {:?}", before.stage, step.event)),
    }
}

/// A watch ends with the last look of every check that decides healthy and none on its way, or waived by a person.
pub fn an_inconclusive_verdict_never_advances(step: &Step<'_>) -> Checked {
    let (Some(before), Event::StepCompleted { step: index, how, .. }) = (step.before, step.event) else { return Ok(()) };
    let Some(StepKind::Watch(spec)) = before.plan.steps.get(*index).map(|s| &s.kind) else { return Ok(()) };
    let known = before.watch.as_ref().map_or(&[][..], |watch| &watch.checks);
    let deciding = || spec.checks.iter().zip(known).filter(|(check, _)| check.role.decides());
    let last = || deciding().map(|(_, known)| known.last.as_ref().map(|last| last.verdict));
    let complete = known.len() == spec.checks.len() && last().next().is_some();
    let healthy = complete && last().all(|v| v == Some(Verdict::Healthy));
    let looking = before.operations.len();
    match how {
        HowCompleted::WaivedBy(_) => Ok(()),
        HowCompleted::Healthy if healthy && looking == 0 => Ok(()),
        HowCompleted::Healthy | HowCompleted::Done => {
            let last: alloc::vec::Vec<_> = last().collect();
            let checks = spec.checks.len();
            Err(format!(
                "the watch in step {index} ended {how:?} with the last looks {last:?} of {checks} checks, {looking} on their way"
            ))
        }
    }
}

/// What a watch's verdict pauses or takes back names a check that decides, and either its looks say so or the watch's longest time is
/// over.
pub fn a_dry_run_verdict_decides_nothing(step: &Step<'_>) -> Checked {
    let Some((check, at, blame)) = blamed(step.event) else { return Ok(()) };
    let Some((spec, watch)) = step.before.and_then(watching) else {
        return Err(format!("{check} is blamed for {:?} while nobody watches", step.event));
    };
    let over = at >= watch::last(spec, watch);
    let mut blamed = spec.checks.iter().zip(&watch.checks).filter(|(one, _)| one.role.decides() && one.health.name == *check);
    let (is_ill, is_blind) = (watch::objects, watch::cannot_look);
    let decided = |one, known| match blame {
        Blame::Illness => is_ill(one, known).is_some(),
        Blame::Doubt => is_blind(one, known).is_some(),
        Blame::Either => is_ill(one, known).is_some() || is_blind(one, known).is_some(),
    };
    match blamed.any(|(one, known)| over || decided(one, known)) {
        true => Ok(()),
        false => Err(format!("{check} is blamed for {:?}, which no check of that name decided: {watch:?}", step.event)),
    }
}

/// What a check is blamed for.
enum Blame {
    /// It found the candidate ill.
    Illness,
    /// It could not tell.
    Doubt,
    /// One of the two: doubt leads back as well, where the plan says so.
    Either,
}

/// Returns the check that an event blames, when, and for what.
fn blamed(event: &Event) -> Option<(&String, Timestamp, Blame)> {
    if let Event::TurnedBack { cause: Cause::Unhealthy { check, .. }, at, .. } = event {
        return Some((check, *at, Blame::Either));
    }
    let Event::Paused { pause } = event else { return None };
    match &pause.reason {
        PauseReason::Unhealthy { check, .. } => Some((check, pause.since, Blame::Illness)),
        PauseReason::Inconclusive { check, .. } => Some((check, pause.since, Blame::Doubt)),
        PauseReason::Person { .. } => None,
    }
}

/// Returns the watch that runs.
fn watching(state: &State) -> Option<(&WatchSpec, &WatchState)> {
    let Stage::Forward { step, .. } = state.stage else { return None };
    match (&state.plan.steps.get(step)?.kind, &state.watch) {
        (StepKind::Watch(spec), Some(watch)) => Some((spec, watch)),
        (_, _) => None,
    }
}

/// A look is intended when it is due: never before the check's interval is over, nor before the delay that it has from the watch's
/// beginning on.
pub fn a_look_is_not_taken_before_its_time(step: &Step<'_>) -> Checked {
    let Event::OperationIntended { operation, .. } = step.event else { return Ok(()) };
    let OperationKind::Look { check } = operation.kind else { return Ok(()) };
    let Some((spec, watch)) = step.before.and_then(watching) else {
        return Err(format!("{} is a look and nobody watches", operation.key));
    };
    let Some((planned, known)) = spec.checks.get(check).zip(watch.checks.get(check)) else {
        return Err(format!("{} is a look of check {check}, the watch has {}", operation.key, spec.checks.len()));
    };
    let due = match known.looks {
        0 => known.next_look_at.max(watch.started_at + planned.start_after),
        _ => known.next_look_at,
    };
    match operation.intended_at >= due {
        true => Ok(()),
        false => Err(format!("{} was intended at {}, it was due at {}", operation.key, operation.intended_at.0, due.0)),
    }
}

/// An approval is for the plan and the step that ask, by somebody asked, once each, not by the requester where that is forbidden,
/// and not after its expiry.
pub fn an_approval_counts_once_from_those_entitled_and_in_time(step: &Step<'_>) -> Checked {
    let (Some(before), Event::Approved { approval }) = (step.before, step.event) else { return Ok(()) };
    let Stage::Forward { step: index, deadline, done: false, .. } = before.stage else {
        return Err(format!("{} approved while {} asks for nothing", approval.by.name, before.phase()));
    };
    match not_entitled(before, index, deadline, approval) {
        None => Ok(()),
        Some(why) => Err(format!("the answer of {} counts, but {why}", approval.by.name)),
    }
}

fn not_entitled(state: &State, index: usize, deadline: Timestamp, answer: &Approval) -> Option<String> {
    let Some(asking) = state.plan.steps.get(index) else { return Some(format!("the plan has no step {index}")) };
    let StepKind::Approval { from, requester_may_approve, .. } = &asking.kind else {
        return Some(format!("step {} asks nobody", asking.id));
    };
    let (by, now) = (&answer.by, state.pause.as_ref().map_or(answer.at, |pause| pause.since));
    if answer.plan != state.plan.hash || answer.step != asking.id {
        return Some(format!("it is for {}/{}, asked was {}/{}", answer.plan, answer.step, state.plan.hash, asking.id));
    }
    if !from.is_empty() && !from.iter().any(|who| *who == by.name || by.groups.contains(who)) {
        return Some(format!("asked were {from:?}, they are in {:?}", by.groups));
    }
    if state.approvals.iter().any(|a| a.by.name == by.name) {
        return Some(String::from("they have answered already"));
    }
    if !requester_may_approve && state.requested_by.name == by.name {
        return Some(String::from("they requested it"));
    }
    (now >= deadline).then(|| format!("it came at {}, the time was over at {}", now.0, deadline.0))
}

/// A wait, a watch, an expiry and a passed deadline never come before their stored instant.
pub fn time_alone_changes_nothing_before_its_deadline(step: &Step<'_>) -> Checked {
    let Some(before) = step.before else { return Ok(()) };
    match ended_by_time(before, step.event) {
        Some((at, due)) if at < due => Err(format!("{:?} came at {}, it was due at {}", step.event, at.0, due.0)),
        Some(_) | None => Ok(()),
    }
}

/// Returns when time alone led to an event, and when it was to do so.
fn ended_by_time(before: &State, event: &Event) -> Option<(Timestamp, Timestamp)> {
    if let Event::StepCompleted { step, how: HowCompleted::Done | HowCompleted::Healthy, at } = event {
        return Some((*at, ends_at(before, *step)?));
    }
    if let Event::Ended { outcome: Outcome::Expired { .. } | Outcome::RollbackFailed { .. }, at } = event {
        return Some((*at, deadline_of(before)?));
    }
    let Event::TurnedBack { cause, at, .. } = event else { return None };
    let by_time = matches!(cause, model::Cause::DeadlinePassed { .. } | model::Cause::PauseExpired { .. });
    by_time.then_some((*at, deadline_of(before)?))
}

/// Returns the instant before which time cannot have ended a step.
fn ends_at(state: &State, index: usize) -> Option<Timestamp> {
    let Stage::Forward { deadline, .. } = state.stage else { return None };
    match (&state.plan.steps.get(index)?.kind, &state.watch) {
        (StepKind::Wait { .. }, _) => Some(deadline),
        (StepKind::Watch(spec), Some(watch)) => Some(watch.started_at + spec.duration),
        (StepKind::Watch(_), None)
        | (
            StepKind::Gate { .. }
            | StepKind::Approval { .. }
            | StepKind::Action { .. }
            | StepKind::Reconcile { .. }
            | StepKind::Promote,
            _,
        ) => None,
    }
}

/// A deployment that waits for a plugin has asked it, and one whose step is done has gone on, unless it stands still. Watches ask
/// by themselves when their time comes.
pub fn whoever_waits_for_an_answer_has_asked(state: &State) -> Checked {
    let kinds = || state.operations.iter().map(|o| &o.kind);
    let asked = match &state.stage {
        Stage::Queued { .. } | Stage::Ended(_) => true,
        Stage::Forward { .. } if state.pause.is_some() => true,
        Stage::Forward { done: true, .. } => false,
        Stage::Forward { step, .. } => match state.plan.steps.get(*step).map(|s| &s.kind) {
            None => false,
            Some(StepKind::Gate { .. }) => kinds().any(|kind| *kind == OperationKind::AskGate),
            Some(StepKind::Action { .. }) => kinds().any(|kind| *kind == OperationKind::Act { step: *step }),
            Some(StepKind::Reconcile { .. }) => kinds().any(|kind| matches!(kind, OperationKind::Reconcile { .. })),
            Some(StepKind::Watch(_)) => state.watch.is_some(),
            Some(StepKind::Approval { .. }) | Some(StepKind::Wait { .. }) => true,
            Some(StepKind::Promote) => false,
        },
        Stage::Back { .. } => kinds().any(OperationKind::changes_the_world),
    };
    match asked {
        true => Ok(()),
        false => Err(format!("it waits for {:?} in {:?} and has asked {:?}", waiting(state), state.stage, state.operations)),
    }
}

fn deadline_of(state: &State) -> Option<Timestamp> {
    match (&state.stage, &state.pause) {
        (Stage::Forward { .. }, Some(pause)) => Some(pause.deadline),
        (Stage::Queued { deadline } | Stage::Forward { deadline, .. } | Stage::Back { deadline, .. }, _) => Some(*deadline),
        (Stage::Ended(_), _) => None,
    }
}
