//! What changes promise: after a commit a word of it, and none of what was refused.

use std::collections::BTreeSet;
use std::time::Duration;

use model::Timestamp;

use super::samples::deployment;
use super::{activate, lease, must, request};
use crate::{Change, Changes, Shard, Store};

/// How long a word may take: longer than the slowest machine, because only a failing check waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for the next word that names a deployment.
async fn next(changes: &mut Changes) -> (Shard, String) {
    loop {
        let change = tokio::time::timeout(PATIENCE, changes.next()).await;
        match change.unwrap_or_else(|_| panic!("no word came in {PATIENCE:?}")) {
            Some(Change::Appended { shard, deployment }) => return (shard, deployment.to_string()),
            Some(Change::Put { .. } | Change::LookAgain) => {}
            None => panic!("the changes ended while the store is open"),
        }
    }
}

pub(super) async fn who_listens_is_told_of_each_append(store: &dyn Store) {
    let lease = lease(store).await;
    let (mut one, mut two) = (store.changes(), store.changes());
    let mut expected = BTreeSet::new();
    for number in 1..=3 {
        must(store.append(request(&lease, number, "web")).await);
        expected.insert((Shard(0), deployment(number).to_string()));
    }
    for changes in [&mut one, &mut two] {
        let mut told = BTreeSet::new();
        while told != expected {
            told.insert(next(changes).await);
            assert!(told.is_subset(&expected), "{told:?}");
        }
    }
}

pub(super) async fn what_was_refused_is_not_announced(store: &dyn Store) {
    let lease = lease(store).await;
    let mut changes = store.changes();
    must(store.append(request(&lease, 1, "web")).await);
    must(store.append(activate(&lease, 1, "web", 0)).await);
    must(store.append(request(&lease, 2, "web")).await);
    must(store.append(request(&lease, 3, "api")).await);
    assert!(store.append(activate(&lease, 2, "web", 0)).await.is_err(), "the scope is taken");
    must(store.append(activate(&lease, 3, "api", 0)).await);
    let mut told = Vec::new();
    while told.iter().filter(|(_, told)| *told == deployment(3).to_string()).count() < 2 {
        told.push(next(&mut changes).await);
    }
    let of_two = told.iter().filter(|(_, told)| *told == deployment(2).to_string()).count();
    assert_eq!(of_two, 1, "deployment 2 was written once: {told:?}");
}

pub(super) async fn who_listens_is_told_of_each_document(store: &dyn Store) {
    let mut changes = store.changes();
    must(store.put("service", "the web", "text", None, Timestamp(1)).await);
    let told = async {
        loop {
            match changes.next().await {
                Some(Change::Put { kind, key }) => return (kind, key),
                Some(Change::Appended { .. } | Change::LookAgain) => {}
                None => panic!("the changes ended while the store is open"),
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("no word came in {PATIENCE:?}"));
    assert_eq!(told, ("service".to_owned(), "the web".to_owned()));
}
