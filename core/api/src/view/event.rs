//! An event as one word and as a sentence.

use model::{
    Actor, Assessment, Event, GateAnswer, HowCompleted, Operation, OperationKind, OperationResult, Pause, PauseReason, Plan,
    Side, State, StepKind,
};

use super::{Timeline, deployment, outcome, step};

/// Returns an event's name: what it is called in `--json` and in logs.
pub(crate) fn word(event: &Event) -> &'static str {
    match event {
        Event::Requested { .. } => "requested",
        Event::Activated { .. } => "activated",
        Event::StepEntered { .. } => "step-entered",
        Event::StepCompleted { .. } => "step-completed",
        Event::OperationIntended { .. } => "operation-intended",
        Event::OperationProgressed { .. } => "operation-progressed",
        Event::OperationRetried { .. } => "operation-retried",
        Event::OperationCompleted { .. } => "operation-completed",
        Event::OperationAbandoned { .. } => "operation-abandoned",
        Event::Approved { .. } => "approved",
        Event::Paused { .. } => "paused",
        Event::Resumed { .. } => "resumed",
        Event::CandidatePromoted { .. } => "candidate-promoted",
        Event::PromotionReverted { .. } => "promotion-reverted",
        Event::TurnedBack { .. } => "turned-back",
        Event::BackStepCompleted { .. } => "back-step-completed",
        Event::Ended { .. } => "ended",
    }
}

/// Returns what happened, as a sentence; `state` is the deployment after it, `timeline` has taken the event.
pub(crate) fn sentence(event: &Event, state: &State, timeline: &Timeline) -> String {
    let plan = &state.plan;
    match event {
        Event::Requested { by, .. } => format!("{} asked to deploy {}", by.name, plan.release.label),
        Event::Activated { stable: Some(stable), .. } => format!("its turn; {} is stable", stable.label),
        Event::Activated { stable: None, .. } => "its turn; nothing is stable yet".to_owned(),
        Event::StepEntered { step, .. } => named(*step, plan, timeline),
        Event::StepCompleted { step, how, .. } => completed(*step, how, plan),
        Event::OperationIntended { operation, .. } => intended(operation, plan, timeline),
        Event::OperationProgressed { message, .. } => said("not there yet", message),
        Event::OperationRetried { attempt, message, .. } => said(&format!("attempt {attempt} failed and is repeated"), message),
        Event::OperationCompleted { result: OperationResult::Look(found), .. } => looked(found, plan, timeline),
        Event::OperationCompleted { result, .. } => result_of(result),
        Event::OperationAbandoned { reason, .. } => said("no longer of interest", reason),
        Event::Approved { approval } => format!("{} approved", approval.by.name),
        Event::Paused { pause } => paused(pause),
        Event::Resumed { by, .. } => format!("{} resumed it", by.name),
        Event::CandidatePromoted { .. } => format!("{} is the good side from here on", plan.release.label),
        Event::PromotionReverted { .. } => "the old stable is the good side again".to_owned(),
        Event::TurnedBack { cause, .. } => format!("turned back: {}", outcome::cause(cause)),
        Event::BackStepCompleted { step, .. } => match &state.stage {
            model::Stage::Back { steps, .. } => match steps.get(*step) {
                Some(back) => format!("done: {}", step::does_back(back, plan)),
                None => "a step of the way back is done".to_owned(),
            },
            model::Stage::Queued { .. } | model::Stage::Forward { .. } | model::Stage::Ended(_) => {
                "a step of the way back is done".to_owned()
            }
        },
        Event::Ended { outcome, .. } => format!("{}: {}", outcome.phase(), outcome::outcome(outcome)),
    }
}

fn said(what: &str, message: &str) -> String {
    match message {
        "" => what.to_owned(),
        message => format!("{what}: {message}"),
    }
}

fn named(index: usize, plan: &Plan, timeline: &Timeline) -> String {
    match (plan.steps.get(index), timeline.does.get(index)) {
        (Some(planned), Some(does)) => format!("{}: {does}", planned.id),
        (Some(_) | None, _) => format!("step {index}"),
    }
}

fn completed(index: usize, how: &HowCompleted, plan: &Plan) -> String {
    let name = plan.steps.get(index).map_or_else(|| index.to_string(), |step| step.id.to_string());
    match how {
        HowCompleted::Done => format!("{name} is done"),
        HowCompleted::Healthy => format!("{name} is done: every check was healthy"),
        HowCompleted::WaivedBy(Actor { name: by, .. }) => format!("{name} was waived by {by}"),
    }
}

fn intended(operation: &Operation, plan: &Plan, timeline: &Timeline) -> String {
    match &operation.kind {
        OperationKind::AskGate => "asking the gate".to_owned(),
        OperationKind::Reconcile { desired } => match (&desired.stable, &desired.candidate) {
            (_, Some(_)) => {
                let share = desired.routing.share(Side::Candidate);
                format!("asking the target for {share} of traffic on the candidate")
            }
            (Some(only), None) => format!("asking the target for {} alone, with all traffic", only.release.label),
            (None, None) => "asking the target to remove everything".to_owned(),
        },
        OperationKind::Look { check } => format!("taking a look (check {})", check + 1),
        OperationKind::Act { step } => named(*step, plan, timeline),
        OperationKind::Undo { step } => format!("undoing {}", named(*step, plan, timeline)),
    }
}

fn result_of(result: &OperationResult) -> String {
    match result {
        OperationResult::Gate { answer, sentence, .. } => {
            let answer = match answer {
                GateAnswer::Pass => "the gate says yes",
                GateAnswer::Fail => "the gate says no",
                GateAnswer::Wait => "the gate does not know yet",
                GateAnswer::Error => "the gate could not find out",
            };
            said(answer, sentence)
        }
        OperationResult::Converged(seen) => {
            format!("the target has converged: {} of traffic on the candidate", seen.candidate_weight)
        }
        OperationResult::Look(found) => said_of_a_look(found),
        OperationResult::Done => "done".to_owned(),
        OperationResult::Failed(fault) => said("failed", &fault.message),
        OperationResult::Superseded(fence) => format!("the target has seen fence {fence}: somebody else writes there"),
    }
}

/// Returns what a look found, and that it decides nothing where it does not.
fn looked(found: &Assessment, plan: &Plan, timeline: &Timeline) -> String {
    let step = timeline.watch.and_then(|index| plan.steps.get(index));
    let Some(StepKind::Watch(spec)) = step.map(|step| &step.kind) else { return said_of_a_look(found) };
    match timeline.last_look.and_then(|check| spec.checks.get(check)) {
        Some(check) if !check.role.decides() => format!("dry run: {}", said_of_a_look(found)),
        Some(_) | None => said_of_a_look(found),
    }
}

fn said_of_a_look(found: &Assessment) -> String {
    said(deployment::verdict(found.verdict), &found.sentence)
}

fn paused(pause: &Pause) -> String {
    match &pause.reason {
        PauseReason::Person { by, reason } => said(&format!("paused by {}", by.name), reason),
        PauseReason::Inconclusive { check, sentence } => format!("paused: {check} could not tell: {sentence}"),
        PauseReason::Unhealthy { check, sentence } => format!("paused: {check} found it unhealthy: {sentence}"),
    }
}
