//! Judging a watch: take the looks that are due, and decide as soon as there is something to decide.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use model::{
    Cause, Check, CheckRole, CheckState, Event, HowCompleted, InconclusiveAction, Operation, OperationKind, Pause, PauseReason,
    Stage, State, StepKind, Timestamp, UnhealthyAction, Verdict, WatchSpec, WatchState,
};

use crate::draft::Draft;
use crate::{back, forward, limits};

enum Judgement {
    Against(Objection),
    Healthy,
    Undecided { check: String, sentence: String },
    GoOn,
}

/// What a check has against the candidate.
pub(crate) struct Objection {
    check: String,
    sentence: String,
    /// Whether it leads back whatever the watch says.
    critical: bool,
}

/// Decides the current watch if it can be decided now; otherwise takes the looks that are due.
pub(crate) fn judge(draft: &mut Draft) {
    let (Some(watch), Some((name, spec))) = (draft.state.watch.clone(), current(draft)) else { return };
    match judgement(&draft.state, &spec, &watch, draft.now) {
        Judgement::Against(objection) => against(draft, &spec, objection),
        Judgement::Healthy => {
            // Looks that decide nothing are not waited for.
            draft.abandon_all("the watch is over");
            forward::complete(draft, HowCompleted::Healthy);
        }
        Judgement::Undecided { check, sentence } => match spec.on_inconclusive {
            InconclusiveAction::GoBack => go_back(draft, PauseReason::Inconclusive { check, sentence }),
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
    if let Some(objection) = objection(spec, watch) {
        return Judgement::Against(objection);
    }
    if let Some((check, sentence)) = deciding(spec, watch).find_map(|(check, known)| Some((check, cannot_look(check, known)?))) {
        return Judgement::Undecided { check: check.health.name.clone(), sentence };
    }
    let outlooks = outlooks(state, spec, watch);
    if is_settled(&outlooks) {
        return if now >= end(spec, watch) { Judgement::Healthy } else { Judgement::GoOn };
    }
    let doubt = |look: &&Coming<'_>| look.check.role.decides() && matches!(look.outlook, Outlook::Doubt { from } if now >= from);
    match outlooks.iter().find(doubt) {
        Some(Coming { check, known, .. }) => {
            Judgement::Undecided { check: check.health.name.clone(), sentence: last_sentence(known) }
        }
        // Such a plan is refused; if it came here all the same, its watch finds nothing healthy.
        None if deciding(spec, watch).next().is_none() && now >= last(spec, watch) => {
            Judgement::Undecided { check: String::from("the watch"), sentence: String::from("no check of it decides") }
        }
        None => Judgement::GoOn,
    }
}

/// Returns what a check has against the candidate, one that leads back before others.
fn objection(spec: &WatchSpec, watch: &WatchState) -> Option<Objection> {
    let objections = || deciding(spec, watch).filter_map(|(check, known)| objects(check, known));
    objections().find(|objection| objection.critical).or_else(|| objections().next())
}

fn deciding<'a>(spec: &'a WatchSpec, watch: &'a WatchState) -> impl Iterator<Item = (&'a Check, &'a CheckState)> {
    spec.checks.iter().zip(&watch.checks).filter(|(check, _)| check.role.decides())
}

/// What time will bring to a check, if nobody reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outlook {
    /// Nothing that the watch waits for: it is healthy and will not be asked again before the watch ends, or it decides nothing.
    Nothing,
    /// Its next look.
    Look { at: Timestamp },
    /// Nobody can tell any more: it is not healthy, and every look that fell due within the patience came back; or one never did.
    Doubt { from: Timestamp },
}

/// A check with its outlook.
struct Coming<'a> {
    check: &'a Check,
    known: &'a CheckState,
    outlook: Outlook,
}

/// Returns the outlook of each check.
///
/// A look that fell due in time is taken and waited for, however late it is: an engine that was down for longer than the watch lasts
/// has seen nothing, and must neither go on with what it saw before nor call that doubt. Behind the end, whoever is satisfied goes on
/// looking for as long as somebody else cannot tell: all must be satisfied at once. As soon as they are, no new look begins.
fn outlooks<'a>(state: &State, spec: &'a WatchSpec, watch: &'a WatchState) -> Vec<Coming<'a>> {
    let (end, last) = (end(spec, watch), last(spec, watch));
    let all_satisfied = deciding(spec, watch).all(|(_, known)| is_satisfied(known));
    let outlook = |index: usize, check: &Check, known: &CheckState| {
        let open = state.operations.iter().find(|o| o.kind == OperationKind::Look { check: index });
        match (open, known.next_look_at) {
            (Some(_), _) if !check.role.decides() => Outlook::Nothing,
            (Some(look), _) => Outlook::Doubt { from: give_up(look).max(last) },
            (None, at) if at < end => Outlook::Look { at },
            (None, _) if all_satisfied => Outlook::Nothing,
            (None, at) if at < last => Outlook::Look { at },
            (None, _) if !check.role.decides() || is_satisfied(known) => Outlook::Nothing,
            (None, _) => Outlook::Doubt { from: last },
        }
    };
    let checks = spec.checks.iter().zip(&watch.checks).enumerate();
    checks.map(|(index, (check, known))| Coming { check, known, outlook: outlook(index, check, known) }).collect()
}

