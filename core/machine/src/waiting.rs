//! What a deployment waits for.

use alloc::string::{String, ToString};

use model::{BackStep, Check, CheckState, PauseReason, Stage, State, StepKind, Waiting};

use crate::watch;

/// Returns what the deployment waits for; `None` only when it is over.
pub fn waiting(state: &State) -> Option<Waiting> {
    if let (Stage::Forward { .. }, Some(pause)) = (&state.stage, &state.pause) {
        return Some(Waiting::Person { reason: pause_reason(&pause.reason) });
    }
    match &state.stage {
        Stage::Ended(_) => None,
        Stage::Queued { .. } => Some(Waiting::Turn),
        Stage::Forward { done: true, .. } => Some(Waiting::Nothing),
        Stage::Forward { step, deadline, .. } => Some(waiting_in(state, *step, *deadline)),
        Stage::Back { steps, step, .. } => {
            Some(Waiting::WayBack { doing: doing(steps.get(*step)), message: last_message(state) })
        }
    }
}

fn waiting_in(state: &State, step: usize, deadline: model::Timestamp) -> Waiting {
    let step = &state.plan.steps[step];
    match &step.kind {
        StepKind::Gate { gate } => Waiting::Gate { gate: gate.name.clone(), message: last_message(state) },
        StepKind::Action { action, .. } => Waiting::Action { action: action.name.clone(), message: last_message(state) },
        StepKind::Approval { from, quorum, .. } => {
            let given = u32::try_from(state.approvals.len()).unwrap_or(u32::MAX);
            Waiting::Approval { from: from.clone(), missing: quorum.saturating_sub(given) }
        }
        StepKind::Reconcile { .. } => Waiting::Convergence { step: step.id.clone(), message: last_message(state) },
        StepKind::Wait { .. } => Waiting::Time { until: deadline },
        StepKind::Promote => Waiting::Nothing,
        StepKind::Watch(spec) => {
            let Some(running) = &state.watch else { return Waiting::Nothing };
            let waited_for = |(spec, check): &(&Check, &CheckState)| spec.role.decides() && !watch::is_satisfied(check);
            let open = spec.checks.iter().zip(&running.checks).filter(waited_for);
            Waiting::Verdict {
                open: open.map(|(spec, check)| (spec.health.name.clone(), watch::last_sentence(check))).collect(),
                until: running.started_at + spec.duration,
            }
        }
    }
}

fn last_message(state: &State) -> String {
    state.operations.first().map(|o| o.message.clone()).unwrap_or_default()
}

fn doing(step: Option<&BackStep>) -> String {
    match step {
        Some(BackStep::RaiseStable) => "bringing the stable side's capacity back",
        Some(BackStep::RestoreTraffic) => "giving all traffic back to the stable side",
        Some(BackStep::Undo { .. }) => "undoing an action",
        Some(BackStep::RemoveCandidate) => "removing the candidate",
        None => "ending",
    }
    .to_string()
}

/// Returns a pause's reason as a sentence fragment.
pub(crate) fn pause_reason(reason: &PauseReason) -> String {
    match reason {
        PauseReason::Person { by, reason } if reason.is_empty() => alloc::format!("paused by {}", by.name),
        PauseReason::Person { by, reason } => alloc::format!("paused by {}: {reason}", by.name),
        PauseReason::Inconclusive { check, sentence } => alloc::format!("{check} could not tell: {sentence}"),
        PauseReason::Unhealthy { check, sentence } => alloc::format!("{check} found it unhealthy: {sentence}"),
    }
}
