//! The suite that every store passes. One function per promise; each takes an empty store.
//!
//! A store's own tests call [`run_all`] with a factory. The functions panic with what was found and what was expected, as tests do.

use std::sync::Arc;

use model::{
    Actor, Artifact, Committed, DeploymentId, Digest, EnvironmentName, Event, Fence, Millis, Phase, Plan, PlanHash, PluginUse,
    Policies, ReleaseId, ReleaseSpec, Scope, ServiceName, Strategy, Supersede, Timestamp,
};

use crate::{
    Append, AppendError, DeploymentFilter, DeploymentRow, FirstReply, Lease, Owner, Position, RequestId, Shard, Stamped, Status,
    Store, StoreError,
};

/// How long the suite's leases last.
const TTL: Millis = Millis::minutes(10);

/// Runs every check, each on a store of its own.
pub async fn run_all<F: Future<Output = Arc<dyn Store>>>(empty: impl Fn() -> F) {
    what_was_appended_is_read_back_in_order(&*empty().await).await;
    an_append_at_another_head_is_refused_whole(&*empty().await).await;
    an_append_under_a_lost_lease_is_refused(&*empty().await).await;
    a_lease_is_granted_to_one_owner_at_a_time(&*empty().await).await;
    a_scope_has_one_active_deployment(&*empty().await).await;
    the_fence_of_a_scope_never_falls(&*empty().await).await;
    a_scope_remembers_what_is_stable_and_what_was(&*empty().await).await;
    a_request_has_one_answer(&*empty().await).await;
    lists_are_filtered_and_paged(&*empty().await).await;
    the_stream_is_ordered_and_can_be_resumed(&*empty().await).await;
    documents_are_compared_and_set(&*empty().await).await;
    appends_at_once_all_arrive(empty().await).await;
}

fn must<T>(result: Result<T, impl std::fmt::Debug>) -> T {
    result.unwrap_or_else(|error| panic!("the store refused what it must take: {error:?}"))
}

fn scope(service: &str) -> Scope {
    Scope { service: must(ServiceName::new(service)), environment: must(EnvironmentName::new("test")) }
}

fn release(name: &str) -> ReleaseSpec {
    ReleaseSpec {
        id: must(ReleaseId::new(name)),
        label: name.to_owned(),
        artifact: Artifact { reference: "file:///srv".to_owned(), digest: Digest([7; 32]) },
        configuration: "{}".to_owned(),
    }
}

fn plan(scope: Scope) -> Plan {
    Plan {
        hash: must(PlanHash::new("plan")),
        scope,
        release: release("r-1"),
        path: "path@1.0.0".to_owned(),
        strategy: Strategy::Canary,
        first: true,
        target: PluginUse { name: "target".to_owned(), digest: Digest([1; 32]), settings: "{}".to_owned() },
        steps: Vec::new(),
        policies: Policies {
            supersede: Supersede::Never,
            queue_expires_after: Millis::hours(1),
            pause_expires_after: Millis::hours(1),
            way_back_deadline: Millis::minutes(1),
            attempts_max: 3,
        },
    }
}

fn id(number: u32) -> DeploymentId {
    must(DeploymentId::new(&format!("d-{number:04}")))
}

fn actor() -> Actor {
    Actor { name: "user:ada".to_owned(), groups: Vec::new() }
}

fn requested(number: u32, service: &str) -> Event {
    Event::Requested { id: id(number), plan: plan(scope(service)), by: actor(), at: Timestamp(1), deadline: Timestamp(9) }
}

fn stamped(event: Event) -> Stamped {
    Stamped { event, at: Timestamp(5) }
}

fn row(number: u32, service: &str, status: Status, head: u64) -> DeploymentRow {
    DeploymentRow {
        id: id(number),
        scope: scope(service),
        release: must(ReleaseId::new("r-1")),
        release_label: "v1".to_owned(),
        status,
        phase: Phase::Queued,
        paused: false,
        head,
        requested_at: Timestamp(i64::from(number)),
        ended_at: None,
    }
}

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

