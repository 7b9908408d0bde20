//! Keeps the right to write, and stops everything when it is lost.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use journal::Lease;
use model::Millis;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::hold::Hold;
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

pub(crate) async fn try_acquire(shared: &Shared) -> Result<bool, EngineError> {
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

/// Works under the lease for ever: recovers everything while it is renewed; ends everything when it is lost, and gets it again.
///
/// `started` hears how the first recovery went. When that failed, nobody holds the engine any longer.
pub(crate) async fn keep(shared: Arc<Shared>, started: oneshot::Sender<Result<(), EngineError>>) -> Infallible {
    let mut started = Some(started);
    if shared.epoch().is_none() {
        get_again(&shared).await;
    }
    loop {
        tokio::select! {
            biased;
            () = renew_until_lost(&shared) => {}
            () = work(&shared, &mut started) => {}
        }
        shared.leads.send_replace(false);
        shared.step_down();
        // In this order: nobody enters the roster any more, so nobody joins the crew behind the last who is stopped.
        shared.roster.clear();
        shared.crew.stop().await;
        get_again(&shared).await;
    }
}

/// Takes care of everything that is not over. Ends only when the lease does.
async fn work(shared: &Arc<Shared>, started: &mut Option<oneshot::Sender<Result<(), EngineError>>>) {
    let mut hold = Hold::new("reading what is to be taken care of");
    loop {
        match (start::recover(shared).await, started.take()) {
            (Err(error), Some(started)) => {
                // Whoever starts the engine hears of it, unless it stands by and asked for nothing; then it is tried again.
                if let Err(Err(error)) = started.send(Err(error)) {
                    tokio::time::sleep_until(hold.failed(&error)).await;
                }
            }
            (Ok(()), Some(started)) => {
                let _ = started.send(Ok(()));
                break;
            }
            (Ok(()), None) => break,
            (Err(error), None) => tokio::time::sleep_until(hold.failed(&error)).await,
        }
    }
    hold.over();
    shared.leads.send_replace(true);
    std::future::pending().await
}

async fn renew_until_lost(shared: &Shared) {
    let pace = lifetime(shared.lease_ttl) / 3;
    let mut next = pace;
    let mut seen = shared.held.subscribe();
    loop {
        // Whoever is refused by the store steps down at once, and is not left without a lease until the next renewal.
        let _ = tokio::time::timeout(next, seen.wait_for(Option::is_none)).await;
        let Some(held) = shared.held.borrow().clone() else { return };
        next = match renew(shared, &held).await {
            Renewal::Kept => pace,
            Renewal::Failed => ASK_AGAIN.min(pace),
            Renewal::Lost => return,
        };
    }
}

/// Asks for the lease until it is ours.
async fn get_again(shared: &Shared) {
    let mut hold = Hold::new("asking for the lease");
    loop {
        match try_acquire(shared).await {
            Ok(true) => break tracing::warn!("got the lease"),
            Ok(false) => tokio::time::sleep(ASK_AGAIN).await,
            Err(error) => {
                if let EngineError::Store(error) = &error {
                    shared.note(error);
                }
                tokio::time::sleep_until(hold.failed(&error)).await;
            }
        }
    }
    hold.over();
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
            shared.note(&error);
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
    let trusted_until = trusted_until(shared, asked_at);
    shared.held.send_if_modified(|current| match current {
        Some(current) => {
            (current.lease, current.trusted_until) = (lease, trusted_until);
            true
        }
        None => false,
    })
}
