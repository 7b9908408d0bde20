//! Whose turn it is: at most one deployment is active per scope, the others wait in the order of their requests.

use std::sync::Arc;

use model::plan::Supersede;
use model::{DeploymentId, Scope};

use crate::EngineError;
use crate::hold::Hold;
use crate::nudge::Wish;
use crate::shared::Shared;

/// Gives the scope to the oldest deployment that waits for it, if nobody has it; in a task of its own, until it could be done.
pub(crate) fn look(shared: &Arc<Shared>, scope: Scope) {
    let shared_here = Arc::clone(shared);
    shared.tasks.spawn(async move {
        let mut hold = Hold::new(format!("looking at the queue of {scope}"));
        while let Err(error) = next(&shared_here, &scope).await {
            tokio::time::sleep_until(hold.failed(&error)).await;
            // Whoever gets the shard looks at every queue of it.
            if shared_here.tenure(&scope).is_err() {
                return;
            }
        }
        hold.over();
    });
}

async fn next(shared: &Shared, scope: &Scope) -> Result<(), EngineError> {
    let _one_at_a_time = shared.queue.lock().await;
    let row = shared.store.scope(scope).await?;
    if row.active.is_some() {
        return Ok(());
    }
    // One that has just ended is about to leave, and then the queue is looked at again.
    if let Some(oldest) = shared.roster.oldest(scope) {
        oldest.nudge.say(Wish::Activate { stable: row.stable, fence: row.fence });
    }
    Ok(())
}

/// Has every deployment of the scope give way to a newer one, as far as the newer one's path says. It may be said again at any time.
pub(crate) fn supersede(shared: &Shared, scope: &Scope) {
    let mut newer: Option<(DeploymentId, Supersede)> = None;
    for (id, worker) in shared.roster.of(scope).into_iter().rev() {
        if let Some((by, policy)) = &newer {
            worker.nudge.say(Wish::GiveWay { by: by.clone(), policy: *policy });
        }
        let policy = worker.state.borrow().plan.policies.supersede;
        if reach(policy) > newer.as_ref().map_or(0, |(_, policy)| reach(*policy)) {
            newer = Some((id, policy));
        }
    }
}

/// Returns how much gives way to a deployment with such a path.
fn reach(policy: Supersede) -> u8 {
    match policy {
        Supersede::Never => 0,
        Supersede::Queued => 1,
        Supersede::Active => 2,
    }
}
