//! A full disk: what was acknowledged stays, what was refused is not there, and when there is space again it goes on.

use std::sync::Arc;

use journal::conformance::samples;
use journal::{AppendError, Catalog, Store, StoreError};
use journal_sql::{Options, SqliteStore};
use model::{Committed, Timestamp};

use crate::support::{Place, lease, step};

/// A disk so small that a few appends fill it.
fn small(place: &Place) -> SqliteStore {
    SqliteStore::open(&place.path, &Options { pages_max: Some(60), ..Options::default() }).unwrap()
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let place = Place::new();
    let store = small(&place);
    let mut written = 0;
    let error = loop {
        match store.put("service", &format!("s{written}"), &"text".repeat(1_000), None, Timestamp(1)).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1_000, "60 pages hold no 1000 documents");
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert_eq!(store.list("service", "").await.unwrap().len(), written);
    assert!(store.remove("service", "s0").await.unwrap(), "what frees space is still taken");
    store.put("service", "again", "small", None, Timestamp(1)).await.unwrap();
}

#[tokio::test]
async fn many_writers_on_a_full_disk_lose_nothing_that_was_acknowledged() {
    const DEPLOYMENTS: u32 = 12;
    let place = Place::new();
    let store = Arc::new(small(&place));
    let lease = lease(&*store).await;
    let mut tasks = tokio::task::JoinSet::new();
    for deployment in 1..=DEPLOYMENTS {
        let (store, lease) = (Arc::clone(&store), lease.clone());
        tasks.spawn(async move {
            let mut head = 0;
            loop {
                match store.append(step(&lease, deployment, head + 1)).await {
                    Ok(receipt) => head = receipt.head(),
                    Err(AppendError::Store(StoreError::Full(_))) => return (deployment, head),
                    Err(error) => panic!("deployment {deployment}: {error:?}"),
                }
            }
        });
    }
    let heads = tasks.join_all().await;
    drop(store);
    let store = place.open();
    for (deployment, head) in heads {
        let loaded = store.load(&samples::deployment(deployment)).await.unwrap();
        assert_eq!(loaded.map_or(0, |loaded| loaded.receipt.head()), head, "deployment {deployment}");
        store.append(step(&lease, deployment, head + 1)).await.unwrap();
    }
}
