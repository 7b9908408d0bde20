//! How the rest of the runtime talks to a scope's task.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use model::Scope;
use tokio::sync::{mpsc, oneshot};

use crate::protocol::{DesiredState, Status};
use crate::scope::actor::{Actor, Shared};
use crate::scope::report::Reading;
use crate::store::Stored;

/// How many messages may wait for a scope. Its callers wait for their answers, so more than a few means that it hangs.
const INBOX_MESSAGES_MAX: usize = 16;

/// Why a desired state was not taken. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// A newer one was seen.
    #[error("superseded: fence {highest} was seen")]
    Superseded {
        /// Its fence.
        highest: u64,
    },
    /// The fence was seen with another state.
    #[error(
        "fence {fence} was already used for another state (operation key {known:?}, now {found:?}); a new state needs a higher fence"
    )]
    OtherContent { fence: u64, known: String, found: String },
    /// The public port cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Port { address: String, source: io::Error },
    /// It cannot be stored.
    #[error("cannot store the desired state: {0}")]
    Store(io::Error),
    /// The runtime is shutting down.
    #[error("the runtime is shutting down")]
    ShuttingDown,
}

/// What a scope's task is told.
pub(crate) enum Message {
    Apply(Box<DesiredState>, oneshot::Sender<Result<Status, ApplyError>>),
    Status(oneshot::Sender<Option<Status>>),
    Reading(oneshot::Sender<Option<Reading>>),
    Verified { group: String, result: Result<(), String> },
    Shutdown(oneshot::Sender<()>),
}

/// The handle of a scope's task. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ScopeHandle {
    inbox: mpsc::Sender<Message>,
    logs: PathBuf,
}

impl ScopeHandle {
    /// Starts the task, with the state that was stored for it.
    pub(crate) fn start(scope: Scope, stored: Option<Stored>, shared: Arc<Shared>) -> Self {
        let (inbox, messages) = mpsc::channel(INBOX_MESSAGES_MAX);
        let logs = shared.states.folder(&scope).join("logs");
        let actor = Actor::new(scope, stored, shared, inbox.downgrade(), logs.clone());
        tokio::spawn(actor.run(messages));
        Self { inbox, logs }
    }

    /// Replaces the desired state.
    pub(crate) async fn apply(&self, desired: DesiredState) -> Result<Status, ApplyError> {
        self.ask(|answer| Message::Apply(Box::new(desired), answer)).await.unwrap_or(Err(ApplyError::ShuttingDown))
    }

    /// Returns what really runs, or `None` when no state was ever taken.
    pub(crate) async fn status(&self) -> Option<Status> {
        self.ask(Message::Status).await.flatten()
    }

    /// Returns what is measured, or `None` when no state was ever taken.
    pub(crate) async fn reading(&self) -> Option<Reading> {
        self.ask(Message::Reading).await.flatten()
    }

    /// Returns where the logs of all releases of this scope are.
    pub(crate) fn logs(&self) -> &PathBuf {
        &self.logs
    }

    /// Closes the port, lets requests finish and stops everything. The stored state stays.
    pub(crate) async fn shutdown(&self) {
        let _ = self.ask(Message::Shutdown).await;
    }

    async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> Message) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.inbox.send(message(answer)).await.ok()?;
        answered.await.ok()
    }
}
