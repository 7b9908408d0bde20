//! Judging a watch: take the looks that are due, and decide as soon as there is something to decide.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use model::{
    Cause, Check, CheckState, Event, HowCompleted, InconclusiveAction, Operation, OperationKind, Pause, PauseReason, Stage,
    State, StepKind, Timestamp, UnhealthyAction, Verdict, WatchSpec, WatchState,
};

use crate::draft::Draft;
use crate::{back, forward, limits};

enum Judgement {
    Unhealthy { check: String, sentence: String },
    Healthy,
    Undecided { check: String, sentence: String },
    GoOn,
}

/// Decides the current watch if it can be decided now; otherwise takes the looks that are due.
pub(crate) fn judge(draft: &mut Draft) {
    let (Some(watch), Some((name, spec))) = (draft.state.watch.clone(), current(draft)) else { return };
    match judgement(&draft.state, &spec, &watch, draft.now) {
        Judgement::Unhealthy { check, sentence } => unhealthy(draft, &spec, check, sentence),
        Judgement::Healthy => forward::complete(draft, HowCompleted::Healthy),
        Judgement::Undecided { check, sentence } => match spec.on_inconclusive {
            InconclusiveAction::GoBack => go_back(draft, check, sentence),
            InconclusiveAction::Pause => pause(draft, PauseReason::Inconclusive { check, sentence }),
        },
        Judgement::GoOn => take_due_looks(draft, &name, &spec, &watch),
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

fn judgement(state: &State, spec: &WatchSpec, watch: &WatchState, now: Timestamp) -> Judgement {
    let pairs = || spec.checks.iter().zip(&watch.checks);
    if let Some((check, sentence)) = pairs().find_map(|(check, state)| decided_against(check, state)) {
        return Judgement::Unhealthy { check, sentence };
    }
    let outlooks = || outlooks(state, spec, watch);
    if outlooks().all(|outlook| outlook == Outlook::Well) {
        return if now >= end(spec, watch) { Judgement::Healthy } else { Judgement::GoOn };
    }
    match pairs().zip(outlooks()).find(|(_, outlook)| matches!(outlook, Outlook::Doubt { from } if now >= *from)) {
        Some(((check, state), _)) => Judgement::Undecided { check: check.health.name.clone(), sentence: last_sentence(state) },
        None => Judgement::GoOn,
    }
}

/// What time will bring to a check, if nobody reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlook {
    /// It is healthy and will not be asked again before the watch ends.
    Well,
    /// Its next look.
    Look { at: Timestamp },
    /// Nobody can tell any more: it is not healthy, and every look that fell due within the patience came back; or one never did.
    Doubt { from: Timestamp },
}

/// Returns the outlook of each check.
///
/// A look that fell due in time is taken and waited for, however late it is: an engine that was down for longer than the watch lasts
/// has seen nothing, and must neither go on with what it saw before nor call that doubt.
fn outlooks<'a>(state: &'a State, spec: &WatchSpec, watch: &'a WatchState) -> impl Iterator<Item = Outlook> + 'a {
    let end = end(spec, watch);
    let last = end + spec.patience;
    watch.checks.iter().enumerate().map(move |(index, check)| {
        let open = state.operations.iter().find(|o| o.kind == OperationKind::Look { check: index });
        match (open, check.next_look_at) {
            (Some(look), _) => Outlook::Doubt { from: give_up(look).max(last) },
            (None, at) if at < end => Outlook::Look { at },
            (None, _) if is_satisfied(check) => Outlook::Well,
            (None, at) if at < last => Outlook::Look { at },
            (None, _) => Outlook::Doubt { from: last },
        }
    })
}

/// Returns when an open look has gone too long. Whoever performs it has limits of its own; this one is for when that fails.
pub(crate) fn give_up(look: &Operation) -> Timestamp {
    look.not_before + limits::LOOK_MAX
}

/// Returns the next instant at which time alone changes something in a watch.
pub(crate) fn next(state: &State, spec: &WatchSpec, watch: &WatchState) -> Timestamp {
    let next = outlooks(state, spec, watch).filter_map(|outlook| match outlook {
        Outlook::Well => None,
        Outlook::Look { at } | Outlook::Doubt { from: at } => Some(at),
    });
    next.min().unwrap_or_else(|| end(spec, watch))
}

fn end(spec: &WatchSpec, watch: &WatchState) -> Timestamp {
    watch.started_at + spec.duration
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

fn take_due_looks(draft: &mut Draft, step: &str, spec: &WatchSpec, watch: &WatchState) {
    let due = |outlook: &Outlook| matches!(outlook, Outlook::Look { at } if draft.now >= *at);
    let outlooks = outlooks(&draft.state, spec, watch).enumerate();
    let due: Vec<usize> = outlooks.filter(|(_, outlook)| due(outlook)).map(|(index, _)| index).collect();
    for index in due {
        draft.intend(&format!("{step}-look-{index}"), OperationKind::Look { check: index }, None);
    }
}
