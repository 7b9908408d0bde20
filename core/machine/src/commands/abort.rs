//! A person stops it.

use alloc::string::String;

use model::{Actor, Cause, Event, Outcome, Stage};

use crate::draft::Draft;
use crate::{Refusal, back};

pub(super) fn decide(draft: &mut Draft, by: &Actor, reason: &str) -> Result<(), Refusal> {
    let (by, reason, at) = (by.clone(), String::from(reason), draft.now);
    match draft.state.stage {
        Stage::Queued { .. } => draft.push(Event::Ended { outcome: Outcome::Aborted { by, reason }, at }),
        Stage::Forward { .. } | Stage::Back { .. } | Stage::Ended(_) => {
            super::rollback::refuse_without_way_back(draft)?;
            back::turn(draft, Cause::Aborted { by, reason });
        }
    }
    Ok(())
}
