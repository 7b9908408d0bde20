//! Copies: taken from a journal that is being written, put back, and refused where they would do harm.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use journal::conformance::samples;
use journal::{AppendError, Store, StoreError};
use journal_sql::{SqliteStore, back_up, restore};
use model::Committed;

use crate::support::{Place, lease, step};

async fn head(store: &SqliteStore) -> u64 {
    store.load(&samples::deployment(1)).await.unwrap().unwrap().receipt.head()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_journal_that_is_written_is_whole_and_can_be_put_back() {
    let place = Place::new();
    let store = Arc::new(place.open());
    let lease = lease(&*store).await;
    for head in [1, 2] {
        store.append(step(&lease, 1, head)).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
        async move {
            let mut head = 2;
            while !stop.load(Ordering::Relaxed) {
                head += 1;
                store.append(step(&lease, 1, head)).await.unwrap();
            }
            head
        }
    });
    let before = head(&store).await;
    let copy = place.path.with_extension("copy");
    tokio::task::block_in_place(|| back_up(&place.path, &copy)).unwrap();
    stop.store(true, Ordering::Relaxed);
    let last = writing.await.unwrap();
    let copied = head(&SqliteStore::open_to_read(&copy).unwrap()).await;
    assert!((before..=last).contains(&copied), "{copied} is not from {before} to {last}");

    let refused = tokio::task::block_in_place(|| restore(&copy, &place.path, true)).unwrap_err();
    assert!(matches!(refused, StoreError::InUse(_)), "a server writes it: {refused:?}");
    drop(store);
    let refused = restore(&copy, &place.path, false).unwrap_err();
    assert!(refused.to_string().contains("exists already"), "{refused}");
    let kept = restore(&copy, &place.path, true).unwrap().expect("there was one");
    assert_eq!(head(&SqliteStore::open_to_read(&kept).unwrap()).await, last, "nothing of the old one is lost");
    let store = place.open();
    assert_eq!(head(&store).await, copied);
    store.append(step(&crate::support::lease(&store).await, 1, copied + 1)).await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_opened_to_read_writes_nothing() {
    let place = Place::new();
    let lease = lease(&place.open()).await;
    let refused = SqliteStore::open_to_read(&place.path).unwrap().append(step(&lease, 1, 1)).await.unwrap_err();
    assert!(matches!(refused, AppendError::Store(StoreError::ReadOnly(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_whole_copy_is_refused_and_nothing_is_touched() {
    let place = Place::new();
    let store = place.open();
    store.append(step(&lease(&store).await, 1, 1)).await.unwrap();
    drop(store);
    let copy = place.path.with_extension("copy");
    back_up(&place.path, &copy).unwrap();
    let refused = back_up(&place.path, &copy).unwrap_err();
    assert!(refused.to_string().contains("exists already"), "{refused}");
    let whole = fs::read(&copy).unwrap();
    fs::write(&copy, &whole[..whole.len() / 2]).unwrap();
    let refused = restore(&copy, &place.path, true).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused:?}");
    fs::write(&copy, "no database").unwrap();
    assert!(restore(&copy, &place.path, true).is_err());
    assert!(restore(&copy.with_extension("missing"), &place.path, true).is_err());
    assert_eq!(head(&place.open()).await, 1);
}
