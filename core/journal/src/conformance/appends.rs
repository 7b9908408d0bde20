//! What an append promises: all or none, at one head, with one answer per request.

use std::sync::Arc;

use model::{Committed, Event, Fence, Timestamp};
use tokio::task::JoinSet;

use super::samples::{self, deployment, release, scope};
use super::{activate, lease, must, request, requested, row, stamped};
use crate::{Append, AppendError, FirstReply, Position, RequestId, Status, Store};

/// How many write at once.
const TASKS: u32 = 16;

pub(super) async fn what_was_appended_is_read_back_in_order(store: &dyn Store) {
    let lease = lease(store).await;
    let receipt = must(store.append(request(&lease, 1, "web")).await);
    assert_eq!((receipt.deployment(), receipt.head()), (&deployment(1), 1));
    must(store.append(activate(&lease, 1, "web", 0)).await);
    let loaded = must(store.load(&deployment(1)).await).expect("it was appended");
    let activated = Event::Activated { stable: None, fence: Fence(0), at: Timestamp(2) };
    assert_eq!(loaded.events, [stamped(requested(1, "web")), stamped(activated)]);
    assert_eq!((loaded.receipt.deployment(), loaded.receipt.head()), (&deployment(1), 2));
    assert!(must(store.load(&deployment(2)).await).is_none());
}

pub(super) async fn every_kind_of_event_is_read_back_as_it_was_written(store: &dyn Store) {
    let lease = lease(store).await;
    let events: Vec<_> = samples::events().into_iter().map(stamped).collect();
    let row = row(1, "web", Status::Queued, events.len() as u64);
    must(store.append(Append { row, events: events.clone(), ..request(&lease, 1, "web") }).await);
    let loaded = must(store.load(&deployment(1)).await).expect("it was appended");
    for (seq, (found, expected)) in (1..).zip(loaded.events.iter().zip(&events)) {
        assert_eq!(found, expected, "record {seq}");
    }
    assert_eq!(loaded.events.len(), events.len());
}

pub(super) async fn an_append_at_another_head_is_refused_whole(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    let twice = store.append(request(&lease, 1, "web")).await;
    assert!(matches!(twice, Err(AppendError::HeadMoved { expected: 0, found: 1, .. })), "{twice:?}");
    let mut ahead = activate(&lease, 1, "web", 0);
    ahead.row.head = 5;
    let ahead = store.append(ahead).await;
    assert!(matches!(ahead, Err(AppendError::HeadMoved { expected: 4, found: 1, .. })), "{ahead:?}");
    assert_eq!(must(store.load(&deployment(1)).await).expect("it is there").events.len(), 1);
    assert_eq!(must(store.scope(&scope("web")).await).active, None);
}

/// Each of the ways to be refused, by an append that would change everything an append can.
pub(super) async fn a_refused_append_leaves_nothing_behind(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    must(store.append(activate(&lease, 1, "web", 3)).await);
    must(store.append(request(&lease, 2, "web")).await);
    let before = (must(store.scope(&scope("web")).await), must(store.read_after(Position::default(), None, 99).await).len());
    let everything = |append: Append| Append {
        stable: Some(Some(release("r-9"))),
        request: Some(reply("refused", 2)),
        fence: Fence(append.fence.0 + 1),
        ..append
    };
    let taken = store.append(everything(activate(&lease, 2, "web", 5))).await;
    assert!(matches!(taken, Err(AppendError::ScopeTaken { .. })), "{taken:?}");
    let moved = store.append(everything(request(&lease, 2, "web"))).await;
    assert!(matches!(moved, Err(AppendError::HeadMoved { .. })), "{moved:?}");
    let mut low = everything(activate(&lease, 1, "web", 0));
    (low.row.head, low.fence) = (3, Fence(2));
    let low = store.append(low).await;
    assert!(matches!(low, Err(AppendError::FenceFell { .. })), "{low:?}");
    let mut stranger = everything(activate(&lease, 1, "web", 5));
    (stranger.row.head, stranger.lease.epoch) = (3, lease.epoch + 1);
    let stranger = store.append(stranger).await;
    assert!(matches!(stranger, Err(AppendError::LeaseLost { .. })), "{stranger:?}");
    let after = (must(store.scope(&scope("web")).await), must(store.read_after(Position::default(), None, 99).await).len());
    assert_eq!(after, before);
    assert_eq!(must(store.first_reply("user:ada", &RequestId("refused".to_owned())).await), None);
    let head = |number| async move { must(store.load(&deployment(number)).await).expect("it is there").receipt.head() };
    assert_eq!((head(1).await, head(2).await), (2, 1));
}

