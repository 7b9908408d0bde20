//! People and their answers.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{PlanHash, StepId, Timestamp};

/// Who did something, as the API authenticated them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// A stable name ("user:ada", "system:engine").
    pub name: String,
    /// The groups they belong to ("group:release-managers").
    pub groups: Vec<String>,
    /// Where the call came from and with which program, for the record; empty for what had no caller. Decides nothing.
    pub from: String,
}

/// One answer that counts. It binds the person to the plan and the step; a changed plan has another hash and voids it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Approval {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// The step that asked.
    pub step: StepId,
    /// The plan that was shown.
    pub plan: PlanHash,
}
