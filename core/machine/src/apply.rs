//! How events change a state: the only place where one changes. Recovery is the same fold.
//!
//! Total over every journal that `decide` can write; a journal it cannot have written is a bug and stops with `BUG: …`.

use alloc::vec::Vec;

use model::{
    Assessment, Check, CheckState, Event, Millis, Operation, OperationKey, OperationKind, OperationResult, Side, Stage, State,
    StepKind, Timestamp, Verdict, WatchState,
};

use crate::{back, limits};

/// Returns the state that a deployment's events lead to, or `None` for no events.
pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<State> {
    events.into_iter().fold(None, |state, event| Some(apply(state, event)))
}

/// Returns the state after one more event. The first event of a deployment is `Requested`, and no other is.
pub fn apply(state: Option<State>, event: &Event) -> State {
    match (state, event) {
        (None, Event::Requested { .. }) => requested(event),
        (Some(mut state), _) => {
            apply_to(&mut state, event);
            state
        }
        (None, _) => panic!("BUG: the first event of a deployment is not Requested: {event:?}"),
    }
}

fn requested(event: &Event) -> State {
    let Event::Requested { id, plan, by, at, deadline } = event else { unreachable!("BUG: called with another event") };
    let nothing = model::Confirmed::of(&model::Arrangement::StableAlone, false);
    State {
        id: id.clone(),
        plan: plan.clone(),
        requested_by: by.clone(),
        requested_at: *at,
        version: 1,
        stage: Stage::Queued { deadline: *deadline },
        pause: None,
        stable: None,
        good: Side::Stable,
        fence: model::Fence::default(),
        confirmed: nothing,
        unconfirmed: Vec::new(),
        operations: Vec::new(),
        watch: None,
        approvals: Vec::new(),
        acted: Vec::new(),
        generation: 0,
        observation: None,
        activated_at: None,
        ended_at: None,
    }
}

pub(crate) fn apply_to(state: &mut State, event: &Event) {
    assert!(!state.is_terminal(), "BUG: deployment {} is over, found {event:?}", state.id);
    state.version += 1;
    match event {
        Event::Requested { .. } => panic!("BUG: deployment {} was requested twice", state.id),
        Event::Activated { stable, fence, at } => {
            state.stable.clone_from(stable);
            state.fence = *fence;
            state.confirmed = back::resting(state);
            state.activated_at = Some(*at);
        }
        Event::StepEntered { step, at, deadline } => enter(state, *step, *at, *deadline),
        Event::StepCompleted { step, .. } => complete(state, *step),
        Event::OperationIntended { operation, asks_for } => {
            state.generation += 1;
            state.fence = operation.fence.unwrap_or(state.fence).max(state.fence);
            // Asking twice for the same leaves as many possibilities as asking once.
            state.unconfirmed.extend(asks_for.clone().filter(|asked| state.unconfirmed.last() != Some(asked)));
            if let OperationKind::Act { step } = operation.kind {
                state.acted.push(step);
            }
            state.operations.push(operation.clone());
        }
        Event::OperationProgressed { key, not_before, message, observation, plugin_state, deadline, .. } => {
            let operation = open(state, key);
            operation.attempt += 1;
            operation.failures = 0;
            operation.outcome_unknown = false;
            operation.not_before = *not_before;
            operation.message.clone_from(message);
            operation.plugin_state.clone_from(plugin_state);
            state.observation = observation.clone().or(state.observation.take());
            extend_deadline(state, *deadline);
        }
        Event::OperationRetried { key, message, not_before, outcome_unknown, counts, .. } => {
            let operation = open(state, key);
            operation.attempt += 1;
            operation.failures += u32::from(*counts);
            operation.outcome_unknown |= *outcome_unknown;
            operation.not_before = *not_before;
            operation.message.clone_from(message);
        }
        Event::OperationCompleted { key, result, at, .. } => completed(state, key, result, *at),
        Event::OperationAbandoned { key, .. } => {
            state.operations.retain(|o| o.key != *key);
        }
        Event::Approved { approval } => state.approvals.push(approval.clone()),
        Event::Paused { pause } => state.pause = Some(pause.clone()),
        Event::Resumed { at, .. } => resume(state, *at),
        Event::CandidatePromoted { .. } => state.good = Side::Candidate,
        Event::PromotionReverted { .. } => state.good = Side::Stable,
        Event::TurnedBack { cause, steps, deadline, .. } => {
            state.pause = None;
            state.watch = None;
            state.stage = Stage::Back { cause: cause.clone(), steps: steps.clone(), step: 0, deadline: *deadline };
        }
        Event::BackStepCompleted { step: completed, .. } => {
            if let Stage::Back { step, .. } = &mut state.stage {
                *step = completed + 1;
            }
        }
        Event::Ended { outcome, at } => {
            state.operations.clear();
            state.watch = None;
            state.pause = None;
            state.ended_at = Some(*at);
            state.stage = Stage::Ended(outcome.clone());
        }
    }
}

