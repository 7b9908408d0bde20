//! What the engine's tasks share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::{Lease, Owner, Shard, Store};
use model::{DeploymentId, Millis, Scope, State};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::tasks::TaskSet;
use crate::worker::Input;
use crate::{Clock, Driver, EngineError, limits};

/// A worker as others see it.
#[derive(Clone)]
pub(crate) struct WorkerRef {
    pub(crate) inbox: mpsc::Sender<Input>,
    pub(crate) state: watch::Receiver<Arc<State>>,
}

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
    /// What runs beside the deployments: the lease's keeper, looks at the queue, requests that are being taken.
    pub(crate) tasks: TaskSet,
    /// The workers. All of them end with the lease, before it may be got again.
    pub(crate) crew: TaskSet,
    /// Whether the engine is being shut down.
    pub(crate) stopping: AtomicBool,
    pub(crate) watchers: AtomicUsize,
    /// One decision about whose turn it is at a time.
    pub(crate) queue: tokio::sync::Mutex<()>,
    workers: Mutex<HashMap<DeploymentId, WorkerRef>>,
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
            tasks: TaskSet::default(),
            crew: TaskSet::default(),
            stopping: AtomicBool::new(false),
            watchers: AtomicUsize::new(0),
            queue: tokio::sync::Mutex::new(()),
            workers: Mutex::new(HashMap::new()),
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

    pub(crate) fn workers(&self) -> MutexGuard<'_, HashMap<DeploymentId, WorkerRef>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn worker(&self, deployment: &DeploymentId) -> Option<WorkerRef> {
        self.workers().get(deployment).cloned()
    }

    pub(crate) fn room_for_another(&self) -> Result<(), EngineError> {
        let found = self.workers().len();
        match found < limits::UNFINISHED_MAX {
            true => Ok(()),
            false => Err(EngineError::TooMany { what: "unfinished deployments", found, limit: limits::UNFINISHED_MAX }),
        }
    }
}
