//! A plan in words: what each step does, why, and what it waits for.

use model::{Arrangement, BasisPoints, Match, MatchOn, Millis, Percent, Phase, Plan, Routing, Step, StepId, StepKind, Sticky};

use super::watch;

/// One step in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedStep {
    /// Its place in the plan, counted from 1.
    pub number: usize,
    /// Its name.
    pub id: StepId,
    /// The phase a person sees while it runs.
    pub phase: Phase,
    /// What it does.
    pub does: String,
    /// Why it is there.
    pub why: String,
    /// What it waits for.
    pub waits_for: String,
    /// Of a watch, a line for each check: how often it looks, and what its looks decide.
    pub looks: Vec<String>,
    /// How long it may go without progress.
    pub deadline: Millis,
    /// Capacity needed beyond the steady state while it runs.
    pub extra_capacity: Percent,
    /// Whether the way back ends here.
    pub point_of_no_return: bool,
}

/// A plan as a whole, in words and numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The most capacity that is needed beyond the steady state at any time.
    pub extra_capacity: Percent,
    /// The shortest time it can take: everything that is watched or waited for, and nothing else.
    pub least_duration: Millis,
    /// Whether nobody is served for a while.
    pub interruption: bool,
    /// Where a failure before the promotion leads.
    pub on_failure_before: String,
    /// Where a failure after it leads.
    pub on_failure_after: String,
}

/// Returns every step of a plan in words.
pub fn explain(plan: &Plan) -> Vec<ExplainedStep> {
    plan.steps.iter().enumerate().map(|(index, step)| explained(index, step, plan)).collect()
}

fn explained(index: usize, step: &Step, plan: &Plan) -> ExplainedStep {
    let leads_back = !plan.steps[..index].iter().any(|step| step.point_of_no_return);
    let (does, waits_for) = words(&step.kind, leads_back);
    ExplainedStep {
        number: index + 1,
        id: step.id.clone(),
        phase: step.phase,
        does,
        why: step.reason.clone(),
        waits_for,
        looks: match &step.kind {
            StepKind::Watch(spec) => watch::looks(spec, leads_back),
            StepKind::Gate { .. }
            | StepKind::Approval { .. }
            | StepKind::Action { .. }
            | StepKind::Reconcile { .. }
            | StepKind::Wait { .. }
            | StepKind::Promote => Vec::new(),
        },
        deadline: step.deadline,
        extra_capacity: step.extra_capacity,
        point_of_no_return: step.point_of_no_return,
    }
}

/// Returns what a step does and what it waits for.
fn words(kind: &StepKind, leads_back: bool) -> (String, String) {
    match kind {
        StepKind::Gate { gate } => (format!("ask the gate {}", gate.name), "a yes".to_owned()),
        StepKind::Approval { from, quorum, .. } => {
            let people = if *quorum == 1 { "one answer".to_owned() } else { format!("{quorum} answers") };
            (format!("ask {}", from.join(", ")), format!("{people} by people"))
        }
        StepKind::Action { action, undoable } => {
            let undo = if *undoable { "can be undone" } else { "cannot be undone" };
            (format!("run {} ({undo})", action.name), "its end".to_owned())
        }
        StepKind::Reconcile { arrangement } => (stand(arrangement), "the target to confirm it".to_owned()),
        StepKind::Watch(spec) => watch::words(spec, leads_back),
        StepKind::Wait { duration, until: None } => (format!("wait {duration}"), "the time to pass".to_owned()),
        StepKind::Wait { duration, until: Some(_) } => (format!("wait {duration} or longer"), "its window to open".to_owned()),
        StepKind::Promote => ("mark the candidate good".to_owned(), "nothing".to_owned()),
    }
}

fn stand(arrangement: &Arrangement) -> String {
    match arrangement {
        Arrangement::SideBySide { stable: Percent::NONE, candidate: Percent::NONE, .. } => {
            "stop everything; nobody is served".to_owned()
        }
        Arrangement::SideBySide { stable, candidate, routing } => {
            format!("stable {stable}, candidate {candidate} of capacity; {}", traffic(routing))
        }
        Arrangement::CandidateAlone => "candidate alone, complete, with all traffic".to_owned(),
        Arrangement::StableAlone => "stable alone, complete, with all traffic".to_owned(),
    }
}

fn traffic(routing: &Routing) -> String {
    let Routing::Open { candidate, matches, mirror, sticky } = routing else { return "no traffic".to_owned() };
    let mut text = format!("{candidate} of traffic to the candidate");
    for Match { on, value, side } in matches {
        let (part, name) = match on {
            MatchOn::Header(name) => ("header", name),
            MatchOn::Cookie(name) => ("cookie", name),
        };
        text.push_str(&format!(", {part} {name}={value} to the {side} side"));
    }
    if *mirror > BasisPoints::NONE {
        text.push_str(&format!(", {mirror} mirrored"));
    }
    match sticky {
        Some(Sticky::Header(name)) => text.push_str(&format!(", sticky by header {name}")),
        Some(Sticky::Cookie(name)) => text.push_str(&format!(", sticky by cookie {name}")),
        None => {}
    }
    text
}

/// Returns the plan as a whole.
pub fn summarise(plan: &Plan) -> Summary {
    let least = |step: &Step| match &step.kind {
        StepKind::Watch(spec) => spec.duration.0,
        StepKind::Wait { duration, .. } => duration.0,
        StepKind::Gate { .. }
        | StepKind::Approval { .. }
        | StepKind::Action { .. }
        | StepKind::Reconcile { .. }
        | StepKind::Promote => 0,
    };
    let closed = |step: &Step| {
        let closed = |a: &Arrangement| matches!(a, Arrangement::SideBySide { routing: Routing::Closed, .. });
        matches!(&step.kind, StepKind::Reconcile { arrangement } if closed(arrangement))
    };
    let turning = plan.steps.iter().find(|step| step.point_of_no_return).map(|step| step.id.to_string()).unwrap_or_default();
    Summary {
        extra_capacity: plan.steps.iter().map(|step| step.extra_capacity).max().unwrap_or_default(),
        least_duration: Millis(plan.steps.iter().map(least).sum()),
        interruption: !plan.first && plan.steps.iter().any(closed),
        on_failure_before: match plan.first {
            true => "the candidate is taken away; nothing ran before it".to_owned(),
            false => "back to the stable release".to_owned(),
        },
        on_failure_after: match turning.as_str() {
            "promote" if plan.first => "forward or stop: there is no older release".to_owned(),
            "promote" => "forward or stop: the old release does not stand by".to_owned(),
            turning => format!("back to the old release as long as it stands by (until {turning})"),
        },
    }
}
