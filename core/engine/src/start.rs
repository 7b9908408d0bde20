//! Starting, recovering and stopping the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use futures_util::{FutureExt, StreamExt, stream};
use journal::{Owner, Shard, Store};
use model::{Millis, Scope};
use tokio::sync::oneshot;

use crate::hold::Hold;
use crate::lease::Keeper;
use crate::shared::Shared;
use crate::tenure::Tenure;
use crate::{Clock, Driver, EngineError, Handle, housekeeping, letters, limits, queue, shard, turn, worker};

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
    /// Whether other replicas use the store as well. Then each holds its share of the shards, answers for all of them, and takes over
    /// from one that dies. Otherwise the engine starts only when it has them all.
    pub replicated: bool,
    /// How long a deployment is over before its records are packed.
    pub pack_after: Millis,
}

/// A running engine. Dropping it ends everything on the spot, as a crash would; [`Engine::shutdown`] is the orderly way.
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// Starts the engine: takes the shards that it can get, then takes care of every deployment in them that is not over.
    pub async fn start(options: EngineOptions) -> Result<Self, EngineError> {
        let engine = Self { shared: Arc::new(Shared::new(options)) };
        match engine.begin().await {
            Ok(()) => Ok(engine),
            Err(error) => {
                engine.shutdown().await;
                Err(error)
            }
        }
    }

    async fn begin(&self) -> Result<(), EngineError> {
        let shared = &self.shared;
        let mut keeper = Keeper::new(Arc::clone(shared));
        let begun = keeper.first().await?;
        shared.tasks.spawn(supervised(Arc::clone(shared), keeper));
        if shared.replicated {
            shared.tasks.spawn(letters::serve(Arc::clone(shared)));
        }
        shared.tasks.spawn(housekeeping::keep(Arc::clone(shared)));
        let (started, recovered) = oneshot::channel();
        let here = Arc::clone(shared);
        shared.tasks.spawn(async move { take_care(&here, begun, Some(started)).await });
        recovered.await.unwrap_or(Err(EngineError::NotOwner))
    }

    /// Waits until this engine takes care of a scope.
    pub async fn serves(&self, scope: &Scope) {
        let mut served = self.shared.served.subscribe();
        while !self.shared.tenures().get(&shard::of(scope)).is_some_and(|tenure| tenure.serves()) {
            // The sender is ours, so it is there.
            let _ = served.changed().await;
        }
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
        shared.tasks.stop().await;
        let tenures = shared.step_down();
        join_all(tenures.iter().map(|tenure| tenure.crew.finish(limits::STOP_PATIENCE))).await;
        tenures.iter().for_each(|tenure| shared.roster.clear(tenure.shard()));
        let leases: Vec<_> = tenures.iter().map(|tenure| tenure.lease.clone()).collect();
        if !leases.is_empty()
            && let Err(error) = shared.store.release(&leases).await
        {
            tracing::warn!(%error, "the leases could not be given back; they will run out");
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.shared.tasks.drop_all();
        for tenure in self.shared.step_down() {
            tenure.crew.drop_all();
            self.shared.roster.clear(tenure.shard());
        }
    }
}

/// Keeps the leases. Should their keeper break, nothing would go on and nothing would say so: the process had better end.
async fn supervised(shared: Arc<Shared>, keeper: Keeper) {
    let kept = AssertUnwindSafe(keeper.keep()).catch_unwind().await;
    if kept.is_err() {
        shared.step_down();
        shared.broken.send_replace(Some("what keeps the leases broke".to_owned()));
    }
}

/// Takes care of everything in the shards whose tenures have begun, for as long as any of these lasts; tries again until it is done.
///
/// `started` hears how the first try went. When that failed, whoever starts the engine ends it.
pub(crate) async fn take_care(
    shared: &Arc<Shared>,
    begun: Vec<Arc<Tenure>>,
    mut started: Option<oneshot::Sender<Result<(), EngineError>>>,
) {
    let mut hold = Hold::new("reading what is to be taken care of");
    let mut tenures: BTreeMap<_, _> = begun.into_iter().map(|tenure| (tenure.shard(), tenure)).collect();
    loop {
        let result = recover(shared, &tenures).await;
        if result.is_ok() {
            hold.over();
            tenures.values().for_each(|tenure| tenure.serve());
            shared.served.send_replace(());
        }
        let again = result.as_ref().err().map(|error| hold.failed(error));
        if let Some(started) = started.take() {
            // Whoever started the engine may have gone, and the engine with it.
            let _ = started.send(result);
        }
        let Some(again) = again else { return };
        tokio::time::sleep_until(again).await;
        tenures.retain(|_, tenure| !tenure.is_over());
        if tenures.is_empty() {
            return;
        }
    }
}

/// Takes care of every deployment that is not over: the same loop as ever, beginning with what the durable state owes.
///
/// One that cannot be read is set aside: it holds its scope until somebody looks at it, and the others go on.
async fn recover(shared: &Arc<Shared>, tenures: &BTreeMap<Shard, Arc<Tenure>>) -> Result<(), EngineError> {
    if tenures.is_empty() {
        return Ok(());
    }
    let mut rows = shared.store.unfinished().await?;
    rows.retain(|row| tenures.contains_key(&shard::of(&row.scope)));
    let scopes: BTreeSet<Scope> = rows.iter().map(|row| row.scope.clone()).collect();
    let mut read = stream::iter(rows.into_iter().map(|row| async move { (turn::load(shared, &row.id).await, row) }))
        .buffer_unordered(limits::RECOVER_AT_ONCE);
    while let Some((loaded, row)) = read.next().await {
        match loaded {
            Ok(Some(durable)) => worker::spawn(shared, &tenures[&shard::of(&row.scope)], durable),
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
