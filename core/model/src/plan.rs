//! The plan: the compiled, immutable list of steps for one release on one environment.
//!
//! Strategies are only different lists; the machine knows steps, not strategies. A plan speaks of sides, not of releases,
//! for the stable side: what is stable is known when the deployment is activated, which may be after others have finished.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::{Millis, Percent, PlanHash, PluginUse, ReleaseSpec, Routing, Scope, StepId, Timestamp, WatchSpec};

/// The most steps a plan may have: far above any real path, and small enough to show and to model.
pub const STEPS_MAX: usize = 200;

/// A compiled plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Hash of everything below.
    pub hash: PlanHash,
    /// Where it runs.
    pub scope: Scope,
    /// What it brings.
    pub release: ReleaseSpec,
    /// The golden path and version it was compiled from ("web-canary@1.2.0").
    pub path: String,
    /// How it moves; for people.
    pub strategy: Strategy,
    /// Whether it was made for a scope where nothing is stable yet. Such a plan has no side to fall back to.
    pub first: bool,
    /// The target that reconciles the environment.
    pub target: PluginUse,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What holds for the whole run.
    pub policies: Policies,
}

/// The name of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// A growing share of traffic, watched at each weight.
    Canary,
    /// Full capacity beside the old, then one switch.
    BlueGreen,
    /// Batch by batch.
    Rolling,
    /// The old goes before the new comes; with an interruption.
    Recreate,
    /// Straight to a release that was good before; how a finished deployment is taken back.
    Restore,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Canary => "canary",
            Self::BlueGreen => "blue-green",
            Self::Rolling => "rolling",
            Self::Recreate => "recreate",
            Self::Restore => "restore",
        })
    }
}

/// What holds for the whole run of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policies {
    /// Whether this deployment, once requested, supersedes older ones of its scope that are still queued or, if so said, active.
    pub supersede: Supersede,
    /// How long it may wait in the queue.
    pub queue_expires_after: Millis,
    /// How long a pause may last before the deployment is taken back.
    pub pause_expires_after: Millis,
    /// How long the way back may go without an end before a person is called.
    pub way_back_deadline: Millis,
    /// How often a retryable failure of one operation is retried on the way forward.
    pub attempts_max: u32,
}

/// What a newer deployment does to older ones of the same scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Supersede {
    /// It waits for its turn.
    Never,
    /// It replaces those that have not begun.
    Queued,
    /// It replaces those that have not begun and takes back the one that runs.
    Active,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Its name, unique in the plan.
    pub id: StepId,
    /// The phase a person sees while it runs.
    pub phase: Phase,
    /// What it does.
    pub kind: StepKind,
    /// Why it is there, as a sentence fragment.
    pub reason: String,
    /// How long it may go without progress.
    pub deadline: Millis,
    /// Instances needed beyond the steady state while it runs, in percent of full capacity.
    pub extra_capacity: Percent,
    /// Whether the way back ends here: after it, only forward or stop.
    pub point_of_no_return: bool,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// Asks a gate plugin once.
    Gate {
        /// Which one.
        gate: PluginUse,
    },
    /// Waits for people.
    Approval {
        /// Who may answer ("group:release-managers").
        from: Vec<String>,
        /// How many of them.
        quorum: u32,
        /// How long they have.
        expires_after: Millis,
        /// Whether the requester's own answer counts.
        requester_may_approve: bool,
    },
    /// Runs an action plugin.
    Action {
        /// Which one.
        action: PluginUse,
        /// Whether it can be undone.
        undoable: bool,
    },
    /// Gives the target an absolute desired state and waits until it reports converged.
    Reconcile {
        /// How the sides shall stand.
        arrangement: Arrangement,
    },
    /// Lets health checks judge.
    Watch(WatchSpec),
    /// Holds for a time, or until an instant.
    Wait {
        /// For how long.
        duration: Millis,
        /// Not before this instant, if one is given.
        until: Option<Timestamp>,
    },
    /// Marks the candidate good; from here the failure direction is reversed.
    Promote,
}

/// How the two sides shall stand. Concrete releases are filled in from the deployment's own sides.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Arrangement {
    /// Each side at a share of full capacity (0 % = absent), with this routing.
    SideBySide {
        /// Capacity of the stable side.
        stable: Percent,
        /// Capacity of the candidate side.
        candidate: Percent,
        /// How requests are spread.
        routing: Routing,
    },
    /// The candidate is the new stable side, alone, at full capacity, with all traffic.
    CandidateAlone,
    /// The stable side alone, at full capacity, with all traffic; nothing at all when nothing was stable.
    StableAlone,
}

/// The phases that a person sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Waits for its turn.
    Queued,
    /// Gates are asked.
    Checking,
    /// People are asked.
    AwaitingApproval,
    /// Actions run before anything is provisioned.
    Preparing,
    /// Capacity comes up.
    Provisioning,
    /// Traffic moves.
    Shifting,
    /// The candidate becomes the one that is trusted.
    Promoting,
    /// It is watched with all traffic.
    Soaking,
    /// What is no longer needed goes away.
    Finalising,
    /// The deployment is taken back.
    RollingBack,
    /// The candidate serves all traffic and is the new stable.
    Succeeded,
    /// The good side serves all traffic again.
    RolledBack,
    /// A gate said no before any effect.
    Rejected,
    /// Time ran out before any effect.
    Expired,
    /// A newer deployment took its place.
    Superseded,
    /// A person stopped it.
    Aborted,
    /// The way back did not come to its end; a person is needed.
    RollbackFailed,
    /// A person is needed; the text says for what.
    Blocked,
}

impl Phase {
    /// All phases, in the order that a deployment goes through them.
    pub const ALL: [Self; 18] = [
        Self::Queued,
        Self::Checking,
        Self::AwaitingApproval,
        Self::Preparing,
        Self::Provisioning,
        Self::Shifting,
        Self::Promoting,
        Self::Soaking,
        Self::Finalising,
        Self::RollingBack,
        Self::Succeeded,
        Self::RolledBack,
        Self::Rejected,
        Self::Expired,
        Self::Superseded,
        Self::Aborted,
        Self::RollbackFailed,
        Self::Blocked,
    ];

    /// Returns the phase as it is written for people and in `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Checking => "checking",
            Self::AwaitingApproval => "awaiting-approval",
            Self::Preparing => "preparing",
            Self::Provisioning => "provisioning",
            Self::Shifting => "shifting",
            Self::Promoting => "promoting",
            Self::Soaking => "soaking",
            Self::Finalising => "finalising",
            Self::RollingBack => "rolling-back",
            Self::Succeeded => "succeeded",
            Self::RolledBack => "rolled-back",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Aborted => "aborted",
            Self::RollbackFailed => "rollback-failed",
            Self::Blocked => "blocked",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
