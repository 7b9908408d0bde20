//! The way forward: entering steps, completing them, and the end of the plan.

use model::{Confirmed, Event, HowCompleted, OperationKind, Outcome, PlanHash, Stage, Step, StepKind, Timestamp};

use crate::draft::Draft;
use crate::{desired, watch};

/// Goes on as far as it can without waiting for anything.
///
/// Does nothing while the deployment is paused, taken back or over.
pub(crate) fn advance(draft: &mut Draft) {
    loop {
        if draft.state.pause.is_some() {
            return;
        }
        let Stage::Forward { step, done, deadline, .. } = draft.state.stage else { return };
        if done {
            enter(draft, step + 1);
            continue;
        }
        match &draft.state.plan.steps[step].kind {
            StepKind::Wait { .. } if draft.now >= deadline => complete(draft, HowCompleted::Done),
            StepKind::Watch(_) => {
                watch::judge(draft);
                let moved = !matches!(draft.state.stage, Stage::Forward { step: now, done: false, .. } if now == step);
                if !moved {
                    return;
                }
            }
            StepKind::Approval { quorum, .. } if enough(&draft.state.approvals, *quorum, &draft.state.plan.hash) => {
                complete(draft, HowCompleted::Done);
            }
            StepKind::Wait { .. }
            | StepKind::Approval { .. }
            | StepKind::Gate { .. }
            | StepKind::Action { .. }
            | StepKind::Reconcile { .. }
            | StepKind::Promote => return,
        }
    }
}

fn enough(approvals: &[model::Approval], quorum: u32, plan: &PlanHash) -> bool {
    approvals.iter().filter(|a| a.plan == *plan).count() >= quorum as usize
}

/// Completes the current step; [`advance`] enters the next.
pub(crate) fn complete(draft: &mut Draft, how: HowCompleted) {
    if let Stage::Forward { step, .. } = draft.state.stage {
        draft.push(Event::StepCompleted { step, how, at: draft.now });
    }
}

/// Enters a step, or ends the deployment behind the last one.
pub(crate) fn enter(draft: &mut Draft, index: usize) {
    let now = draft.now;
    let Some(step) = draft.state.plan.steps.get(index).cloned() else {
        draft.push(Event::Ended { outcome: Outcome::Succeeded, at: now });
        return;
    };
    draft.push(Event::StepEntered { step: index, at: now, deadline: deadline_of(&step, now) });
    let name = step.id.as_str();
    match &step.kind {
        StepKind::Gate { .. } => draft.intend(name, OperationKind::AskGate, None),
        StepKind::Action { .. } => draft.intend(name, OperationKind::Act { step: index }, None),
        StepKind::Reconcile { arrangement } => {
            let asks_for = Confirmed::of(arrangement, draft.state.stable.is_some());
            let kind = OperationKind::Reconcile { desired: desired::desired(&draft.state, arrangement) };
            draft.intend(name, kind, Some(asks_for));
        }
        StepKind::Promote => {
            draft.push(Event::CandidatePromoted { at: now });
            complete(draft, HowCompleted::Done);
        }
        StepKind::Watch(_) | StepKind::Wait { .. } | StepKind::Approval { .. } => {}
    }
}

/// Returns when a step, entered at `now`, has gone too long.
pub(crate) fn deadline_of(step: &Step, now: Timestamp) -> Timestamp {
    match &step.kind {
        StepKind::Approval { expires_after, .. } => now + *expires_after,
        StepKind::Wait { duration, until } => (now + *duration).max(until.unwrap_or(now)),
        StepKind::Watch(spec) => now + spec.longest(),
        StepKind::Gate { .. } | StepKind::Action { .. } | StepKind::Reconcile { .. } | StepKind::Promote => now + step.deadline,
    }
}
