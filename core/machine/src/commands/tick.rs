//! Time passed. Every instant that `deadline` names leads to an event here, so that nobody is woken for nothing.

use alloc::string::ToString;

use model::{Cause, Event, Outcome, Stage, StepKind};

use crate::draft::Draft;
use crate::waiting::{pause_reason, waiting};
use crate::{back, forward};

pub(super) fn decide(draft: &mut Draft) {
    let at = draft.now;
    if let (Stage::Forward { .. }, Some(pause)) = (&draft.state.stage, &draft.state.pause) {
        if at >= pause.deadline {
            let reason = pause_reason(&pause.reason);
            back::turn(draft, Cause::PauseExpired { reason });
        }
        return;
    }
    match &draft.state.stage {
        Stage::Queued { deadline } if at >= *deadline => {
            let waiting_for = waiting_for(draft);
            draft.push(Event::Ended { outcome: Outcome::Expired { waiting_for }, at });
        }
        Stage::Back { deadline, cause, .. } if at >= *deadline => {
            let (cause, message) = (cause.clone(), waiting_for(draft));
            draft.push(Event::Ended { outcome: Outcome::RollbackFailed { cause, message }, at });
        }
        Stage::Forward { step, deadline, done: false, .. } if at >= *deadline && waits_for_others(draft, *step) => {
            let cause = Cause::DeadlinePassed { step: draft.state.plan.steps[*step].id.clone(), waiting_for: waiting_for(draft) };
            back::turn(draft, cause);
        }
        Stage::Forward { .. } => forward::advance(draft),
        Stage::Queued { .. } | Stage::Back { .. } | Stage::Ended(_) => {}
    }
}

fn waiting_for(draft: &Draft) -> alloc::string::String {
    waiting(&draft.state).map_or_else(Default::default, |waiting| waiting.to_string())
}

/// A wait and a watch end by time as they should; everything else is late when its deadline comes.
fn waits_for_others(draft: &Draft, step: usize) -> bool {
    match draft.state.plan.steps[step].kind {
        StepKind::Wait { .. } | StepKind::Watch(_) => false,
        StepKind::Gate { .. }
        | StepKind::Approval { .. }
        | StepKind::Action { .. }
        | StepKind::Reconcile { .. }
        | StepKind::Promote => true,
    }
}
