//! Watching: a stream that reads the journal and is woken by the worker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use journal::{Change, Changes, Position};
use model::{DeploymentId, State};

use crate::shared::Shared;
use crate::{EngineError, Update, limits};

struct Watching {
    shared: Arc<Shared>,
    id: DeploymentId,
    after: u64,
    position: Position,
    state: Option<State>,
    ready: VecDeque<Update>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.shared.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) fn watch(shared: Arc<Shared>, id: DeploymentId, after: u64) -> BoxStream<'static, Result<Update, EngineError>> {
    let found = shared.watchers.fetch_add(1, Ordering::Relaxed);
    let watching = Watching { shared, id, after, position: Position::default(), state: None, ready: VecDeque::new() };
    if found >= limits::WATCHERS_MAX {
        let error = EngineError::TooMany { what: "watchers", found, limit: limits::WATCHERS_MAX };
        return stream::once(async move {
            drop(watching);
            Err(error)
        })
        .boxed();
    }
    stream::unfold(Some(watching), |watching| async move {
        let mut watching = watching?;
        match watching.next().await {
            Ok(Some(update)) => Some((Ok(update), Some(watching))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
    .boxed()
}

impl Watching {
    /// Returns the next update, or `None` behind the last event of a deployment that is over.
    async fn next(&mut self) -> Result<Option<Update>, EngineError> {
        loop {
            if let Some(update) = self.ready.pop_front() {
                return Ok(Some(update));
            }
            if self.state.as_ref().is_some_and(State::is_terminal) {
                return Ok(None);
            }
            // Subscribed before reading: what is written in between wakes, and is not missed.
            let mut changes = self.shared.store.changes();
            let worker = self.shared.roster.worker(&self.id);
            if !self.read().await? {
                if self.state.is_none() {
                    return Err(EngineError::NotFound(self.id.clone()));
                }
                let version = self.state.as_ref().map_or(0, |state| state.version);
                let moved = async {
                    if let Some(mut worker) = worker
                        && worker.state.wait_for(|state| state.version > version).await.is_ok()
                    {
                        return;
                    }
                    // Nobody of ours is there to wake us: it is over, or another server has it and the store may tell.
                    told_of(&mut changes, &self.id).await;
                };
                // Whether it was woken or not, it looks.
                let _ = tokio::time::timeout(limits::SWEEP, moved).await;
            }
        }
    }

    /// Reads on; returns whether there was anything new.
    async fn read(&mut self) -> Result<bool, EngineError> {
        let read = self.shared.store.read_after(self.position, Some(&self.id), limits::EVENTS_PER_READ).await?;
        let any = !read.is_empty();
        for event in read {
            self.position = event.position;
            let state = machine::apply(self.state.take(), &event.stamped.event);
            if event.seq > self.after {
                let update = Update { version: event.seq, stamped: event.stamped, state: Arc::new(state.clone()) };
                self.ready.push_back(update);
            }
            self.state = Some(state);
        }
        Ok(any)
    }
}

/// Waits until the store tells of an append to the deployment, or that it may have missed one.
async fn told_of(changes: &mut Changes, id: &DeploymentId) {
    loop {
        match changes.next().await {
            Some(Change::Appended { deployment, .. }) if deployment != *id => {}
            Some(Change::Put { .. }) => {}
            Some(Change::Appended { .. } | Change::LookAgain) => return,
            None => std::future::pending().await,
        }
    }
}
