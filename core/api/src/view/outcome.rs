//! How a deployment ended, and why it turned back, as sentence fragments.

use model::{Cause, Outcome};

/// Returns why a deployment was taken back.
pub fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Unhealthy { step, check, sentence } => format!("{check} found the candidate unhealthy in {step}: {sentence}"),
        Cause::StepFailed { step, message } => format!("step {step} failed: {message}"),
        Cause::DeadlinePassed { step, waiting_for } => {
            format!("step {step} went too long without progress, waiting for {waiting_for}")
        }
        Cause::PauseExpired { reason } => format!("the pause lasted too long: {reason}"),
        Cause::Aborted { by, reason } => because("aborted", &by.name, reason),
        Cause::RolledBack { by, reason } => because("rolled back", &by.name, reason),
        Cause::Superseded { by } => format!("superseded by deployment {by}"),
        Cause::FencedOff { highest } => format!("the target has seen fence {highest}: somebody else writes there"),
    }
}

/// Returns how a deployment ended.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded => "the candidate serves all traffic and is the new stable".to_owned(),
        Outcome::RolledBack(why) => format!("the good side serves all traffic again: {}", cause(why)),
        Outcome::Aborted { by, reason } => because("aborted", &by.name, reason),
        Outcome::Rejected { reason } => format!("rejected before any effect: {reason}"),
        Outcome::Expired { waiting_for } => format!("expired before any effect, waiting for {waiting_for}"),
        Outcome::Superseded { by } => format!("superseded by deployment {by}"),
        Outcome::RollbackFailed { cause: why, message } => {
            format!("the way back failed: {message}; it was taken back because {}; a person is needed", cause(why))
        }
        Outcome::Blocked { needs } => format!("a person is needed: {needs}"),
    }
}

fn because(what: &str, by: &str, reason: &str) -> String {
    match reason {
        "" => format!("{what} by {by}"),
        reason => format!("{what} by {by}: {reason}"),
    }
}