fn open<'a>(state: &'a mut State, key: &OperationKey) -> &'a mut Operation {
    let id = state.id.clone();
    let found = state.operations.iter_mut().find(|o| o.key == *key);
    found.unwrap_or_else(|| panic!("BUG: deployment {id} has no open operation {key}"))
}

fn enter(state: &mut State, step: usize, at: Timestamp, deadline: Timestamp) {
    state.stage = Stage::Forward { step, entered_at: at, deadline, done: false };
    state.approvals.clear();
    state.watch = match &state.plan.steps[step].kind {
        StepKind::Watch(spec) => {
            let unseen = |check: &Check| CheckState { next_look_at: at + check.start_after, ..CheckState::default() };
            let checks = spec.checks.iter().map(unseen).collect();
            Some(WatchState { started_at: at, checks })
        }
        StepKind::Gate { .. }
        | StepKind::Approval { .. }
        | StepKind::Action { .. }
        | StepKind::Reconcile { .. }
        | StepKind::Wait { .. }
        | StepKind::Promote => None,
    };
}

fn complete(state: &mut State, completed: usize) {
    if let Stage::Forward { step, done, .. } = &mut state.stage {
        assert!(*step == completed && !*done, "BUG: step {completed} was completed while step {step} was current");
        *done = true;
    }
    state.watch = None;
}

fn extend_deadline(state: &mut State, later: Option<Timestamp>) {
    if let (Stage::Forward { deadline, .. }, Some(later)) = (&mut state.stage, later) {
        *deadline = later.max(*deadline);
    }
}

fn completed(state: &mut State, key: &OperationKey, result: &OperationResult, at: Timestamp) {
    let operation = open(state, key).clone();
    state.operations.retain(|o| o.key != *key);
    match result {
        OperationResult::Converged(seen) => {
            // Operations that change the world follow each other, and abandoned ones have lower fences: the last wins.
            if let Some(last) = state.unconfirmed.pop() {
                state.confirmed = last;
            }
            state.unconfirmed.clear();
            state.observation = Some(seen.clone());
        }
        OperationResult::Superseded(highest) => state.fence = state.fence.max(*highest),
        OperationResult::Look(found) => {
            if let OperationKind::Look { check } = operation.kind {
                looked(state, check, found, at);
            }
        }
        OperationResult::Gate { .. } | OperationResult::Done | OperationResult::Failed(_) => {}
    }
}

fn looked(state: &mut State, index: usize, found: &Assessment, at: Timestamp) {
    let interval = interval_of(state, index);
    let Some(check) = state.watch.as_mut().and_then(|w| w.checks.get_mut(index)) else { return };
    let mut found = found.clone();
    // A look that failed says nothing about what the plugin wanted to remember.
    if found.plugin_state.is_none() && found.verdict == Verdict::Error {
        found.plugin_state = check.last.take().and_then(|last| last.plugin_state);
    }
    check.looks += 1;
    check.unhealthy_in_a_row = match found.verdict {
        Verdict::Unhealthy => check.unhealthy_in_a_row + 1,
        // A look that saw nothing does not take back what others saw; a candidate that answers every other time is not well.
        Verdict::Inconclusive | Verdict::Error => check.unhealthy_in_a_row,
        Verdict::Healthy => 0,
    };
    check.errors_in_a_row = if found.verdict == Verdict::Error { check.errors_in_a_row + 1 } else { 0 };
    // A plugin may ask for more time than the plan gives it, not for so much that the watch ends on what it saw long ago.
    let wish = found.next_look_after.map_or(interval, |wish| wish.min(limits::AGAIN_MAX).max(interval));
    check.next_look_at = at + wish.max(limits::LOOK_MIN);
    check.last = Some(found);
}

fn interval_of(state: &State, check: usize) -> Millis {
    let Stage::Forward { step, .. } = state.stage else { return limits::LOOK_MIN };
    match &state.plan.steps[step].kind {
        StepKind::Watch(spec) => spec.checks.get(check).map_or(limits::LOOK_MIN, |c| c.interval),
        StepKind::Gate { .. }
        | StepKind::Approval { .. }
        | StepKind::Action { .. }
        | StepKind::Reconcile { .. }
        | StepKind::Wait { .. }
        | StepKind::Promote => limits::LOOK_MIN,
    }
}

/// A pause suspends deadlines: every stored instant of the step moves by its length.
fn resume(state: &mut State, at: Timestamp) {
    let Some(pause) = state.pause.take() else { return };
    let length = at.since(pause.since);
    if let Stage::Forward { deadline, .. } = &mut state.stage {
        *deadline = *deadline + length;
    }
    if let Some(watch) = &mut state.watch {
        watch.started_at = watch.started_at + length;
        for check in &mut watch.checks {
            check.next_look_at = check.next_look_at + length;
        }
    }
}
