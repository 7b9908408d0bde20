//! The tasks of the engine, so that stopping it stops them all.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::task::JoinSet;

/// A set of tasks that end with the engine.
#[derive(Default)]
pub(crate) struct TaskSet(Mutex<JoinSet<()>>);

impl TaskSet {
    /// Starts a task.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that ended are forgotten here, so that the set does not grow with every deployment.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Ends every task and waits until it is gone.
    pub(crate) async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }
}
