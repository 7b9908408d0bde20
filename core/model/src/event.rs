//! Events: the only way a deployment's state changes. Past tense, complete, and kept for ever.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    Actor, Approval, BackStep, Cause, Confirmed, DeploymentId, Fence, Observation, Operation, OperationKey, OperationResult,
    Outcome, Pause, Plan, ReleaseSpec, Timestamp,
};

/// Something that happened to a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Somebody asked for it. Always the first event.
    Requested {
        /// The deployment's name.
        id: DeploymentId,
        /// What it follows.
        plan: Plan,
        /// Who asked.
        by: Actor,
        /// When.
        at: Timestamp,
        /// When it expires in the queue.
        deadline: Timestamp,
    },
    /// It became the active deployment of its scope.
    Activated {
        /// What is stable there.
        stable: Option<ReleaseSpec>,
        /// The highest fence of the scope.
        fence: Fence,
        /// When.
        at: Timestamp,
    },
    /// A step began.
    StepEntered {
        /// Its index.
        step: usize,
        /// When.
        at: Timestamp,
        /// When it has gone too long without progress.
        deadline: Timestamp,
    },
    /// A step is done.
    StepCompleted {
        /// Its index.
        step: usize,
        /// How.
        how: HowCompleted,
        /// When.
        at: Timestamp,
    },
    /// An effect will be performed: its intent is on record from here on.
    OperationIntended {
        /// The operation, at its first attempt.
        operation: Operation,
        /// For a reconcile: the capacity and routing it asks for.
        asks_for: Option<Confirmed>,
    },
    /// The plugin answered that it is not there yet.
    OperationProgressed {
        /// Which operation.
        key: OperationKey,
        /// The attempt that answered.
        attempt: u32,
        /// When it is called again.
        not_before: Timestamp,
        /// What it said.
        message: String,
        /// What it saw, if anything.
        observation: Option<Observation>,
        /// What it wants to be given next time.
        plugin_state: Option<Vec<u8>>,
        /// The step's new deadline, when what it saw is progress.
        deadline: Option<Timestamp>,
    },
    /// An attempt failed and another will be made.
    OperationRetried {
        /// Which operation.
        key: OperationKey,
        /// The attempt that failed.
        attempt: u32,
        /// Why.
        message: String,
        /// When it is tried again.
        not_before: Timestamp,
        /// Whether the attempt may have had an effect.
        outcome_unknown: bool,
        /// Whether it counts against the limit of attempts; a restart of the engine does not.
        counts: bool,
    },
    /// An operation ended.
    OperationCompleted {
        /// Which.
        key: OperationKey,
        /// The attempt that ended it.
        attempt: u32,
        /// How.
        result: OperationResult,
        /// When.
        at: Timestamp,
    },
    /// An operation is of no more interest; what it may have done is unknown and does not matter: a higher fence follows.
    OperationAbandoned {
        /// Which.
        key: OperationKey,
        /// Why.
        reason: String,
    },
    /// Somebody approved.
    Approved {
        /// The answer.
        approval: Approval,
    },
    /// It stands still.
    Paused {
        /// Why, since when, until when.
        pause: Pause,
    },
    /// It goes on; every deadline moves by the length of the pause.
    Resumed {
        /// Who said so.
        by: Actor,
        /// When.
        at: Timestamp,
    },
    /// The candidate is the good side from here on.
    CandidatePromoted {
        /// When.
        at: Timestamp,
    },
    /// The candidate, already promoted, turned out bad while the old stable still stood by: that one is the good side again.
    PromotionReverted {
        /// When.
        at: Timestamp,
    },
    /// It is taken back.
    TurnedBack {
        /// Why.
        cause: Cause,
        /// What will be done.
        steps: Vec<BackStep>,
        /// When.
        at: Timestamp,
        /// When the way back must have ended.
        deadline: Timestamp,
    },
    /// A step of the way back is done.
    BackStepCompleted {
        /// Its index.
        step: usize,
        /// When.
        at: Timestamp,
    },
    /// It is over.
    Ended {
        /// How.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
}

/// How a step came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HowCompleted {
    /// It did what it was there for.
    Done,
    /// Every check of the watch was healthy at its end.
    Healthy,
    /// A person decided not to wait for it.
    WaivedBy(Actor),
}
