//! What is usual of the metrics of services. The text is that of the room that measures; here it has its place among the others.

use journal::{CatalogEntry, Store, StoreError};
use model::Timestamp;

use super::USUAL;

/// Writes what is usual down, in the place of what was; durable on return.
pub async fn keep_usual(store: &dyn Store, key: &str, record: &str, at: Timestamp) -> Result<(), StoreError> {
    store.put(USUAL, key, record, None, at).await.map(drop)
}

/// Returns what is usual of all metrics.
pub async fn usual_of_all(store: &dyn Store) -> Result<Vec<CatalogEntry>, StoreError> {
    store.list(USUAL, "").await
}

/// Removes what is usual of a metric.
pub async fn forget_usual(store: &dyn Store, key: &str) -> Result<(), StoreError> {
    store.remove(USUAL, key).await.map(drop)
}
