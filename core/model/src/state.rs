//! The state of one deployment: what folding its events gives.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    Actor, Approval, Arrangement, DeploymentId, Fence, Observation, Operation, Percent, Phase, Plan, ReleaseSpec, Routing, Side,
    StepId, Timestamp, WatchState,
};

/// One deployment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Its name.
    pub id: DeploymentId,
    /// What it follows; never changes.
    pub plan: Plan,
    /// Who asked for it.
    pub requested_by: Actor,
    /// When.
    pub requested_at: Timestamp,
    /// How many events made this state; the sequence number of the last.
    pub version: u64,
    /// Where it is.
    pub stage: Stage,
    /// Whether it stands still, and why.
    pub pause: Option<Pause>,
    /// What was stable when it was activated; the side to fall back to.
    pub stable: Option<ReleaseSpec>,
    /// Which side is known good. Stored, never inferred.
    pub good: Side,
    /// The highest fence it knows of in its scope.
    pub fence: Fence,
    /// What the target confirmed last.
    pub confirmed: Confirmed,
    /// Arrangements that were asked for since, and that nobody confirmed. The truth is somewhere between them.
    pub unconfirmed: Vec<Confirmed>,
    /// Open operations.
    pub operations: Vec<Operation>,
    /// The running watch.
    pub watch: Option<WatchState>,
    /// Answers given for the current approval step.
    pub approvals: Vec<Approval>,
    /// Indices of action steps whose action may have had an effect, in order; each is undone at most once.
    pub acted: Vec<usize>,
    /// How often each step was decided upon, by the number of its operations so far.
    pub generation: u32,
    /// What was seen last.
    pub observation: Option<Observation>,
    /// When it left the queue.
    pub activated_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// Where a deployment is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It waits for its turn until the deadline.
    Queued {
        /// When it expires.
        deadline: Timestamp,
    },
    /// It follows its plan.
    Forward {
        /// The current step's index.
        step: usize,
        /// When the step was entered.
        entered_at: Timestamp,
        /// When it has gone too long without progress.
        deadline: Timestamp,
        /// Whether the step is over and the next is still to be entered: so while it is paused.
        done: bool,
    },
    /// It is taken back.
    Back {
        /// Why.
        cause: Cause,
        /// What is done, decided when it turned back.
        steps: Vec<BackStep>,
        /// The current one's index.
        step: usize,
        /// When the whole way back must have ended.
        deadline: Timestamp,
    },
    /// It is over. Nothing leads out of here.
    Ended(Outcome),
}

/// One step of the way back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BackStep {
    /// Brings the stable side's capacity back where too little of it is known to run.
    RaiseStable,
    /// Gives the good side all traffic, and confirms it.
    RestoreTraffic,
    /// Undoes the action of a step.
    Undo {
        /// The step's index in the plan.
        step: usize,
    },
    /// Takes the candidate's capacity away.
    RemoveCandidate,
}

/// Why a deployment was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A health check found the candidate unhealthy, or could not find out.
    Unhealthy {
        /// The step that watched.
        step: StepId,
        /// The check.
        check: String,
        /// Its sentence.
        sentence: String,
    },
    /// A step failed.
    StepFailed {
        /// Which.
        step: StepId,
        /// Why.
        message: String,
    },
    /// A step went too long without progress.
    DeadlinePassed {
        /// Which.
        step: StepId,
        /// What it waited for.
        waiting_for: String,
    },
    /// A pause lasted too long.
    PauseExpired {
        /// What it was paused for.
        reason: String,
    },
    /// A person stopped it.
    Aborted {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A person took it back.
    RolledBack {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A newer deployment took its place.
    Superseded {
        /// By which.
        by: DeploymentId,
    },
    /// The target has seen a higher fence than any of ours: somebody else writes there.
    FencedOff {
        /// The fence it has seen.
        highest: Fence,
    },
}

/// A halt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pause {
    /// Why.
    pub reason: PauseReason,
    /// Since when.
    pub since: Timestamp,
    /// When the deployment is taken back if nobody has answered.
    pub deadline: Timestamp,
}

