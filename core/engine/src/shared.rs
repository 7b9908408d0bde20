//! What the engine's tasks share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use journal::{Lease, Owner, Shard, Store, StoreError};
use model::{Millis, Scope};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::roster::Roster;
use crate::tasks::TaskSet;
use crate::{Clock, Driver, EngineError, limits};

/// The lease with the instant up to which it is trusted.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) lease: Lease,
    pub(crate) trusted_until: Instant,
}

/// What the engine's tasks share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) owner: Owner,
    pub(crate) lease_ttl: Millis,
    pub(crate) held: watch::Sender<Option<Held>>,
    /// Whether everything is taken care of under the lease that is held.
    pub(crate) leads: watch::Sender<bool>,
    /// What runs beside the deployments: the lease's keeper, looks at the queue, requests that are being taken.
    pub(crate) tasks: TaskSet,
    /// The workers. All of them end with the lease, before it may be got again.
    pub(crate) crew: TaskSet,
    /// Whether the engine is being shut down.
    pub(crate) stopping: AtomicBool,
    pub(crate) watchers: AtomicUsize,
    /// One decision about whose turn it is at a time.
    pub(crate) queue: tokio::sync::Mutex<()>,
    pub(crate) roster: Roster,
    /// Why the store cannot be used any more by this process, once it is so.
    pub(crate) broken: watch::Sender<Option<String>>,
}

/// Returns the shard of a scope. All scopes are one shard for now, because one replica owns them all; this is where that changes.
pub(crate) fn shard_of(_scope: &Scope) -> Shard {
    Shard(0)
}

impl Shared {
    pub(crate) fn new(options: crate::EngineOptions) -> Self {
        Self {
            store: options.store,
            driver: options.driver,
            clock: options.clock,
            owner: options.owner,
            lease_ttl: options.lease_ttl,
            held: watch::Sender::new(None),
            leads: watch::Sender::new(false),
            tasks: TaskSet::default(),
            crew: TaskSet::default(),
            stopping: AtomicBool::new(false),
            watchers: AtomicUsize::new(0),
            queue: tokio::sync::Mutex::new(()),
            roster: Roster::default(),
            broken: watch::Sender::new(None),
        }
    }

    /// Returns the lease, or that this replica may not write now.
    pub(crate) fn lease(&self, scope: &Scope) -> Result<Lease, EngineError> {
        let held = self.held.borrow();
        let trusted = held.as_ref().filter(|held| Instant::now() < held.trusted_until);
        let found = trusted.filter(|held| held.lease.shard == shard_of(scope)).map(|held| held.lease.clone());
        found.ok_or_else(|| self.not_owner())
    }

    /// Returns why nothing may be written: the engine stops, or somebody else has the lease.
    pub(crate) fn not_owner(&self) -> EngineError {
        match self.stopping.load(Ordering::Relaxed) {
            true => EngineError::Stopping,
            false => EngineError::NotOwner,
        }
    }

    /// Stops trusting the lease. Its keeper ends the workers and tries to get it again.
    pub(crate) fn step_down(&self) {
        self.held.send_if_modified(|held| held.take().is_some());
    }

    /// Stops trusting the lease if it still is the one of that epoch.
    pub(crate) fn step_down_from(&self, epoch: u64) {
        self.held.send_if_modified(|held| held.take_if(|held| held.lease.epoch == epoch).is_some());
    }

    /// Returns the epoch of the lease under which this engine works, if it has it.
    pub(crate) fn epoch(&self) -> Option<u64> {
        self.held.borrow().as_ref().map(|held| held.lease.epoch)
    }

    /// Notes an error after which the store can only be opened anew, by another process.
    pub(crate) fn note(&self, error: &StoreError) {
        if let StoreError::Broken(_) = error {
            self.broken.send_replace(Some(error.to_string()));
        }
    }

    pub(crate) fn room_for_another(&self) -> Result<(), EngineError> {
        let found = self.roster.len();
        match found < limits::UNFINISHED_MAX {
            true => Ok(()),
            false => Err(EngineError::TooMany { what: "unfinished deployments", found, limit: limits::UNFINISHED_MAX }),
        }
    }
}