fn activate(lease: &Lease, number: u32, service: &str, fence: u64) -> Append {
    let event = Event::Activated { stable: None, fence: Fence(fence), at: Timestamp(2) };
    Append {
        row: row(number, service, Status::Active, 2),
        events: vec![stamped(event)],
        fence: Fence(fence),
        ..request(lease, number, service)
    }
}

async fn lease(store: &dyn Store) -> Lease {
    must(store.acquire(Shard(0), &Owner("one".to_owned()), TTL).await).expect("the lease of an empty store is free")
}

async fn what_was_appended_is_read_back_in_order(store: &dyn Store) {
    let lease = lease(store).await;
    let receipt = must(store.append(request(&lease, 1, "web")).await);
    assert_eq!(receipt.head(), 1);
    must(store.append(activate(&lease, 1, "web", 0)).await);
    let loaded = must(store.load(&id(1)).await).expect("it was appended");
    let activated = Event::Activated { stable: None, fence: Fence(0), at: Timestamp(2) };
    assert_eq!(loaded.events, [stamped(requested(1, "web")), stamped(activated)]);
    assert_eq!(loaded.receipt.head(), 2);
    assert!(must(store.load(&id(2)).await).is_none());
}

async fn an_append_at_another_head_is_refused_whole(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    let twice = store.append(request(&lease, 1, "web")).await;
    assert!(matches!(twice, Err(AppendError::HeadMoved { expected: 0, found: 1, .. })), "{twice:?}");
    let mut ahead = activate(&lease, 1, "web", 0);
    ahead.row.head = 5;
    let ahead = store.append(ahead).await;
    assert!(matches!(ahead, Err(AppendError::HeadMoved { expected: 4, found: 1, .. })), "{ahead:?}");
    assert_eq!(must(store.load(&id(1)).await).expect("it is there").events.len(), 1);
    assert_eq!(must(store.scope(&scope("web")).await).active, None);
}

async fn an_append_under_a_lost_lease_is_refused(store: &dyn Store) {
    let held = lease(store).await;
    must(store.append(request(&held, 1, "web")).await);
    must(store.release(&held).await);
    let late = store.append(activate(&held, 1, "web", 0)).await;
    assert!(matches!(late, Err(AppendError::LeaseLost { .. })), "{late:?}");
    let next = must(store.acquire(Shard(0), &Owner("two".to_owned()), TTL).await).expect("it was given back");
    assert!(next.epoch > held.epoch, "epoch {} must be greater than {}", next.epoch, held.epoch);
    let late = store.append(activate(&held, 1, "web", 0)).await;
    assert!(matches!(late, Err(AppendError::LeaseLost { .. })), "{late:?}");
    must(store.append(activate(&next, 1, "web", 0)).await);
}

async fn a_lease_is_granted_to_one_owner_at_a_time(store: &dyn Store) {
    let held = lease(store).await;
    let (one, two) = (Owner("one".to_owned()), Owner("two".to_owned()));
    assert!(must(store.acquire(Shard(0), &two, TTL).await).is_none());
    assert_eq!(must(store.acquire(Shard(0), &one, TTL).await).expect("its own").epoch, held.epoch);
    assert!(must(store.acquire(Shard(1), &two, TTL).await).is_some(), "another shard is another lease");
    let renewed = must(store.renew(&held, TTL).await).expect("it is held");
    assert!(renewed.expires_at >= held.expires_at);
    must(store.release(&held).await);
    assert!(must(store.renew(&held, TTL).await).is_none());
}

