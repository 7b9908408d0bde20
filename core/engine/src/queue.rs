//! Whose turn it is: at most one deployment is active per scope, the others wait in the order of their requests.

use std::sync::Arc;

use journal::{DeploymentFilter, DeploymentRow, Status};
use model::plan::Supersede;
use model::{Command, DeploymentId, Scope};

use crate::shared::Shared;
use crate::worker::Input;
use crate::{EngineError, limits};

/// Queued deployments of one scope that are looked at: far more than anybody waits behind.
const QUEUE_MAX: u32 = 1_000;

/// Gives the scope to the oldest deployment that waits for it, if nobody has it; in a task of its own, until it could be done.
pub(crate) fn look(shared: &Arc<Shared>, scope: Scope) {
    let shared_here = Arc::clone(shared);
    shared.tasks.spawn(async move {
        while let Err(error) = next(&shared_here, &scope).await {
            tracing::warn!(%scope, %error, "could not look at the queue; trying again");
            tokio::time::sleep(limits::HOLD).await;
            // Whoever gets the lease looks at every queue.
            if shared_here.lease(&scope).is_err() {
                return;
            }
        }
    });
}

async fn next(shared: &Shared, scope: &Scope) -> Result<(), EngineError> {
    let _one_at_a_time = shared.queue.lock().await;
    let row = shared.store.scope(scope).await?;
    if row.active.is_some() {
        return Ok(());
    }
    let Some(oldest) = waiting(shared, scope).await?.pop() else { return Ok(()) };
    tell(shared, &oldest.id, Input::Told(Command::Activate { stable: row.stable, fence: row.fence })).await;
    Ok(())
}

/// Lets a new deployment take the place of older ones, as far as its path says.
pub(crate) async fn supersede(shared: &Arc<Shared>, scope: &Scope, by: &DeploymentId, policy: Supersede) {
    let status = match policy {
        Supersede::Never => return,
        Supersede::Queued => Some(Status::Queued),
        Supersede::Active => None,
    };
    let older = match status {
        Some(_) => waiting(shared, scope).await,
        None => unfinished(shared, scope).await,
    };
    match older {
        Ok(rows) => {
            for row in rows.iter().filter(|row| row.id < *by) {
                tell(shared, &row.id, Input::GiveWay { by: by.clone(), policy }).await;
            }
        }
        Err(error) => tracing::warn!(%scope, %error, "could not look for deployments to supersede"),
    }
}

async fn waiting(shared: &Shared, scope: &Scope) -> Result<Vec<DeploymentRow>, EngineError> {
    list(shared, scope, Some(Status::Queued)).await
}

async fn unfinished(shared: &Shared, scope: &Scope) -> Result<Vec<DeploymentRow>, EngineError> {
    let mut rows = list(shared, scope, Some(Status::Active)).await?;
    rows.extend(list(shared, scope, Some(Status::Queued)).await?);
    Ok(rows)
}

async fn list(shared: &Shared, scope: &Scope, status: Option<Status>) -> Result<Vec<DeploymentRow>, EngineError> {
    let filter = DeploymentFilter {
        service: Some(scope.service.to_string()),
        environment: Some(scope.environment.to_string()),
        status,
        before: None,
        limit: QUEUE_MAX,
    };
    Ok(shared.store.deployments(&filter).await?)
}

async fn tell(shared: &Shared, deployment: &DeploymentId, input: Input) {
    if let Some(worker) = shared.worker(deployment) {
        // A closed inbox belongs to a worker that has ended; the queue is looked at again when it has.
        let _ = worker.inbox.send(input).await;
    }
}
