//! A person says yes.

use alloc::string::String;

use model::{Actor, Approval, Event, PlanHash, Stage, State, StepId, StepKind};

use crate::draft::Draft;
use crate::{Refusal, forward};

pub(super) fn decide(draft: &mut Draft, by: &Actor, plan: &PlanHash) -> Result<(), Refusal> {
    let (step, from, requester_may_approve) = asked(&draft.state, "approve")?;
    if *plan != draft.state.plan.hash {
        return Err(Refusal::PlanMoved { seen: plan.clone(), in_force: draft.state.plan.hash.clone() });
    }
    entitled(&draft.state, by, &from, requester_may_approve)?;
    in_time(draft)?;
    let approval = Approval { by: by.clone(), at: draft.now, step, plan: plan.clone() };
    draft.push(Event::Approved { approval });
    forward::advance(draft);
    Ok(())
}

/// A late answer is refused even when nobody has noticed yet that the time is over. A pause suspends the deadline.
fn in_time(draft: &Draft) -> Result<(), Refusal> {
    let Stage::Forward { deadline, .. } = draft.state.stage else { return Ok(()) };
    let now = draft.state.pause.as_ref().map_or(draft.now, |pause| pause.since);
    match now >= deadline {
        true => Err(Refusal::NothingToDo { command: "approve", reason: String::from("the time to answer is over") }),
        false => Ok(()),
    }
}

/// Returns the approval step that is asking, with who may answer and whether the requester may.
pub(super) fn asked(state: &State, command: &'static str) -> Result<(StepId, alloc::vec::Vec<String>, bool), Refusal> {
    if let Stage::Forward { step, done: false, .. } = state.stage
        && let StepKind::Approval { from, requester_may_approve, .. } = &state.plan.steps[step].kind
    {
        return Ok((state.plan.steps[step].id.clone(), from.clone(), *requester_may_approve));
    }
    Err(Refusal::NothingToDo { command, reason: String::from("no approval is being asked for") })
}

/// Returns whether a person may answer.
pub(super) fn entitled(state: &State, by: &Actor, from: &[String], requester_may_approve: bool) -> Result<(), Refusal> {
    let refused = |reason: String| Err(Refusal::NotEntitled { actor: by.name.clone(), reason });
    if !from.is_empty() && !from.iter().any(|who| *who == by.name || by.groups.contains(who)) {
        return refused(alloc::format!("the path asks {}", from.join(", ")));
    }
    if !requester_may_approve && by.name == state.requested_by.name {
        return refused(String::from("the path does not let the requester answer"));
    }
    if state.approvals.iter().any(|a| a.by.name == by.name) {
        return refused(String::from("this person has answered already"));
    }
    Ok(())
}
