//! The suite that every store passes. One function per promise, named as the sentence it checks; each takes an empty store.
//!
//! A store's own tests call [`run_all`] with a factory. The functions panic with what was found and what was expected, as tests do.

mod announcements;
mod appends;
mod documents;
mod leases;
mod old;
mod reads;
pub mod samples;
mod scopes;

use std::sync::Arc;

use model::{Event, Fence, Millis, Outcome, Phase, Timestamp};

use crate::{Append, DeploymentRow, Lease, Owner, Shard, Stamped, Status, Store};
use samples::{actor, deployment, plan, release, scope};

/// How long the suite's leases last. Far longer than the suite runs: only its own hand on the clock ends one.
const TTL: Millis = Millis::minutes(10);

/// Runs every check, each on a store of its own. `empty` opens a store with nothing in it; `advance` moves the clock that the
/// leases of all of them run by.
pub async fn run_all<F: Future<Output = Arc<dyn Store>>>(empty: impl Fn() -> F, advance: impl Fn(Millis)) {
    appends::what_was_appended_is_read_back_in_order(&*empty().await).await;
    appends::every_kind_of_event_is_read_back_as_it_was_written(&*empty().await).await;
    appends::an_append_at_another_head_is_refused_whole(&*empty().await).await;
    appends::a_refused_append_leaves_nothing_behind(&*empty().await).await;
    appends::appends_at_once_all_arrive(empty().await).await;
    appends::one_of_many_appends_at_one_head_wins(empty().await).await;
    appends::a_refusal_does_not_undo_its_neighbours(empty().await).await;
    appends::a_request_has_one_answer(&*empty().await).await;
    appends::a_request_id_used_again_shows_what_it_was_used_for(&*empty().await).await;
    leases::an_append_under_a_lost_lease_is_refused(&*empty().await).await;
    leases::a_lease_is_granted_to_one_owner_at_a_time(&*empty().await).await;
    leases::a_lease_that_ran_out_is_lost(&*empty().await, &advance).await;
    leases::a_renewed_lease_lasts_longer(&*empty().await, &advance).await;
    leases::a_lease_given_back_late_takes_nothing_from_the_next(&*empty().await, &advance).await;
    leases::many_leases_are_taken_renewed_and_given_back_at_once(&*empty().await, &advance).await;
    scopes::a_scope_that_nobody_used_is_empty(&*empty().await).await;
    scopes::a_scope_has_one_active_deployment(&*empty().await).await;
    scopes::the_fence_of_a_scope_never_falls(&*empty().await).await;
    scopes::a_scope_remembers_what_is_stable_and_what_was(&*empty().await).await;
    scopes::a_deployment_that_waits_does_not_touch_who_is_active(&*empty().await).await;
    reads::lists_are_filtered_and_paged(&*empty().await).await;
    reads::a_row_is_read_back_as_it_was_written_last(&*empty().await).await;
    reads::the_stream_is_ordered_and_can_be_resumed(&*empty().await).await;
    reads::the_stream_has_every_event_without_gaps(empty().await).await;
    announcements::who_listens_is_told_of_each_append(&*empty().await).await;
    announcements::what_was_refused_is_not_announced(&*empty().await).await;
    announcements::who_listens_is_told_of_each_document(&*empty().await).await;
    old::what_is_old_is_packed_and_read_as_before(&*empty().await).await;
    old::an_old_answer_is_forgotten(&*empty().await, &advance).await;
    documents::documents_are_compared_and_set(&*empty().await).await;
    documents::documents_of_a_kind_are_listed_by_key(&*empty().await).await;
}

fn must<T>(result: Result<T, impl std::fmt::Debug>) -> T {
    result.unwrap_or_else(|error| panic!("the store refused what it must take: {error:?}"))
}

async fn lease(store: &dyn Store) -> Lease {
    acquire(store, "one").await.expect("the lease of an empty store is free")
}

async fn acquire(store: &dyn Store, owner: &str) -> Option<Lease> {
    must(store.acquire(&[Shard(0)], &Owner(owner.to_owned()), TTL).await).pop()
}

fn stamped(event: Event) -> Stamped {
    Stamped { event, at: Timestamp(5) }
}

fn row(number: u32, service: &str, status: Status, head: u64) -> DeploymentRow {
    let release = release("r-1");
    DeploymentRow {
        id: deployment(number),
        scope: scope(service),
        release: release.id,
        release_label: release.label,
        status,
        phase: Phase::Queued,
        paused: false,
        head,
        requested_at: Timestamp(i64::from(number)),
        ended_at: None,
    }
}

fn requested(number: u32, service: &str) -> Event {
    let plan = plan(scope(service));
    Event::Requested { id: deployment(number), plan, by: actor(), at: Timestamp(1), deadline: Timestamp(9) }
}

/// Returns the append of a deployment's first event.
fn request(lease: &Lease, number: u32, service: &str) -> Append {
    Append {
        lease: lease.clone(),
        row: row(number, service, Status::Queued, 1),
        events: vec![stamped(requested(number, service))],
        fence: Fence(0),
        stable: None,
        request: None,
    }
}

/// Returns the append of a deployment's second event, with which it takes its scope.
fn activate(lease: &Lease, number: u32, service: &str, fence: u64) -> Append {
    Append {
        row: row(number, service, Status::Active, 2),
        events: vec![stamped(Event::Activated { stable: None, fence: Fence(fence), at: Timestamp(2) })],
        fence: Fence(fence),
        ..request(lease, number, service)
    }
}

/// Returns the append of a deployment's third event and last.
fn end(lease: &Lease, number: u32, service: &str, fence: u64) -> Append {
    let ended = Event::Ended { outcome: Outcome::Succeeded, at: Timestamp(7) };
    let row = row(number, service, Status::Ended, 3);
    Append {
        row: DeploymentRow { phase: Phase::Succeeded, ended_at: Some(Timestamp(7)), ..row },
        events: vec![stamped(ended)],
        ..activate(lease, number, service, fence)
    }
}
