//! Effects: what a durable state owes the world.

use crate::{DeploymentId, Operation, Scope, Timestamp};

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Call a plugin.
    Call(Call),
    /// Send a `Tick` at this instant.
    WakeAt(Timestamp),
}

/// A plugin call that is owed: perform it once its time has come, unless this attempt is already in flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// For whom.
    pub deployment: DeploymentId,
    /// Where.
    pub scope: Scope,
    /// What; with key, fence, attempt and the instant before which it is not to be performed.
    pub operation: Operation,
    /// When whoever performs it must have given up.
    pub deadline: Timestamp,
}

/// Proof that events up to a sequence number are durable. Only a store's append or load makes one.
pub trait Committed {
    /// Returns the sequence number of the last durable event of the deployment.
    fn head(&self) -> u64;
}
