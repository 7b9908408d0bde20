//! The workers of this replica, by deployment and by scope. Every deployment that is not over has one, unless it was set aside.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use journal::Shard;
use model::{DeploymentId, Scope, State};
use tokio::sync::{mpsc, watch};

use crate::nudge::Nudge;
use crate::shard;
use crate::worker::Ask;

/// A worker as others see it.
#[derive(Clone)]
pub(crate) struct WorkerRef {
    pub(crate) inbox: mpsc::Sender<Ask>,
    pub(crate) nudge: Arc<Nudge>,
    pub(crate) state: watch::Receiver<Arc<State>>,
}

/// Who works. Ids are made of time, so a scope's order of ids is the order of the requests.
#[derive(Default)]
pub(crate) struct Roster(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    workers: HashMap<DeploymentId, WorkerRef>,
    scopes: HashMap<Scope, BTreeSet<DeploymentId>>,
}

impl Roster {
    /// Enters a worker if `there` still holds and the deployment has none, and starts it while nobody else may enter or leave.
    pub(crate) fn enter(
        &self,
        scope: &Scope,
        id: &DeploymentId,
        worker: WorkerRef,
        there: impl Fn() -> bool,
        start: impl FnOnce(),
    ) {
        let mut entries = self.entries();
        if there() && !entries.workers.contains_key(id) {
            entries.workers.insert(id.clone(), worker);
            entries.scopes.entry(scope.clone()).or_default().insert(id.clone());
            start();
        }
    }

    /// Strikes out a worker that ended.
    pub(crate) fn leave(&self, scope: &Scope, id: &DeploymentId) {
        let mut entries = self.entries();
        entries.workers.remove(id);
        if let Some(ids) = entries.scopes.get_mut(scope) {
            ids.remove(id);
            if ids.is_empty() {
                entries.scopes.remove(scope);
            }
        }
    }

    /// Strikes out everybody of a shard.
    pub(crate) fn clear(&self, shard: Shard) {
        let mut entries = self.entries();
        let Entries { workers, scopes } = &mut *entries;
        for (_, ids) in scopes.extract_if(|scope, _| shard::of(scope) == shard) {
            ids.iter().for_each(|id| drop(workers.remove(id)));
        }
    }

    pub(crate) fn worker(&self, deployment: &DeploymentId) -> Option<WorkerRef> {
        self.entries().workers.get(deployment).cloned()
    }

    /// Returns the oldest of a scope.
    pub(crate) fn oldest(&self, scope: &Scope) -> Option<WorkerRef> {
        let entries = self.entries();
        let id = entries.scopes.get(scope)?.first()?;
        entries.workers.get(id).cloned()
    }

    /// Returns everybody of a scope, oldest first.
    pub(crate) fn of(&self, scope: &Scope) -> Vec<(DeploymentId, WorkerRef)> {
        let entries = self.entries();
        let ids = entries.scopes.get(scope).into_iter().flatten();
        ids.filter_map(|id| Some((id.clone(), entries.workers.get(id)?.clone()))).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().workers.len()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
