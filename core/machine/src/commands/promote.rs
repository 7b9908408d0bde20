//! A person does not want to wait any longer: the current watch or wait is taken as passed, in their name.

use alloc::format;

use model::{Actor, Event, HowCompleted, Stage, StepKind};

use crate::draft::Draft;
use crate::{Refusal, forward};

pub(super) fn decide(draft: &mut Draft, by: &Actor) -> Result<(), Refusal> {
    let Stage::Forward { step, done, .. } = draft.state.stage else { return Ok(()) };
    let current = &draft.state.plan.steps[step];
    let can_be_waived = match current.kind {
        StepKind::Watch(_) | StepKind::Wait { .. } => !done,
        StepKind::Gate { .. }
        | StepKind::Approval { .. }
        | StepKind::Action { .. }
        | StepKind::Reconcile { .. }
        | StepKind::Promote => false,
    };
    if !can_be_waived {
        let reason = format!("step {} is not a watch or a wait; nobody can wait less for it", current.id);
        return Err(Refusal::NothingToDo { command: "promote", reason });
    }
    if draft.state.pause.is_some() {
        draft.push(Event::Resumed { by: by.clone(), at: draft.now });
    }
    draft.abandon_all("a person decided not to wait");
    forward::complete(draft, HowCompleted::WaivedBy(by.clone()));
    forward::advance(draft);
    Ok(())
}
