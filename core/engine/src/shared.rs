//! What the engine's tasks share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::{Owner, Shard, Store, StoreError};
use model::{Millis, Scope};
use tokio::sync::{Notify, watch};

use crate::roster::Roster;
use crate::tasks::TaskSet;
use crate::tenure::Tenure;
use crate::{Clock, Driver, EngineError, limits, shard};

/// What the engine's tasks share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) owner: Owner,
    pub(crate) lease_ttl: Millis,
    /// Whether other replicas use the store as well.
    pub(crate) replicated: bool,
    /// How long a deployment is over before it is packed.
    pub(crate) pack_after: Millis,
    tenures: Mutex<BTreeMap<Shard, Arc<Tenure>>>,
    /// Wakes the keeper of the leases.
    pub(crate) keeper: Arc<Notify>,
    /// Changes whenever a shard is served from now on.
    pub(crate) served: watch::Sender<()>,
    /// What runs beside the deployments: the leases' keeper, looks at the queue, requests that are being taken.
    pub(crate) tasks: TaskSet,
    /// Whether the engine is being shut down.
    pub(crate) stopping: AtomicBool,
    pub(crate) watchers: AtomicUsize,
    /// One decision about whose turn it is at a time.
    pub(crate) queue: tokio::sync::Mutex<()>,
    pub(crate) roster: Roster,
    /// Why the store cannot be used any more by this process, once it is so.
    pub(crate) broken: watch::Sender<Option<String>>,
}

impl Shared {
    pub(crate) fn new(options: crate::EngineOptions) -> Self {
        Self {
            store: options.store,
            driver: options.driver,
            clock: options.clock,
            owner: options.owner,
            lease_ttl: options.lease_ttl,
            replicated: options.replicated,
            pack_after: options.pack_after,
            tenures: Mutex::default(),
            keeper: Arc::default(),
            served: watch::Sender::new(()),
            tasks: TaskSet::default(),
            stopping: AtomicBool::new(false),
            watchers: AtomicUsize::new(0),
            queue: tokio::sync::Mutex::new(()),
            roster: Roster::default(),
            broken: watch::Sender::new(None),
        }
    }

    /// Returns the tenure of a scope's shard, or that this replica may not write it now.
    pub(crate) fn tenure(&self, scope: &Scope) -> Result<Arc<Tenure>, EngineError> {
        let found = self.tenures().get(&shard::of(scope)).filter(|tenure| tenure.may_write()).cloned();
        found.ok_or_else(|| self.not_owner())
    }

    /// Returns the tenures, for its keeper.
    pub(crate) fn tenures(&self) -> MutexGuard<'_, BTreeMap<Shard, Arc<Tenure>>> {
        self.tenures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends every tenure.
    pub(crate) fn step_down(&self) -> Vec<Arc<Tenure>> {
        let all: Vec<_> = self.tenures().values().cloned().collect();
        all.iter().for_each(|tenure| tenure.end());
        all
    }

    /// Returns why nothing may be written: the engine stops, or somebody else has the lease.
    pub(crate) fn not_owner(&self) -> EngineError {
        match self.stopping.load(Ordering::Relaxed) {
            true => EngineError::Stopping,
            false => EngineError::NotOwner,
        }
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