async fn a_scope_has_one_active_deployment(store: &dyn Store) {
    let lease = lease(store).await;
    for number in [1, 2] {
        must(store.append(request(&lease, number, "web")).await);
    }
    must(store.append(request(&lease, 3, "api")).await);
    must(store.append(activate(&lease, 1, "web", 0)).await);
    let second = store.append(activate(&lease, 2, "web", 0)).await;
    assert!(matches!(&second, Err(AppendError::ScopeTaken { active, .. }) if *active == id(1)), "{second:?}");
    must(store.append(activate(&lease, 3, "api", 0)).await);
    must(store.append(end(&lease, 1, 0)).await);
    assert_eq!(must(store.scope(&scope("web")).await).active, None);
    must(store.append(activate(&lease, 2, "web", 0)).await);
    assert_eq!(must(store.scope(&scope("web")).await).active, Some(id(2)));
}

fn end(lease: &Lease, number: u32, fence: u64) -> Append {
    let mut append = activate(lease, number, "web", fence);
    append.row.head = 3;
    append.row.status = Status::Ended;
    append.row.phase = Phase::Succeeded;
    append.row.ended_at = Some(Timestamp(7));
    append.events = vec![stamped(Event::Ended { outcome: model::Outcome::Succeeded, at: Timestamp(7) })];
    append
}

async fn the_fence_of_a_scope_never_falls(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    must(store.append(activate(&lease, 1, "web", 9)).await);
    must(store.append(end(&lease, 1, 9)).await);
    assert_eq!(must(store.scope(&scope("web")).await).fence, Fence(9));
    must(store.append(request(&lease, 2, "web")).await);
    assert_eq!(must(store.scope(&scope("web")).await).fence, Fence(9), "a request that takes no fence changes none");
    let low = store.append(activate(&lease, 2, "web", 8)).await;
    assert!(matches!(low, Err(AppendError::FenceFell { found: Fence(9), given: Fence(8), .. })), "{low:?}");
}

async fn a_scope_remembers_what_is_stable_and_what_was(store: &dyn Store) {
    let lease = lease(store).await;
    for (number, name) in [(1, "r-1"), (2, "r-2"), (3, "r-2")] {
        must(store.append(request(&lease, number, "web")).await);
        must(store.append(activate(&lease, number, "web", u64::from(number))).await);
        must(store.append(Append { stable: Some(Some(release(name))), ..end(&lease, number, u64::from(number)) }).await);
    }
    let found = must(store.scope(&scope("web")).await);
    assert_eq!(found.stable, Some(release("r-2")));
    assert_eq!(found.previous, Some(release("r-1")), "the same release again changes nothing");
}

async fn a_request_has_one_answer(store: &dyn Store) {
    let lease = lease(store).await;
    let reply = |number| FirstReply {
        request: RequestId("same".to_owned()),
        actor: "user:ada".to_owned(),
        fingerprint: "f".to_owned(),
        deployment: id(number),
        version: 1,
    };
    must(store.append(Append { request: Some(reply(1)), ..request(&lease, 1, "web") }).await);
    let again = store.append(Append { request: Some(reply(2)), ..request(&lease, 2, "web") }).await;
    assert!(matches!(&again, Err(AppendError::AlreadyAnswered(first)) if *first == reply(1)), "{again:?}");
    assert!(must(store.load(&id(2)).await).is_none(), "nothing of a repeated request is written");
    let other = FirstReply { actor: "user:bob".to_owned(), ..reply(2) };
    must(store.append(Append { request: Some(other), ..request(&lease, 2, "web") }).await);
    let found = must(store.first_reply("user:ada", &RequestId("same".to_owned())).await);
    assert_eq!(found, Some(reply(1)));
    assert_eq!(must(store.first_reply("user:eve", &RequestId("same".to_owned())).await), None);
}

