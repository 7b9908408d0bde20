//! One file per command, all of the same shape: `decide(draft, …)`. The enum only delegates.

mod abort;
mod activate;
mod approve;
mod pause;
mod promote;
mod recover;
mod reject;
mod report;
mod request;
mod resume;
mod rollback;
mod supersede;
mod tick;

use alloc::vec::Vec;

use model::{Command, Event, State, Timestamp};

pub use request::request;

use crate::Refusal;
use crate::draft::Draft;
use crate::legality::{Kind, Legality, Situation, legality};

/// Returns what a command leads to. An empty answer means that it was absorbed: it came late or twice.
pub fn decide(state: &State, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let kind = Kind::of(command);
    match legality(kind, Situation::of(state)) {
        Legality::Absorb => return Ok(Vec::new()),
        Legality::Refuse => {
            return Err(Refusal::Illegal { command: kind.verb(), phase: state.phase(), paused: state.pause.is_some() });
        }
        Legality::Take => {}
    }
    let mut draft = Draft::new(state, now);
    let draft_ref = &mut draft;
    match command {
        Command::Activate { stable, fence } => activate::decide(draft_ref, stable.as_ref(), *fence),
        Command::Report(report) => report::decide(draft_ref, report),
        Command::Tick => tick::decide(draft_ref),
        Command::Recover => recover::decide(draft_ref),
        Command::Pause { by, reason } => pause::decide(draft_ref, by, reason),
        Command::Resume { by } => resume::decide(draft_ref, by),
        Command::Promote { by } => promote::decide(draft_ref, by)?,
        Command::Abort { by, reason } => abort::decide(draft_ref, by, reason)?,
        Command::Rollback { by, reason } => rollback::decide(draft_ref, by, reason)?,
        Command::Approve { by, plan } => approve::decide(draft_ref, by, plan)?,
        Command::Reject { by, reason } => reject::decide(draft_ref, by, reason)?,
        Command::Supersede { by } => supersede::decide(draft_ref, by),
    }
    Ok(draft.into_events())
}
