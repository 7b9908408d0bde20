//! What is kept per service and environment: who is active, the fence, and what is stable.

use model::Fence;

use super::samples::{deployment, release, scope};
use super::{activate, end, lease, must, request};
use crate::{Append, AppendError, ScopeRow, Status, Store};

pub(super) async fn a_scope_that_nobody_used_is_empty(store: &dyn Store) {
    assert_eq!(must(store.scope(&scope("web")).await), ScopeRow::default());
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    assert_eq!(must(store.scope(&scope("api")).await), ScopeRow::default());
}

pub(super) async fn a_scope_has_one_active_deployment(store: &dyn Store) {
    let lease = lease(store).await;
    for number in [1, 2] {
        must(store.append(request(&lease, number, "web")).await);
    }
    must(store.append(request(&lease, 3, "api")).await);
    must(store.append(activate(&lease, 1, "web", 0)).await);
    let second = store.append(activate(&lease, 2, "web", 0)).await;
    assert!(matches!(&second, Err(AppendError::ScopeTaken { active, .. }) if *active == deployment(1)), "{second:?}");
    must(store.append(activate(&lease, 3, "api", 0)).await);
    must(store.append(end(&lease, 1, "web", 0)).await);
    assert_eq!(must(store.scope(&scope("web")).await).active, None);
    must(store.append(activate(&lease, 2, "web", 0)).await);
    assert_eq!(must(store.scope(&scope("web")).await).active, Some(deployment(2)));
    assert_eq!(must(store.scope(&scope("api")).await).active, Some(deployment(3)));
}

pub(super) async fn the_fence_of_a_scope_never_falls(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    must(store.append(activate(&lease, 1, "web", 9)).await);
    must(store.append(end(&lease, 1, "web", 9)).await);
    assert_eq!(must(store.scope(&scope("web")).await).fence, Fence(9));
    must(store.append(request(&lease, 2, "web")).await);
    assert_eq!(must(store.scope(&scope("web")).await).fence, Fence(9), "a request that takes no fence changes none");
    let low = store.append(activate(&lease, 2, "web", 8)).await;
    assert!(matches!(low, Err(AppendError::FenceFell { found: Fence(9), given: Fence(8), .. })), "{low:?}");
    must(store.append(activate(&lease, 2, "web", 9)).await);
}

pub(super) async fn a_scope_remembers_what_is_stable_and_what_was(store: &dyn Store) {
    let lease = lease(store).await;
    let changes = [(1, Some("r-1")), (2, Some("r-2")), (3, Some("r-2")), (4, None)];
    let expected = [(Some("r-1"), None), (Some("r-2"), Some("r-1")), (Some("r-2"), Some("r-1")), (Some("r-2"), Some("r-1"))];
    for ((number, name), (stable, previous)) in changes.into_iter().zip(expected) {
        let fence = u64::from(number);
        must(store.append(request(&lease, number, "web")).await);
        must(store.append(activate(&lease, number, "web", fence)).await);
        let stable_now = name.map(|name| Some(release(name)));
        must(store.append(Append { stable: stable_now, ..end(&lease, number, "web", fence) }).await);
        let found = must(store.scope(&scope("web")).await);
        assert_eq!((found.stable, found.previous), (stable.map(release), previous.map(release)), "after deployment {number}");
    }
}

pub(super) async fn a_deployment_that_waits_does_not_touch_who_is_active(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    must(store.append(activate(&lease, 1, "web", 4)).await);
    must(store.append(request(&lease, 2, "web")).await);
    let mut expired = end(&lease, 2, "web", 0);
    (expired.row.head, expired.row.status) = (2, Status::Ended);
    must(store.append(expired).await);
    let found = must(store.scope(&scope("web")).await);
    assert_eq!((found.active, found.fence), (Some(deployment(1)), Fence(4)));
}
