//! Starting, recovering and stopping the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use journal::{Owner, Store};
use model::plan::Supersede;
use model::{DeploymentId, Millis, Scope};

use crate::shared::Shared;
use crate::{Clock, Driver, EngineError, Handle, lease, limits, queue, turn, worker};

/// What an engine is made of.
pub struct EngineOptions {
    /// Where the journal lives.
    pub store: Arc<dyn Store>,
    /// Who performs calls.
    pub driver: Arc<dyn Driver>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Whose leases these are. Unique per start of a process, except where the store is exclusively ours (a locked file): there
    /// one fixed name lets a restart go on at once, because the earlier process is known to be dead.
    pub owner: Owner,
    /// How long a lease lasts.
    pub lease_ttl: Millis,
}

/// A running engine. Dropping it ends everything on the spot, as a crash would; [`Engine::shutdown`] is the orderly way.
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// Starts the engine: gets the lease, then takes care of every deployment that is not over.
    pub async fn start(options: EngineOptions) -> Result<Self, EngineError> {
        let shared = Arc::new(Shared::new(options));
        lease::acquire(&shared).await?;
        recover(&shared).await?;
        let keeper = lease::keep(Arc::clone(&shared));
        shared.tasks.spawn(keeper);
        Ok(Self { shared })
    }

    /// Returns what everybody else holds.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.shared))
    }

    /// Stops in order: nothing new is taken, appends in flight end, calls in flight are let go, the lease is given back.
    ///
    /// What is open stays open in the journal; the next start observes it and goes on.
    pub async fn shutdown(self) {
        let shared = &self.shared;
        shared.stopping.store(true, Ordering::Relaxed);
        let held = shared.held.borrow().clone();
        shared.tasks.stop().await;
        shared.step_down();
        shared.crew.finish(limits::STOP_PATIENCE).await;
        shared.workers().clear();
        if let Some(held) = held
            && let Err(error) = shared.store.release(&held.lease).await
        {
            tracing::warn!(%error, "the lease could not be given back; it will run out");
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.step_down();
        self.shared.tasks.drop_all();
        self.shared.crew.drop_all();
        self.shared.workers().clear();
    }
}

/// Takes care of every deployment that is not over: the same loop as ever, beginning with what the durable state owes.
pub(crate) async fn recover(shared: &Arc<Shared>) -> Result<(), EngineError> {
    let mut scopes: BTreeMap<Scope, Vec<(DeploymentId, Supersede)>> = BTreeMap::new();
    for row in shared.store.unfinished().await? {
        let Some(durable) = turn::load(shared, &row.id).await? else { continue };
        scopes.entry(row.scope).or_default().push((row.id, durable.plan.policies.supersede));
        worker::spawn(shared, durable);
    }
    for (scope, deployments) in scopes {
        // A request may have been written by somebody who did not live to tell the older ones.
        for (id, policy) in deployments {
            queue::supersede(shared, &scope, &id, policy).await;
        }
        queue::look(shared, scope);
    }
    Ok(())
}
