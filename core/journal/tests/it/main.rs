//! The memory store passes the suite, and records keep their form.

use std::sync::Arc;

use journal::{MemoryStore, Store};
use model::Timestamp;

#[tokio::test]
async fn the_memory_store_keeps_every_promise() {
    journal::conformance::run_all(|| async { Arc::new(MemoryStore::new(|| Timestamp(1_000))) as Arc<dyn Store> }).await;
}
