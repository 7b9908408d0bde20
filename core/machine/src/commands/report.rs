//! An operation's attempt came back. Late and repeated reports change nothing.

use alloc::format;
use alloc::string::String;

use model::{
    Assessment, Cause, Event, Fault, GateAnswer, HowCompleted, Lost, Observation, Operation, OperationKind, OperationResult,
    Progress, Report, ReportOutcome, Stage, Verdict,
};

use crate::draft::Draft;
use crate::{back, desired, forward, limits};

pub(super) fn decide(draft: &mut Draft, report: &Report) {
    let current = |o: &&Operation| o.key == report.key && o.attempt == report.attempt;
    let Some(operation) = draft.state.operations.iter().find(current).cloned() else { return };
    match (&operation.kind, &report.outcome) {
        (OperationKind::Look { .. }, ReportOutcome::Look(found)) => looked(draft, &operation, found.clone()),
        (OperationKind::Look { .. }, ReportOutcome::Lost(lost)) => looked(draft, &operation, blind(&lost.message)),
        (OperationKind::AskGate, ReportOutcome::Gate { answer, retry_after_ms, measurements, sentence }) => {
            let result =
                OperationResult::Gate { answer: answer.clone(), measurements: measurements.clone(), sentence: sentence.clone() };
            gate(draft, &operation, answer, *retry_after_ms, sentence, result);
        }
        (_, ReportOutcome::Lost(lost)) => failed(draft, &operation, lost.clone()),
        (
            OperationKind::Reconcile { .. } | OperationKind::Act { .. } | OperationKind::Undo { .. },
            ReportOutcome::Progress(progress),
        ) => progressed(draft, &operation, progress, report),
        (
            OperationKind::AskGate
            | OperationKind::Look { .. }
            | OperationKind::Reconcile { .. }
            | OperationKind::Act { .. }
            | OperationKind::Undo { .. },
            ReportOutcome::Gate { .. } | ReportOutcome::Progress(_) | ReportOutcome::Look(_),
        ) => {
            let message = String::from("the plugin answered a question of another kind");
            failed(draft, &operation, Lost { message, outcome_unknown: true, retryable: false });
        }
    }
    forward::advance(draft);
}

/// A look that could not be taken saw nothing, and nothing is not healthy.
fn blind(message: &str) -> Assessment {
    Assessment {
        verdict: Verdict::Error,
        measurements: alloc::vec::Vec::new(),
        sentence: String::from(message),
        plugin_state: None,
        next_look_after: None,
    }
}

fn looked(draft: &mut Draft, operation: &Operation, found: Assessment) {
    draft.complete(&operation.key, operation.attempt, OperationResult::Look(found));
}

fn gate(draft: &mut Draft, op: &Operation, answer: &GateAnswer, retry_ms: u64, sentence: &str, result: OperationResult) {
    match answer {
        GateAnswer::Wait => draft.push(Event::OperationProgressed {
            key: op.key.clone(),
            attempt: op.attempt,
            not_before: draft.now + limits::again_after(retry_ms),
            message: String::from(sentence),
            observation: None,
            plugin_state: None,
            deadline: None,
        }),
        GateAnswer::Pass => {
            draft.complete(&op.key, op.attempt, result);
            forward::complete(draft, HowCompleted::Done);
        }
        GateAnswer::Fail | GateAnswer::Error => {
            draft.complete(&op.key, op.attempt, result);
            step_failed(draft, String::from(sentence));
        }
    }
}

fn progressed(draft: &mut Draft, operation: &Operation, progress: &Progress, report: &Report) {
    match progress {
        Progress::Converged(seen) => converged(draft, operation, seen, report),
        // The good side is back; what becomes of the candidate meanwhile holds nothing up.
        Progress::InProgress { observation, .. } if restored(draft, operation, observation) => {
            draft.complete(&operation.key, operation.attempt, OperationResult::Converged(observation.clone()));
            succeeded(draft);
        }
        Progress::InProgress { observation, retry_after_ms, message } => {
            not_yet(draft, operation, observation, *retry_after_ms, message.clone(), report);
        }
        Progress::Failed(fault) => {
            let lost = Lost { message: fault.message.clone(), outcome_unknown: true, retryable: fault.retryable };
            match holds_up_the_good_side(draft, operation, fault) {
                true => give_the_candidate_up(draft, operation, fault),
                false => failed(draft, operation, lost),
            }
        }
        Progress::Superseded(highest) if *highest > limits::FENCE_PLAUSIBLE_MAX => {
            let message = format!("the target claims to have seen fence {highest}, which nobody can have taken");
            failed(draft, operation, Lost { message, outcome_unknown: true, retryable: false });
        }
        Progress::Superseded(highest) => {
            draft.complete(&operation.key, operation.attempt, OperationResult::Superseded(*highest));
            match draft.state.stage {
                // The way back goes on with a higher fence: it is we who must have the last word.
                Stage::Back { .. } => back::claim_again(draft),
                Stage::Queued { .. } | Stage::Forward { .. } | Stage::Ended(_) => {
                    back::turn(draft, Cause::FencedOff { highest: *highest });
                }
            }
        }
    }
}

