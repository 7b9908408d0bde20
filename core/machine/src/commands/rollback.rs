//! A person takes it back.

use alloc::string::String;

use model::{Actor, Cause};

use crate::draft::Draft;
use crate::{Refusal, back};

pub(super) fn decide(draft: &mut Draft, by: &Actor, reason: &str) -> Result<(), Refusal> {
    refuse_without_way_back(draft)?;
    back::turn(draft, Cause::RolledBack { by: by.clone(), reason: String::from(reason) });
    Ok(())
}

/// A person who asks for the impossible is told so, while the deployment goes on; a failure in its place would end it.
pub(super) fn refuse_without_way_back(draft: &Draft) -> Result<(), Refusal> {
    if let Some(step) = back::point_of_no_return(&draft.state) {
        return Err(Refusal::PointOfNoReturn { step });
    }
    if !back::is_possible(&draft.state) {
        let reason = "the candidate was promoted and the old side is being taken down; roll the finished deployment back instead";
        return Err(Refusal::NothingToDo { command: "take back", reason: String::from(reason) });
    }
    Ok(())
}
