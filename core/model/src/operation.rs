//! Operations: effects with a key, a fence and a deadline, journaled before anything is done.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Assessment, BasisPoints, Desired, Digest, Fence, GateAnswer, Measurement, OperationKey, ReleaseId, Side, Timestamp};

/// An open operation: intended, and not yet known to be over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operation {
    /// Stable over retries and take-overs.
    pub key: OperationKey,
    /// Taken at the intent, only by operations that change the world; it stays with the operation over retries.
    pub fence: Option<Fence>,
    /// What is done.
    pub kind: OperationKind,
    /// Counts from 1; each performance of the operation has its own.
    pub attempt: u32,
    /// How many attempts in a row ended in a failure.
    pub failures: u32,
    /// Whether an earlier attempt may have had an effect that nobody saw the end of. Then: observe first.
    pub outcome_unknown: bool,
    /// Not to be performed before this instant (back-off, or the plugin's own wish).
    pub not_before: Timestamp,
    /// When the intent was journaled.
    pub intended_at: Timestamp,
    /// The opaque state that the plugin returned last.
    pub plugin_state: Option<Vec<u8>>,
    /// What the plugin or the failure said last; for people.
    pub message: String,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Asks the gate of the current step.
    AskGate,
    /// Gives the target a desired state.
    Reconcile {
        /// The absolute state.
        desired: Desired,
    },
    /// Has one check of the current watch take a look.
    Look {
        /// Its index in the step's checks.
        check: usize,
    },
    /// Runs the action of a step.
    Act {
        /// The step's index in the plan.
        step: usize,
    },
    /// Undoes the action of a step.
    Undo {
        /// The step's index in the plan.
        step: usize,
    },
}

impl OperationKind {
    /// Returns whether the operation changes the world and so needs a fence.
    pub fn changes_the_world(&self) -> bool {
        match self {
            Self::Reconcile { .. } | Self::Act { .. } | Self::Undo { .. } => true,
            Self::AskGate | Self::Look { .. } => false,
        }
    }
}

/// How a call of the target or of an action stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// The world is as desired.
    Converged(Observation),
    /// It is on its way.
    InProgress {
        /// What was seen.
        observation: Observation,
        /// When to call again, in milliseconds.
        retry_after_ms: u64,
        /// For people.
        message: String,
    },
    /// It failed.
    Failed(Fault),
    /// The target has seen this higher fence: our write is of the past.
    Superseded(Fence),
}

/// What went wrong on the plugin's side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    /// A sentence fragment for people.
    pub message: String,
    /// Whether trying again may help.
    pub retryable: bool,
}

/// What really runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Observation {
    /// The sides that exist.
    pub sides: Vec<SideObservation>,
    /// The candidate's weight in force.
    pub candidate_weight: BasisPoints,
    /// Where callers reach the service.
    pub public_endpoint: Option<String>,
    /// The highest fence the target has seen.
    pub highest_fence: Fence,
    /// Differences from the desired state that nobody ordered.
    pub drift: Vec<String>,
}

/// What runs on one side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SideObservation {
    /// Which side.
    pub side: Side,
    /// Which release, as the target knows it.
    pub release: ReleaseId,
    /// The bytes that run.
    pub digest: Digest,
    /// Units of capacity that can serve.
    pub ready: u32,
    /// Units of capacity that shall.
    pub wanted: u32,
    /// Where this side alone is reached.
    pub endpoint: Option<String>,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OperationResult {
    /// A gate answered for good.
    Gate {
        /// Pass, fail or error; a wait keeps the operation open.
        answer: GateAnswer,
        /// The numbers it rests on.
        measurements: Vec<Measurement>,
        /// One sentence for people.
        sentence: String,
    },
    /// The target reports the desired state.
    Converged(Observation),
    /// A look was taken.
    Look(Assessment),
    /// An action or its undo is done.
    Done,
    /// It failed for good: not retryable, or too often.
    Failed(Fault),
    /// The target has seen a higher fence.
    Superseded(Fence),
}
