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
    let Some(lease) = lease else { return Ok(false) };
    shared.held.send_replace(Some(Held { lease, trusted_until: trusted_until(shared, asked_at) }));
    Ok(true)
}

/// The lease is trusted from when it was asked for, not from when the answer came: the answer may have taken long.
fn trusted_until(shared: &Shared, asked_at: Instant) -> Instant {
    let ttl = lifetime(shared.lease_ttl);
    asked_at + ttl.checked_sub(limits::LEASE_MARGIN).unwrap_or(ttl / 2)
}

fn lifetime(ttl: Millis) -> Duration {
    Duration::from_millis(ttl.0)
}

/// Renews the lease for ever. When it is lost the workers end; only then is it asked for again, and everything recovered.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let pace = lifetime(shared.lease_ttl) / 3;
    let mut next = pace;
    loop {
        let mut seen = shared.held.subscribe();
        // Whoever is refused by the store steps down at once, and is not left without a lease until the next renewal.
        let _ = tokio::time::timeout(next, seen.wait_for(Option::is_none)).await;
        let held = shared.held.borrow().clone();
        next = match held {
            Some(held) => match renew(&shared, &held).await {
                Renewal::Kept => pace,
                Renewal::Failed => ASK_AGAIN.min(pace),
                Renewal::Lost => {
                    shared.step_down();
                    ASK_AGAIN
                }
            },
            None => {
                come_back(&shared).await;
                pace
            }
        };
    }
}

/// Ends what was done under the lost lease, and begins anew if the lease can be had.
async fn come_back(shared: &Arc<Shared>) {
    shared.crew.stop().await;
    shared.workers().clear();
    match try_acquire(shared).await {
        Ok(true) => {
            tracing::warn!("got the lease again");
            if let Err(error) = start::recover(shared).await {
                tracing::error!(%error, "could not recover; stepping down");
                shared.step_down();
            }
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "could not ask for the lease"),
    }
    if shared.held.borrow().is_none() {
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

enum Renewal {
    Kept,
    Failed,
    Lost,
}

async fn renew(shared: &Shared, held: &Held) -> Renewal {
    let asked_at = Instant::now();
    // A store that does not answer must not keep anybody believing: calls in flight end when the trust does.
    match tokio::time::timeout_at(held.trusted_until, shared.store.renew(&held.lease, shared.lease_ttl)).await {
        Ok(Ok(Some(lease))) => match extend(shared, lease, asked_at) {
            true => Renewal::Kept,
            false => Renewal::Lost,
        },
        Ok(Ok(None)) => {
            tracing::warn!("the lease was lost");
            Renewal::Lost
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "the lease could not be renewed");
            match Instant::now() < held.trusted_until {
                true => Renewal::Failed,
                false => Renewal::Lost,
            }
        }
        Err(_) => {
            tracing::warn!("the store did not renew the lease in time");
            Renewal::Lost
        }
    }
}

/// Trusts a renewed lease, unless somebody stepped down meanwhile: whoever has done so has let its work go.
fn extend(shared: &Shared, lease: Lease, asked_at: Instant) -> bool {
    let held = Held { lease, trusted_until: trusted_until(shared, asked_at) };
    shared.held.send_if_modified(|current| match current {
        Some(current) => {
            *current = held;
            true
        }
        None => false,
    })
}
