//! What packing what is old promises: that nobody notices.

use model::Millis;

use super::samples::deployment;
use super::{activate, end, lease, must, request};
use crate::conformance::appends::reply;
use crate::{Append, AppendError, DeploymentFilter, Position, RequestId, Retention, Store};

/// Everything that is over is old.
const ALL: Retention = Retention { ended: Millis(0), answered: Millis(u64::MAX), limit: 10 };

pub(super) async fn what_is_old_is_packed_and_read_as_before(store: &dyn Store) {
    let lease = lease(store).await;
    for number in [1, 2] {
        must(store.append(request(&lease, number, "web")).await);
    }
    must(store.append(activate(&lease, 1, "web", 1)).await);
    must(store.append(end(&lease, 1, "web", 1)).await);
    let (id, all) = (deployment(1), DeploymentFilter { limit: 10, ..DeploymentFilter::default() });
    let seen = async || {
        let loaded = must(store.load(&id).await).expect("it was appended");
        let streamed = must(store.read_after(Position::default(), Some(&id), 10).await);
        let resumed = must(store.read_after(streamed[1].position, Some(&id), 10).await);
        assert_eq!(resumed, streamed[2..]);
        (loaded.events, loaded.receipt.position(), streamed, must(store.deployments(&all).await))
    };
    let before = seen().await;
    let young = Retention { ended: Millis(u64::MAX), ..ALL };
    assert!(must(store.compact(young).await).is_nothing(), "nothing is as old as that");
    assert_eq!(must(store.compact(ALL).await).damaged, [""; 0]);
    assert!(must(store.compact(ALL).await).is_nothing(), "nothing is packed twice, and nothing that is not over");
    assert_eq!(seen().await, before);
    assert_eq!(must(store.load(&deployment(2)).await).expect("it waits").events.len(), 1);
    must(store.append(activate(&lease, 2, "web", 2)).await);
    let late = store.append(end(&lease, 1, "web", 1)).await;
    assert!(matches!(late, Err(AppendError::HeadMoved { found: 3, .. })), "{late:?}");
}

pub(super) async fn an_old_answer_is_forgotten(store: &dyn Store, advance: &impl Fn(Millis)) {
    let leased = lease(store).await;
    must(store.append(Append { request: Some(reply("same", 1)), ..request(&leased, 1, "web") }).await);
    advance(Millis::minutes(1));
    let older_than = |minutes| Retention { answered: Millis::minutes(minutes), ..ALL };
    let known = async || must(store.first_reply("user:ada", &RequestId("same".to_owned())).await).is_some();
    assert_eq!(must(store.compact(older_than(2)).await).answers, 0);
    assert!(known().await);
    advance(Millis::minutes(2));
    assert_eq!(must(store.compact(older_than(2)).await).answers, 1);
    assert!(!known().await);
}
