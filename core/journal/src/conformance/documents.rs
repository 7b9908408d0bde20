//! What the catalog promises: documents with revisions that are compared and set.

use model::Timestamp;

use super::must;
use crate::{CatalogEntry, Store, StoreError};

const AT: Timestamp = Timestamp(3);

pub(super) async fn documents_are_compared_and_set(store: &dyn Store) {
    assert_eq!(must(store.put("service", "web", "a", Some(0), AT).await), 1);
    let moved = store.put("service", "web", "b", Some(0), AT).await;
    assert!(matches!(moved, Err(StoreError::RevisionMoved { expected: 0, found: 1, .. })), "{moved:?}");
    assert_eq!(must(store.put("service", "web", "b", Some(1), AT).await), 2);
    assert_eq!(must(store.put("service", "web", "c", None, Timestamp(4)).await), 3);
    let missing = store.put("service", "api", "a", Some(2), AT).await;
    assert!(matches!(missing, Err(StoreError::RevisionMoved { expected: 2, found: 0, .. })), "{missing:?}");
    let entry = CatalogEntry { key: "web".to_owned(), document: "c".to_owned(), revision: 3, written_at: Timestamp(4) };
    assert_eq!(must(store.get("service", "web").await), Some(entry));
    assert_eq!(must(store.get("path", "web").await), None, "a key belongs to its kind");
    assert!(must(store.remove("service", "web").await));
    assert!(!must(store.remove("service", "web").await));
    assert_eq!(must(store.get("service", "web").await), None);
}

pub(super) async fn documents_of_a_kind_are_listed_by_key(store: &dyn Store) {
    // What other languages take for wildcards is only a letter here.
    for key in ["web%", "web", "wéb", "w_b", "api"] {
        must(store.put("service", key, key, None, AT).await);
    }
    must(store.put("path", "web", "d", None, AT).await);
    let list = async |prefix| must(store.list("service", prefix).await).into_iter().map(|e| e.key).collect::<Vec<_>>();
    assert_eq!(list("").await, ["api", "w_b", "web", "web%", "wéb"]);
    assert_eq!(list("web").await, ["web", "web%"]);
    assert_eq!(list("web%").await, ["web%"]);
    assert_eq!(list("w_").await, ["w_b"]);
    assert_eq!(list("wé").await, ["wéb"]);
    assert!(list("WEB").await.is_empty(), "case counts");
}