/// Returns whether the watch waits for nothing but its end.
fn is_settled(outlooks: &[Coming<'_>]) -> bool {
    let mut deciding = outlooks.iter().filter(|coming| coming.check.role.decides()).peekable();
    deciding.peek().is_some() && deciding.all(|coming| coming.outlook == Outlook::Nothing)
}

/// Returns when an open look has gone too long. Whoever performs it has limits of its own; this one is for when that fails.
pub(crate) fn give_up(look: &Operation) -> Timestamp {
    look.not_before + limits::LOOK_MAX
}

/// Returns the next instant at which time alone changes something in a watch.
pub(crate) fn next(state: &State, spec: &WatchSpec, watch: &WatchState) -> Timestamp {
    let outlooks = outlooks(state, spec, watch);
    let coming = outlooks.iter().filter_map(|coming| match coming.outlook {
        Outlook::Nothing => None,
        Outlook::Look { at } | Outlook::Doubt { from: at } => Some(at),
    });
    coming.chain(is_settled(&outlooks).then(|| end(spec, watch))).min().unwrap_or_else(|| last(spec, watch))
}

fn end(spec: &WatchSpec, watch: &WatchState) -> Timestamp {
    watch.started_at + spec.duration
}

/// Returns from when on nobody is waited for who still cannot tell.
pub(crate) fn last(spec: &WatchSpec, watch: &WatchState) -> Timestamp {
    watch.started_at + spec.longest()
}

/// Returns whether a check has nothing against the candidate: its last look, and there was one, found it healthy.
pub(crate) fn is_satisfied(state: &CheckState) -> bool {
    state.last.as_ref().is_some_and(|last| last.verdict == Verdict::Healthy)
}

/// Returns what a check said last.
pub(crate) fn last_sentence(state: &CheckState) -> String {
    state.last.as_ref().map_or_else(|| String::from("not looked yet"), |last| last.sentence.clone())
}

/// Returns what one check has against the candidate. Of a critical check one unhealthy look is enough. That it cannot look is no finding
/// ([`cannot_look`]).
pub(crate) fn objects(check: &Check, state: &CheckState) -> Option<Objection> {
    let name = check.health.name.clone();
    let (critical, enough) = match check.role {
        CheckRole::DryRun => return None,
        CheckRole::Critical => (true, 1),
        CheckRole::Deciding => (false, check.failures_to_decide.max(1)),
    };
    (state.unhealthy_in_a_row >= enough).then(|| Objection { check: name, sentence: last_sentence(state), critical })
}

/// Returns why a check cannot tell, when it failed itself more often in a row than is tolerated. That says nothing about the candidate: a
/// monitoring system that is down takes nothing back unless the plan goes back in doubt.
pub(crate) fn cannot_look(check: &Check, state: &CheckState) -> Option<String> {
    let failed = || match state.errors_in_a_row {
        1 => format!("the check itself failed: {}", last_sentence(state)),
        often => format!("the check itself failed {often} times in a row: {}", last_sentence(state)),
    };
    (check.role.decides() && state.errors_in_a_row > check.errors_tolerated).then(failed)
}

fn against(draft: &mut Draft, spec: &WatchSpec, objection: Objection) {
    let Objection { check, sentence, critical } = objection;
    match spec.on_unhealthy {
        UnhealthyAction::Pause if !critical => pause(draft, PauseReason::Unhealthy { check, sentence }),
        UnhealthyAction::GoBack | UnhealthyAction::Pause => go_back(draft, PauseReason::Unhealthy { check, sentence }),
    }
}

/// Goes back where that is possible. Where it is not, a person is asked for the same reason: an end in `blocked` would help nobody.
fn go_back(draft: &mut Draft, reason: PauseReason) {
    let Stage::Forward { step, .. } = draft.state.stage else { return };
    if !back::is_possible(&draft.state) {
        return pause(draft, reason);
    }
    let (PauseReason::Unhealthy { check, sentence } | PauseReason::Inconclusive { check, sentence }) = reason else { return };
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
    let due = |outlook: Outlook| matches!(outlook, Outlook::Look { at } if draft.now >= at);
    let outlooks = outlooks(&draft.state, spec, watch).into_iter().map(|coming| coming.outlook).enumerate();
    let due: Vec<usize> = outlooks.filter(|(_, outlook)| due(*outlook)).map(|(index, _)| index).collect();
    for index in due {
        draft.intend(&format!("{step}-look-{index}"), OperationKind::Look { check: index }, None);
    }
}