fn converged(draft: &mut Draft, operation: &Operation, seen: &Observation, report: &Report) {
    if let OperationKind::Reconcile { desired } = &operation.kind {
        let contradiction = match back::restores(&draft.state) {
            true => desired::without_candidate(desired, seen),
            false => desired::contradiction(desired, seen),
        };
        if let Some(contradiction) = contradiction {
            // It says that it is done and shows that it is not: believe what it shows.
            return not_yet(draft, operation, seen, limits::RETRY_FIRST.0, contradiction, report);
        }
        draft.complete(&operation.key, operation.attempt, OperationResult::Converged(seen.clone()));
    } else {
        draft.complete(&operation.key, operation.attempt, OperationResult::Done);
    }
    succeeded(draft);
}

fn restored(draft: &Draft, operation: &Operation, seen: &Observation) -> bool {
    let OperationKind::Reconcile { desired } = &operation.kind else { return false };
    back::restores(&draft.state) && desired::without_candidate(desired, seen).is_none()
}

/// A target that cannot keep the candidate up fails every state that has one, the good side's included.
fn holds_up_the_good_side(draft: &Draft, operation: &Operation, fault: &Fault) -> bool {
    let OperationKind::Reconcile { desired } = &operation.kind else { return false };
    let tried_enough = !fault.retryable || operation.failures + 1 >= draft.state.plan.policies.attempts_max;
    back::restores(&draft.state) && desired.candidate.is_some() && tried_enough
}

fn give_the_candidate_up(draft: &mut Draft, operation: &Operation, fault: &Fault) {
    draft.complete(&operation.key, operation.attempt, OperationResult::Failed(fault.clone()));
    back::without_candidate(draft);
}

fn succeeded(draft: &mut Draft) {
    let at = draft.now;
    match draft.state.stage {
        Stage::Forward { .. } => forward::complete(draft, HowCompleted::Done),
        Stage::Back { step, .. } => {
            draft.push(Event::BackStepCompleted { step, at });
            back::enter(draft);
        }
        Stage::Queued { .. } | Stage::Ended(_) => {}
    }
}

fn not_yet(draft: &mut Draft, op: &Operation, seen: &Observation, retry_ms: u64, message: String, report: &Report) {
    draft.push(Event::OperationProgressed {
        key: op.key.clone(),
        attempt: op.attempt,
        not_before: draft.now + limits::again_after(retry_ms),
        message,
        observation: Some(seen.clone()),
        plugin_state: report.plugin_state.clone(),
        deadline: new_deadline(draft, seen),
    });
}

/// Deadlines are measured on progress: a target that gets somewhere gets its time anew, within limits. The way back's is fixed.
fn new_deadline(draft: &Draft, seen: &Observation) -> Option<model::Timestamp> {
    let Stage::Forward { step, entered_at, .. } = draft.state.stage else { return None };
    // Plugins report these numbers: their sum must not overflow.
    let counts = |o: &Observation| (o.sides.iter().map(|s| u64::from(s.ready)).sum::<u64>(), o.candidate_weight);
    let before = draft.state.observation.as_ref().map(counts);
    let got_somewhere = before.is_some_and(|before| counts(seen) > before);
    let step = &draft.state.plan.steps[step];
    let last = entered_at + model::Millis(step.deadline.0.saturating_mul(limits::PROGRESS_EXTENDS_MAX));
    got_somewhere.then(|| forward::deadline_of(step, draft.now).min(last))
}

fn failed(draft: &mut Draft, operation: &Operation, lost: Lost) {
    let failures = operation.failures + 1;
    let going_back = matches!(draft.state.stage, Stage::Back { .. });
    // The way back is never given up before its deadline, whatever the plugin thinks of its chances.
    let again = going_back || (lost.retryable && failures < draft.state.plan.policies.attempts_max);
    if again {
        return draft.push(Event::OperationRetried {
            key: operation.key.clone(),
            attempt: operation.attempt,
            message: lost.message,
            not_before: draft.now + limits::backoff(failures),
            outcome_unknown: lost.outcome_unknown && operation.kind.changes_the_world(),
            counts: true,
        });
    }
    let message = match failures {
        1 => lost.message,
        _ => format!("{} (after {failures} attempts)", lost.message),
    };
    let fault = Fault { message: message.clone(), retryable: lost.retryable };
    draft.complete(&operation.key, operation.attempt, OperationResult::Failed(fault));
    step_failed(draft, message);
}

fn step_failed(draft: &mut Draft, message: String) {
    if let Stage::Forward { step, .. } = draft.state.stage {
        let step = draft.state.plan.steps[step].id.clone();
        back::turn(draft, Cause::StepFailed { step, message });
    }
}