/// Why a deployment stands still.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PauseReason {
    /// A person asked.
    Person {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A check could not tell.
    Inconclusive {
        /// Which.
        check: String,
        /// Its sentence.
        sentence: String,
    },
    /// A check found the candidate unhealthy where the plan says to ask.
    Unhealthy {
        /// Which.
        check: String,
        /// Its sentence.
        sentence: String,
    },
}

/// Capacity and routing that the target confirmed, or was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Confirmed {
    /// The stable side's capacity.
    pub stable: Percent,
    /// The candidate's.
    pub candidate: Percent,
    /// How requests are spread.
    pub routing: Routing,
}

/// How a deployment ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The candidate serves all traffic and is the new stable.
    Succeeded,
    /// The good side serves all traffic again.
    RolledBack(Cause),
    /// A person stopped it; the good side serves all traffic.
    Aborted {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A gate or a person said no, or the plan no longer fitted, before any effect.
    Rejected {
        /// Why.
        reason: String,
    },
    /// Time ran out before any effect.
    Expired {
        /// What it waited for.
        waiting_for: String,
    },
    /// A newer deployment took its place.
    Superseded {
        /// By which.
        by: DeploymentId,
    },
    /// The way back did not come to its end.
    RollbackFailed {
        /// Why it was taken back.
        cause: Cause,
        /// What failed on the way.
        message: String,
    },
    /// A person is needed.
    Blocked {
        /// For what.
        needs: String,
    },
}

impl Outcome {
    /// Returns the phase that a person sees.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Succeeded => Phase::Succeeded,
            Self::RolledBack(_) => Phase::RolledBack,
            Self::Aborted { .. } => Phase::Aborted,
            Self::Rejected { .. } => Phase::Rejected,
            Self::Expired { .. } => Phase::Expired,
            Self::Superseded { .. } => Phase::Superseded,
            Self::RollbackFailed { .. } => Phase::RollbackFailed,
            Self::Blocked { .. } => Phase::Blocked,
        }
    }
}

impl State {
    /// Returns the phase that a person sees.
    pub fn phase(&self) -> Phase {
        match &self.stage {
            Stage::Queued { .. } => Phase::Queued,
            Stage::Forward { step, .. } => self.plan.steps[*step].phase,
            Stage::Back { .. } => Phase::RollingBack,
            Stage::Ended(outcome) => outcome.phase(),
        }
    }

    /// Returns whether the deployment is over.
    pub fn is_terminal(&self) -> bool {
        matches!(self.stage, Stage::Ended(_))
    }

    /// Returns whether it holds its scope: it left the queue and is not over.
    pub fn is_active(&self) -> bool {
        matches!(self.stage, Stage::Forward { .. } | Stage::Back { .. })
    }

    /// Returns the outcome, once there is one.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.stage {
            Stage::Ended(outcome) => Some(outcome),
            Stage::Queued { .. } | Stage::Forward { .. } | Stage::Back { .. } => None,
        }
    }

    /// Returns the release on a side as this deployment sees the sides.
    pub fn release(&self, side: Side) -> Option<&ReleaseSpec> {
        match side {
            Side::Stable => self.stable.as_ref(),
            Side::Candidate => Some(&self.plan.release),
        }
    }

    /// Returns the release that is stable once the deployment is over: what the scope falls back to from then on.
    pub fn stable_after(&self) -> Option<&ReleaseSpec> {
        self.release(self.good)
    }
}

impl Confirmed {
    /// Returns what an arrangement asks for.
    pub fn of(arrangement: &Arrangement, has_stable: bool) -> Self {
        use crate::BasisPoints;
        match arrangement {
            Arrangement::SideBySide { stable, candidate, routing } => {
                Self { stable: *stable, candidate: *candidate, routing: routing.clone() }
            }
            Arrangement::CandidateAlone => {
                Self { stable: Percent::NONE, candidate: Percent::FULL, routing: Routing::weights(BasisPoints::ALL) }
            }
            Arrangement::StableAlone if has_stable => {
                Self { stable: Percent::FULL, candidate: Percent::NONE, routing: Routing::weights(BasisPoints::NONE) }
            }
            Arrangement::StableAlone => Self { stable: Percent::NONE, candidate: Percent::NONE, routing: Routing::Closed },
        }
    }
}
