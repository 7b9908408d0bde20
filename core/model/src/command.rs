//! Commands: everything that can be said to a deployment.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Actor, Assessment, DeploymentId, Fence, GateAnswer, Measurement, OperationKey, PlanHash, Progress, ReleaseSpec};

/// Something a deployment is told. The time comes beside it, as an argument of `decide`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Your scope is free: begin.
    Activate {
        /// What is stable there.
        stable: Option<ReleaseSpec>,
        /// The highest fence of the scope.
        fence: Fence,
    },
    /// An operation's attempt came back.
    Report(Report),
    /// Time passed; look at your deadlines.
    Tick,
    /// Whoever performed your operations is gone: every open one is unknown.
    Recover,
    /// Stand still.
    Pause {
        /// Who says so.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Go on.
    Resume {
        /// Who says so.
        by: Actor,
    },
    /// Do not wait any longer: end the current watch or wait, or answer the pause with yes.
    Promote {
        /// Who says so.
        by: Actor,
    },
    /// Stop, and take back what was done.
    Abort {
        /// Who says so.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Take back what was done.
    Rollback {
        /// Who says so.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Yes, as far as I am concerned.
    Approve {
        /// Who says so.
        by: Actor,
        /// The plan that they saw.
        plan: PlanHash,
    },
    /// No.
    Reject {
        /// Who says so.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A newer deployment takes your place.
    Supersede {
        /// Which.
        by: DeploymentId,
    },
}

/// What came back from one attempt of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// Which operation.
    pub key: OperationKey,
    /// Which attempt.
    pub attempt: u32,
    /// What came back.
    pub outcome: ReportOutcome,
    /// What the plugin wants to be given next time (targets and actions).
    pub plugin_state: Option<Vec<u8>>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReportOutcome {
    /// A gate's answer.
    Gate {
        /// The answer.
        answer: GateAnswer,
        /// When to ask again, for a wait, in milliseconds.
        retry_after_ms: u64,
        /// The numbers it rests on.
        measurements: Vec<Measurement>,
        /// One sentence for people.
        sentence: String,
    },
    /// How the target or an action stands.
    Progress(Progress),
    /// What a look found.
    Look(Assessment),
    /// The call itself failed.
    Lost(Lost),
}

/// A call that did not come back with an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lost {
    /// A trap, a deadline, a refused power: for people.
    pub message: String,
    /// Whether anything may have left the host before it failed. A hang after the first byte is not a failure, it is unknown.
    pub outcome_unknown: bool,
    /// Whether another attempt can help. A refused power stays refused.
    pub retryable: bool,
}
