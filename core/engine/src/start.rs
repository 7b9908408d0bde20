//! Starting, recovering and stopping the engine.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::{FutureExt, StreamExt, stream};
use journal::{Owner, Store};
use model::{Millis, Scope};
use tokio::sync::oneshot;

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
    /// Whether to start although another engine holds the lease, and to take over when it ends. Until then everything can be read
    /// and watched here, and nothing is written.
    pub standby: bool,
}

/// A running engine. Dropping it ends everything on the spot, as a crash would; [`Engine::shutdown`] is the orderly way.
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// Starts the engine: gets the lease, then takes care of every deployment that is not over. One that may stand by does not wait
    /// for the lease.
    pub async fn start(options: EngineOptions) -> Result<Self, EngineError> {
        let standby = options.standby;
        let engine = Self { shared: Arc::new(Shared::new(options)) };
        let shared = &engine.shared;
        let (started, recovered) = oneshot::channel();
        if standby && !lease::try_acquire(shared).await? {
            tracing::info!("another server has the lease; standing by");
            shared.tasks.spawn(supervised(Arc::clone(shared), started));
            return Ok(engine);
        }
        if !standby {
            lease::acquire(shared).await?;
        }
        shared.tasks.spawn(supervised(Arc::clone(shared), started));
        match recovered.await.unwrap_or(Err(EngineError::NotOwner)) {
            Ok(()) => Ok(engine),
            Err(error) => {
                engine.shutdown().await;
                Err(error)
            }
        }
    }

    /// Waits until this engine has the lease and everything is taken care of.
    pub async fn leads(&self) {
        let mut leads = self.shared.leads.subscribe();
        // The sender is ours, so it is there.
        let _ = leads.wait_for(|leads| *leads).await;
    }

    /// Returns a future that waits until this process can use its store no more, and says why: the process has to end, so that
    /// another opens the store anew.
    pub fn broken(&self) -> impl Future<Output = String> + Send + 'static {
        let mut broken = self.shared.broken.subscribe();
        async move {
            let why = broken.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
            match why {
                Some(why) => why,
                // The engine is gone, and with it the question.
                None => std::future::pending().await,
            }
        }
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
        shared.roster.clear();
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
        self.shared.roster.clear();
    }
}

/// Keeps the lease. Should its keeper break, nothing would go on and nothing would say so: the process had better end.
async fn supervised(shared: Arc<Shared>, started: oneshot::Sender<Result<(), EngineError>>) {
    let kept = AssertUnwindSafe(lease::keep(Arc::clone(&shared), started)).catch_unwind().await;
    if kept.is_err() {
        shared.step_down();
        shared.broken.send_replace(Some("what keeps the lease broke".to_owned()));
    }
}

/// Takes care of every deployment that is not over: the same loop as ever, beginning with what the durable state owes.
///
/// One that cannot be read is set aside: it holds its scope until somebody looks at it, and the others go on.
pub(crate) async fn recover(shared: &Arc<Shared>) -> Result<(), EngineError> {
    let Some(epoch) = shared.epoch() else { return Err(shared.not_owner()) };
    let rows = shared.store.unfinished().await?;
    let scopes: BTreeSet<Scope> = rows.iter().map(|row| row.scope.clone()).collect();
    let mut read = stream::iter(rows.into_iter().map(|row| async move { (turn::load(shared, &row.id).await, row) }))
        .buffer_unordered(limits::RECOVER_AT_ONCE);
    while let Some((loaded, row)) = read.next().await {
        match loaded {
            Ok(Some(durable)) => worker::spawn(shared, durable, epoch),
            Ok(None) => {}
            Err(EngineError::Store(error)) if error.is_of_one_deployment() => {
                tracing::error!(deployment = %row.id, scope = %row.scope, %error, "set aside, and its scope with it");
            }
            Err(error) => return Err(error),
        }
    }
    for scope in scopes {
        // A request may have been written by somebody who did not live to tell the older ones.
        queue::supersede(shared, &scope);
        queue::look(shared, scope);
    }
    Ok(())
}
