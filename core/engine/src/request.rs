//! What can be asked of the engine, and what it answers.

use std::sync::Arc;

use journal::{AppendError, RequestId, Stamped, StoreError};
use model::{Actor, Command, DeploymentId, Plan, State};

/// A wish to deploy.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// Makes a retry safe; without one every call is a new wish.
    pub request: Option<RequestId>,
    /// What to follow.
    pub plan: Plan,
    /// Who asks.
    pub by: Actor,
}

/// A person's command to a deployment.
#[derive(Clone, Debug)]
pub struct CommandRequest {
    /// Makes a retry safe.
    pub request: Option<RequestId>,
    /// Compare and set: refused when the deployment is at another version.
    pub expected_version: Option<u64>,
    /// To which deployment.
    pub deployment: DeploymentId,
    /// Who asks.
    pub by: Actor,
    /// What.
    pub command: Command,
}

/// The answer to a start or a command: it is durable.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The deployment.
    pub deployment: DeploymentId,
    /// Its version after the command.
    pub version: u64,
    /// Whether this is the repeated answer to a request that was made before.
    pub repeated: bool,
}

/// One step of a watch stream: an event and the state after it.
#[derive(Clone, Debug)]
pub struct Update {
    /// Sequence number of the event; a watch can be resumed after it.
    pub version: u64,
    /// The event.
    pub stamped: Stamped,
    /// The state after it.
    pub state: Arc<State>,
}

/// Why the engine refused or failed, sorted by fault.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no such deployment.
    #[error("there is no deployment {0}")]
    NotFound(DeploymentId),
    /// The plan may not be followed.
    #[error("the plan cannot be followed: {0}")]
    Plan(machine::PlanFault),
    /// The command does not fit the deployment's state.
    #[error("{0}")]
    Refused(machine::Refusal),
    /// The deployment moved since the caller looked.
    #[error("deployment {deployment} is at version {found}, expected {expected}")]
    VersionMoved {
        /// Which deployment.
        deployment: DeploymentId,
        /// What the caller saw.
        expected: u64,
        /// What it is.
        found: u64,
    },
    /// The request id was used before for something else.
    #[error("request id {request:?} was used before for another command, on deployment {deployment}")]
    RequestReused {
        /// The id.
        request: String,
        /// What it was used on.
        deployment: DeploymentId,
    },
    /// Too much is going on.
    #[error("{what}: {found} of at most {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// This replica may not write now.
    #[error("this server does not hold the lease of the deployment; try again")]
    NotOwner,
    /// What handles the deployment's commands is not there yet, or broke and is begun again.
    #[error(
        "nobody takes commands for deployment {0} at this moment: its worker is being begun; look at its state, then try again"
    )]
    Unattended(DeploymentId),
    /// The replica that holds the deployment's shard refused.
    #[error("{0}")]
    RefusedThere(String),
    /// The replica that holds the deployment's shard failed.
    #[error("the server that takes care of the deployment failed: {0}")]
    FailedThere(String),
    /// A letter to another replica was read when nobody waited for its answer any more.
    #[error("it was read too late, and nothing was done")]
    TooLate,
    /// The engine is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// The store refused.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
