//! The tasks of the engine, so that stopping it stops them all.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

/// A set of tasks that end with the engine.
#[derive(Default)]
pub(crate) struct TaskSet(Mutex<JoinSet<()>>);

impl TaskSet {
    /// Starts a task.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        // Those that ended are forgotten here, so that the set does not grow with every deployment.
        while let Some(ended) = tasks.try_join_next() {
            tell(ended);
        }
        tasks.spawn(task);
    }

    /// Waits until every task has come to its end by itself, but no longer than `patience`; then ends those that are left.
    pub(crate) async fn finish(&self, patience: Duration) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        let all_ended = async {
            while let Some(ended) = tasks.join_next().await {
                tell(ended);
            }
        };
        if tokio::time::timeout(patience, all_ended).await.is_err() {
            tasks.shutdown().await;
        }
    }

    /// Ends every task and waits until it is gone.
    pub(crate) async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
    }

    /// Ends every task, and does not wait.
    pub(crate) fn drop_all(&self) {
        self.tasks().abort_all();
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a task of the engine broke");
    }
}
