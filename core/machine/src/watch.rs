//! Judging a watch: take the looks that are due, and decide as soon as there is something to decide.

use alloc::format;
use alloc::string::String;

use model::{
    Cause, Check, CheckState, Event, HowCompleted, InconclusiveAction, OperationKind, Pause, PauseReason, Stage, StepKind,
    UnhealthyAction, Verdict, WatchSpec, WatchState,
};

use crate::draft::Draft;
use crate::{back, forward};

enum Judgement {
    Unhealthy { check: String, sentence: String },
    Healthy,
    Undecided { check: String, sentence: String },
    GoOn,
}

/// Decides the current watch if it can be decided now; otherwise takes the looks that are due.
pub(crate) fn judge(draft: &mut Draft) {
    let (Some(watch), Some((name, spec))) = (draft.state.watch.clone(), current(draft)) else { return };
    match judgement(&spec, &watch, draft.now) {
        Judgement::Unhealthy { check, sentence } => unhealthy(draft, &spec, check, sentence),
        Judgement::Healthy => {
            draft.abandon_all("the watch ended healthy");
            forward::complete(draft, HowCompleted::Healthy);
        }
        Judgement::Undecided { check, sentence } => match spec.on_inconclusive {
            InconclusiveAction::GoBack => go_back(draft, check, sentence),
            InconclusiveAction::Pause => pause(draft, PauseReason::Inconclusive { check, sentence }),
        },
        Judgement::GoOn => take_due_looks(draft, &name, &watch),
    }
}

fn current(draft: &Draft) -> Option<(String, WatchSpec)> {
    let Stage::Forward { step, done: false, .. } = draft.state.stage else { return None };
    let step = &draft.state.plan.steps[step];
    match &step.kind {
        StepKind::Watch(spec) => Some((String::from(step.id.as_str()), spec.clone())),
        StepKind::Gate { .. }
        | StepKind::Approval { .. }
        | StepKind::Action { .. }
        | StepKind::Reconcile { .. }
        | StepKind::Wait { .. }
        | StepKind::Promote => None,
    }
}

fn judgement(spec: &WatchSpec, watch: &WatchState, now: model::Timestamp) -> Judgement {
    let pairs = || spec.checks.iter().zip(&watch.checks);
    if let Some((check, sentence)) = pairs().find_map(|(check, state)| decided_against(check, state)) {
        return Judgement::Unhealthy { check, sentence };
    }
    let end = watch.started_at + spec.duration;
    match pairs().find(|(_, state)| !is_satisfied(state)) {
        None if now >= end => Judgement::Healthy,
        Some((check, state)) if now >= end + spec.patience => {
            Judgement::Undecided { check: check.health.name.clone(), sentence: last_sentence(state) }
        }
        None | Some(_) => Judgement::GoOn,
    }
}

/// Returns whether a check has nothing against the candidate: its last look, and there was one, found it healthy.
pub(crate) fn is_satisfied(state: &CheckState) -> bool {
    state.last.as_ref().is_some_and(|last| last.verdict == Verdict::Healthy)
}

/// Returns what a check said last.
pub(crate) fn last_sentence(state: &CheckState) -> String {
    state.last.as_ref().map_or_else(|| String::from("not looked yet"), |last| last.sentence.clone())
}

fn decided_against(check: &Check, state: &CheckState) -> Option<(String, String)> {
    let name = check.health.name.clone();
    if state.unhealthy_in_a_row >= check.failures_to_decide.max(1) {
        return Some((name, last_sentence(state)));
    }
    if state.errors_in_a_row > check.errors_tolerated {
        let sentence = format!("the check itself failed {} times in a row: {}", state.errors_in_a_row, last_sentence(state));
        return Some((name, sentence));
    }
    None
}

fn unhealthy(draft: &mut Draft, spec: &WatchSpec, check: String, sentence: String) {
    match spec.on_unhealthy {
        UnhealthyAction::GoBack => go_back(draft, check, sentence),
        UnhealthyAction::Pause => pause(draft, PauseReason::Unhealthy { check, sentence }),
    }
}

/// Goes back where that is possible. Where it is not, a person is asked: an end in `blocked` would help nobody.
fn go_back(draft: &mut Draft, check: String, sentence: String) {
    let Stage::Forward { step, .. } = draft.state.stage else { return };
    if !back::is_possible(&draft.state) {
        return pause(draft, PauseReason::Unhealthy { check, sentence });
    }
    let step = draft.state.plan.steps[step].id.clone();
    back::turn(draft, Cause::Unhealthy { step, check, sentence });
}

/// Stands still. Looks in flight are let go: a paused deployment is not judged.
pub(crate) fn pause(draft: &mut Draft, reason: PauseReason) {
    let since = draft.now;
    draft.abandon_all("the watch paused");
    let deadline = since + draft.state.plan.policies.pause_expires_after;
    draft.push(Event::Paused { pause: Pause { reason, since, deadline } });
}

fn take_due_looks(draft: &mut Draft, step: &str, watch: &WatchState) {
    for (index, check) in watch.checks.iter().enumerate() {
        let open = draft.state.operations.iter().any(|o| matches!(o.kind, OperationKind::Look { check } if check == index));
        if !open && draft.now >= check.next_look_at {
            draft.intend(&format!("{step}-look-{index}"), OperationKind::Look { check: index }, None);
        }
    }
}