pub(super) async fn appends_at_once_all_arrive(store: Arc<dyn Store>) {
    let lease = lease(&*store).await;
    let mut tasks = JoinSet::new();
    for number in 1..=TASKS {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        tasks.spawn(async move {
            let service = format!("s-{number}");
            let first = must(store.append(request(&lease, number, &service)).await).position();
            let second = must(store.append(activate(&lease, number, &service, 0)).await).position();
            assert!(first < second, "an earlier append has the earlier place: {first:?}, then {second:?}");
            second
        });
    }
    let mut positions = tasks.join_all().await;
    positions.sort();
    positions.dedup();
    assert_eq!(positions.len(), TASKS as usize, "every append has a place of its own");
    assert_eq!(must(store.read_after(Position::default(), None, 100).await).len(), 2 * TASKS as usize);
}

pub(super) async fn one_of_many_appends_at_one_head_wins(store: Arc<dyn Store>) {
    let lease = lease(&*store).await;
    must(store.append(request(&lease, 1, "web")).await);
    let mut tasks = JoinSet::new();
    for fence in 1..=TASKS {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        tasks.spawn(async move { store.append(activate(&lease, 1, "web", u64::from(fence))).await });
    }
    let (won, lost): (Vec<_>, Vec<_>) = tasks.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, TASKS as usize - 1));
    let moved = |result: &Result<_, AppendError>| matches!(result, Err(AppendError::HeadMoved { expected: 1, found: 2, .. }));
    assert!(lost.iter().all(moved), "{lost:?}");
    assert_eq!(must(store.load(&deployment(1)).await).expect("it is there").events.len(), 2);
}

/// Stores group what comes at the same time; being in a group with a refused one harms nobody.
pub(super) async fn a_refusal_does_not_undo_its_neighbours(store: Arc<dyn Store>) {
    let lease = lease(&*store).await;
    must(store.append(request(&lease, 99, "taken")).await);
    let mut tasks = JoinSet::new();
    for number in 1..=TASKS {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        tasks.spawn(async move {
            let good = number % 2 == 0;
            let wanted = if good { number } else { 99 };
            assert_eq!(store.append(request(&lease, wanted, &format!("s-{number}"))).await.is_ok(), good, "{number}");
        });
    }
    tasks.join_all().await;
    for number in 1..=TASKS {
        assert_eq!(must(store.load(&deployment(number)).await).is_some(), number % 2 == 0, "{number}");
    }
}

pub(super) fn reply(request: &str, number: u32) -> FirstReply {
    FirstReply {
        request: RequestId(request.to_owned()),
        actor: "user:ada".to_owned(),
        fingerprint: format!("start {number}"),
        deployment: deployment(number),
        version: 1,
    }
}

pub(super) async fn a_request_has_one_answer(store: &dyn Store) {
    let lease = lease(store).await;
    let first = reply("same", 1);
    must(store.append(Append { request: Some(first.clone()), ..request(&lease, 1, "web") }).await);
    let again = store.append(Append { request: Some(first.clone()), ..request(&lease, 1, "web") }).await;
    assert!(matches!(&again, Err(AppendError::AlreadyAnswered(found)) if *found == first), "before the head: {again:?}");
    let other = FirstReply { actor: "user:bob".to_owned(), ..reply("same", 2) };
    must(store.append(Append { request: Some(other.clone()), ..request(&lease, 2, "web") }).await);
    let found = async |actor: &str| must(store.first_reply(actor, &RequestId("same".to_owned())).await);
    assert_eq!(found("user:ada").await, Some(first));
    assert_eq!(found("user:bob").await, Some(other), "two people may choose one id");
    assert_eq!(found("user:eve").await, None);
}

pub(super) async fn a_request_id_used_again_shows_what_it_was_used_for(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(Append { request: Some(reply("same", 1)), ..request(&lease, 1, "web") }).await);
    let other = store.append(Append { request: Some(reply("same", 2)), ..request(&lease, 2, "web") }).await;
    let first = reply("same", 1);
    assert!(matches!(&other, Err(AppendError::AlreadyAnswered(found)) if *found == first), "{other:?}");
    assert!(must(store.load(&deployment(2)).await).is_none(), "nothing of it is written");
}
