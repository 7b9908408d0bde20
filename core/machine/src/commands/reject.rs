//! A person says no.

use alloc::format;

use model::{Actor, Cause};

use crate::draft::Draft;
use crate::{Refusal, back};

pub(super) fn decide(draft: &mut Draft, by: &Actor, reason: &str) -> Result<(), Refusal> {
    let (step, from, _) = super::approve::asked(&draft.state, "reject")?;
    // Whoever may say yes may say no, and the requester always may: it is their deployment.
    if by.name != draft.state.requested_by.name {
        super::approve::entitled(&draft.state, by, &from, true)?;
    }
    back::turn(draft, Cause::StepFailed { step, message: format!("rejected by {}: {reason}", by.name) });
    Ok(())
}
