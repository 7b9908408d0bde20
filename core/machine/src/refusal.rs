//! Why a command was refused.

use alloc::string::String;
use core::fmt;

use model::{Phase, PlanHash};

/// A command that does not fit; nothing happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The command is not legal in this state. Carries both.
    Illegal {
        /// What was asked ("pause").
        command: &'static str,
        /// The phase the deployment is in.
        phase: Phase,
        /// Whether it is paused.
        paused: bool,
    },
    /// The command is legal, but there is nothing for it to do.
    NothingToDo {
        /// What was asked.
        command: &'static str,
        /// Why there is nothing.
        reason: String,
    },
    /// The plan was shown in another form than the one in force.
    PlanMoved {
        /// What the person saw.
        seen: PlanHash,
        /// What is in force.
        in_force: PlanHash,
    },
    /// The person may not answer.
    NotEntitled {
        /// Who.
        actor: String,
        /// Why not.
        reason: String,
    },
    /// A way back does not exist any more.
    PointOfNoReturn {
        /// The step that was passed.
        step: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Illegal { command, phase, paused } => {
                let halted = if *paused { ", paused" } else { "" };
                write!(f, "cannot {command} a deployment that is {phase}{halted}")
            }
            Self::NothingToDo { command, reason } => write!(f, "nothing to {command}: {reason}"),
            Self::PlanMoved { seen, in_force } => write!(f, "the plan in force is {in_force}, the one approved was {seen}"),
            Self::NotEntitled { actor, reason } => write!(f, "{actor} may not answer: {reason}"),
            Self::PointOfNoReturn { step } => write!(f, "there is no way back past step {step}: forward or stop"),
        }
    }
}

impl core::error::Error for Refusal {}
