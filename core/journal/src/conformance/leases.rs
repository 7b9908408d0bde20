//! What a lease promises: one owner at a time, and epochs that only grow.

use std::slice;

use model::Millis;

use super::{TTL, acquire, activate, lease, must, request};
use crate::{AppendError, Lease, Owner, Shard, Store};

fn shards(leases: &[Lease]) -> Vec<Shard> {
    leases.iter().map(|lease| lease.shard).collect()
}

pub(super) async fn an_append_under_a_lost_lease_is_refused(store: &dyn Store) {
    let held = lease(store).await;
    must(store.append(request(&held, 1, "web")).await);
    must(store.release(slice::from_ref(&held)).await);
    let late = store.append(activate(&held, 1, "web", 0)).await;
    assert!(matches!(late, Err(AppendError::LeaseLost { .. })), "given back: {late:?}");
    let next = acquire(store, "two").await.expect("it was given back");
    assert!(next.epoch > held.epoch, "epoch {} must be greater than {}", next.epoch, held.epoch);
    let late = store.append(activate(&held, 1, "web", 0)).await;
    assert!(matches!(late, Err(AppendError::LeaseLost { found, .. }) if found == next.epoch), "granted to another: {late:?}");
    must(store.append(activate(&next, 1, "web", 0)).await);
}

pub(super) async fn a_lease_is_granted_to_one_owner_at_a_time(store: &dyn Store) {
    let held = lease(store).await;
    assert!(acquire(store, "two").await.is_none());
    let again = acquire(store, "one").await.expect("its own");
    assert!(again.epoch > held.epoch, "what it sent before comes too late: {} after {}", again.epoch, held.epoch);
    let late = store.append(request(&held, 1, "web")).await;
    assert!(
        matches!(late, Err(AppendError::LeaseLost { found, .. }) if found == again.epoch),
        "the same owner, an earlier grant: {late:?}"
    );
    let other = must(store.acquire(&[Shard(0), Shard(1)], &Owner("two".to_owned()), TTL).await);
    assert_eq!(shards(&other), [Shard(1)], "another shard is another lease");
    must(store.release(slice::from_ref(&again)).await);
    assert!(must(store.renew(slice::from_ref(&again), TTL).await).is_empty());
}

pub(super) async fn a_lease_that_ran_out_is_lost(store: &dyn Store, advance: &impl Fn(Millis)) {
    let held = lease(store).await;
    advance(TTL);
    let late = store.append(request(&held, 1, "web")).await;
    assert!(matches!(late, Err(AppendError::LeaseLost { .. })), "nobody else has it yet, and it is lost: {late:?}");
    assert!(must(store.renew(slice::from_ref(&held), TTL).await).is_empty());
    let again = acquire(store, "one").await.expect("it is free");
    assert!(again.epoch > held.epoch, "somebody may have had it between: {} after {}", again.epoch, held.epoch);
    advance(TTL);
    let next = acquire(store, "two").await.expect("it ran out");
    assert!(next.epoch > again.epoch, "epoch {} must be greater than {}", next.epoch, again.epoch);
}

pub(super) async fn a_renewed_lease_lasts_longer(store: &dyn Store, advance: &impl Fn(Millis)) {
    let held = lease(store).await;
    advance(Millis(TTL.0 - 1));
    let renewed = must(store.renew(slice::from_ref(&held), TTL).await).pop().expect("it is held");
    assert_eq!((renewed.epoch, &renewed.owner), (held.epoch, &held.owner));
    assert!(renewed.expires_at > held.expires_at, "{:?} must be later than {:?}", renewed.expires_at, held.expires_at);
    advance(Millis(TTL.0 - 1));
    must(store.append(request(&held, 1, "web")).await);
    assert!(acquire(store, "two").await.is_none());
}

pub(super) async fn a_lease_given_back_late_takes_nothing_from_the_next(store: &dyn Store, advance: &impl Fn(Millis)) {
    let held = lease(store).await;
    advance(TTL);
    let next = acquire(store, "two").await.expect("it ran out");
    must(store.release(slice::from_ref(&held)).await);
    assert!(!must(store.renew(slice::from_ref(&next), TTL).await).is_empty());
    must(store.append(request(&next, 1, "web")).await);
}

pub(super) async fn many_leases_are_taken_renewed_and_given_back_at_once(store: &dyn Store, advance: &impl Fn(Millis)) {
    let (one, two) = (Owner("one".to_owned()), Owner("two".to_owned()));
    let all = [Shard(0), Shard(1), Shard(2)];
    let taken = must(store.acquire(&all[..1], &two, TTL).await);
    assert_eq!(must(store.acquire(&[], &two, TTL).await), [], "nothing was wanted");
    let held = must(store.acquire(&all, &one, TTL).await);
    assert_eq!(shards(&held), [Shard(1), Shard(2)], "the first is another's");
    let found = must(store.leases().await);
    assert_eq!(shards(&found.held), all);
    assert_eq!(found.held[0], taken[0]);
    assert_eq!(found.held[1].expires_at, found.now + TTL);
    advance(Millis(TTL.0 - 1));
    must(store.release(&held[..1]).await);
    let kept = must(store.renew(&held, TTL).await);
    assert_eq!(shards(&kept), [Shard(2)], "what was given back is not renewed");
    advance(Millis(1));
    assert_eq!(must(store.leases().await).held, kept, "the others ran out");
}