async fn lists_are_filtered_and_paged(store: &dyn Store) {
    let lease = lease(store).await;
    for (number, service) in [(1, "web"), (2, "api"), (3, "web")] {
        must(store.append(request(&lease, number, service)).await);
    }
    must(store.append(activate(&lease, 1, "web", 0)).await);
    let list = async |filter: DeploymentFilter| -> Vec<DeploymentId> {
        must(store.deployments(&filter).await).into_iter().map(|row| row.id).collect()
    };
    let all = DeploymentFilter { limit: 10, ..DeploymentFilter::default() };
    assert_eq!(list(all.clone()).await, [id(3), id(2), id(1)]);
    assert_eq!(list(DeploymentFilter { service: Some("web".to_owned()), ..all.clone() }).await, [id(3), id(1)]);
    assert_eq!(list(DeploymentFilter { status: Some(Status::Queued), ..all.clone() }).await, [id(3), id(2)]);
    assert_eq!(list(DeploymentFilter { before: Some(id(3)), limit: 1, ..all.clone() }).await, [id(2)]);
    assert_eq!(list(DeploymentFilter { environment: Some("other".to_owned()), ..all }).await, []);
    let unfinished: Vec<_> = must(store.unfinished().await).into_iter().map(|row| (row.id, row.status)).collect();
    assert_eq!(unfinished, [(id(1), Status::Active), (id(2), Status::Queued), (id(3), Status::Queued)]);
}

async fn the_stream_is_ordered_and_can_be_resumed(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    must(store.append(request(&lease, 2, "api")).await);
    must(store.append(activate(&lease, 1, "web", 0)).await);
    let all = must(store.read_after(Position::default(), None, 10).await);
    let seen: Vec<_> = all.iter().map(|e| (e.deployment.clone(), e.seq)).collect();
    assert_eq!(seen, [(id(1), 1), (id(2), 1), (id(1), 2)]);
    assert!(all.is_sorted_by_key(|event| event.position));
    let rest = must(store.read_after(all[0].position, None, 1).await);
    assert_eq!(rest, all[1..2]);
    let of_one = must(store.read_after(all[0].position, Some(&id(1)), 10).await);
    assert_eq!(of_one, all[2..]);
    assert!(must(store.read_after(all[2].position, None, 10).await).is_empty());
}

async fn documents_are_compared_and_set(store: &dyn Store) {
    let at = Timestamp(3);
    assert_eq!(must(store.put("service", "web", "a", Some(0), at).await), 1);
    let moved = store.put("service", "web", "b", Some(0), at).await;
    assert!(matches!(moved, Err(StoreError::RevisionMoved { expected: 0, found: 1, .. })), "{moved:?}");
    assert_eq!(must(store.put("service", "web", "b", Some(1), at).await), 2);
    assert_eq!(must(store.put("service", "web%", "c", None, at).await), 1);
    assert_eq!(must(store.put("path", "web", "d", None, at).await), 1);
    assert_eq!(must(store.get("service", "web").await).map(|entry| (entry.document, entry.revision)), Some(("b".to_owned(), 2)));
    let keys = |entries: Vec<crate::CatalogEntry>| entries.into_iter().map(|entry| entry.key).collect::<Vec<_>>();
    assert_eq!(keys(must(store.list("service", "").await)), ["web", "web%"]);
    assert_eq!(keys(must(store.list("service", "web%").await)), ["web%"]);
    assert!(must(store.remove("service", "web%").await));
    assert!(!must(store.remove("service", "web%").await));
}

async fn appends_at_once_all_arrive(store: Arc<dyn Store>) {
    let lease = lease(&*store).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=16 {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        tasks.spawn(async move {
            let service = format!("s-{number}");
            must(store.append(request(&lease, number, &service)).await);
            must(store.append(activate(&lease, number, &service, 0)).await)
        });
    }
    let mut positions = Vec::new();
    while let Some(receipt) = tasks.join_next().await {
        positions.push(must(receipt).position());
    }
    positions.sort();
    positions.dedup();
    assert_eq!(positions.len(), 16, "every append has a place of its own");
    assert_eq!(must(store.read_after(Position::default(), None, 100).await).len(), 32);
}
