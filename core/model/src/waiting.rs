//! Waiting is data: a deployment that does not move can always say what it waits for.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::{StepId, Timestamp};

/// What a deployment waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// Its turn: another deployment of the scope is active.
    Turn,
    /// A gate's answer.
    Gate {
        /// The gate's plugin.
        gate: String,
        /// What it said last.
        message: String,
    },
    /// People.
    Approval {
        /// Who may answer.
        from: Vec<String>,
        /// How many more answers are needed.
        missing: u32,
    },
    /// An action.
    Action {
        /// The action's plugin.
        action: String,
        /// What it said last.
        message: String,
    },
    /// The target's report that it has converged.
    Convergence {
        /// The step.
        step: StepId,
        /// What the target said last.
        message: String,
    },
    /// Health checks.
    Verdict {
        /// Those that are not satisfied, with their last sentence.
        open: Vec<(String, String)>,
        /// The earliest end of the watch.
        until: Timestamp,
    },
    /// Time.
    Time {
        /// Until when.
        until: Timestamp,
    },
    /// A person's answer to a pause.
    Person {
        /// Why it was paused.
        reason: String,
    },
    /// The way back.
    WayBack {
        /// What is being done.
        doing: String,
        /// What the plugin said last.
        message: String,
    },
    /// Nothing: the next step follows at once.
    Nothing,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |f: &mut fmt::Formatter<'_>, what: &str, message: &str| match message {
            "" => f.write_str(what),
            said => write!(f, "{what}: {said}"),
        };
        match self {
            Self::Turn => f.write_str("another deployment of this service and environment to end"),
            Self::Gate { gate, message } => with(f, &alloc::format!("the gate {gate}"), message),
            Self::Approval { from, missing } => {
                write!(f, "{missing} more approval(s) from {}", from.join(", "))
            }
            Self::Action { action, message } => with(f, &alloc::format!("the action {action}"), message),
            Self::Convergence { message, .. } => with(f, "the target to converge", message),
            Self::Verdict { open, .. } if open.is_empty() => f.write_str("the watch to last its time"),
            Self::Verdict { open, .. } => {
                f.write_str("health checks: ")?;
                for (index, (check, sentence)) in open.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "; " };
                    write!(f, "{comma}{check} ({sentence})")?;
                }
                Ok(())
            }
            Self::Time { .. } => f.write_str("time to pass"),
            Self::Person { reason } => write!(f, "a person: {reason}"),
            Self::WayBack { doing, message } => with(f, doing, message),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}
