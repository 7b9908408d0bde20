//! Keeps the right to write, and stops everything when it is lost.

use std::sync::Arc;
use std::time::Duration;

use journal::Lease;
use model::Millis;
use tokio::time::Instant;

use crate::shared::{Held, Shared};
use crate::{EngineError, limits, start};

/// How often a lease that somebody else holds is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Gets the lease, waiting for another owner's to run out if need be; no longer than two of its lifetimes.
pub(crate) async fn acquire(shared: &Shared) -> Result<(), EngineError> {
    let give_up = Instant::now() + lifetime(shared.lease_ttl) * 2;
    loop {
        if try_acquire(shared).await? {
            return Ok(());
        }
        if Instant::now() >= give_up {
            return Err(EngineError::NotOwner);
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

async fn try_acquire(shared: &Shared) -> Result<bool, EngineError> {
    let asked_at = Instant::now();
    let lease = shared.store.acquire(journal::Shard(0), &shared.owner, shared.lease_ttl).await?;
    Ok(lease.is_some_and(|lease| {
        hold(shared, lease, asked_at);
        true
    }))
}

/// The lease is trusted from when it was asked for, not from when the answer came: the answer may have taken long.
fn hold(shared: &Shared, lease: Lease, asked_at: Instant) {
    let ttl = lifetime(shared.lease_ttl);
    let trusted_until = asked_at + ttl.checked_sub(limits::LEASE_MARGIN).unwrap_or(ttl / 2);
    shared.held.send_replace(Some(Held { lease, trusted_until }));
}

fn lifetime(ttl: Millis) -> Duration {
    Duration::from_millis(ttl.0)
}

/// Renews the lease for ever. When it is lost the workers end by themselves; when it is got again everything is recovered.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let pace = lifetime(shared.lease_ttl) / 3;
    loop {
        tokio::time::sleep(pace).await;
        let held = shared.held.borrow().clone();
        let kept = match held {
            Some(held) => renew(&shared, held).await,
            None => false,
        };
        if !kept {
            shared.step_down();
            shared.workers().clear();
            if matches!(try_acquire(&shared).await, Ok(true)) {
                tracing::warn!("got the lease again");
                if let Err(error) = start::recover(&shared).await {
                    tracing::error!(%error, "could not recover; stepping down");
                    shared.step_down();
                }
            }
        }
    }
}

async fn renew(shared: &Shared, held: Held) -> bool {
    let asked_at = Instant::now();
    match shared.store.renew(&held.lease, shared.lease_ttl).await {
        Ok(Some(lease)) => {
            hold(shared, lease, asked_at);
            true
        }
        Ok(None) => {
            tracing::warn!("the lease was lost");
            false
        }
        Err(error) => {
            tracing::warn!(%error, "the lease could not be renewed");
            Instant::now() < held.trusted_until
        }
    }
}
