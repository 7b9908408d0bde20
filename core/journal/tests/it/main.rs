//! The memory store passes the suite, and records keep their form.

mod chain;
mod record;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use journal::{MemoryStore, Store};
use model::{Millis, Timestamp};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_keeps_every_promise() {
    let clock = Arc::new(AtomicI64::new(1_000));
    let empty = || async {
        let clock = Arc::clone(&clock);
        Arc::new(MemoryStore::new(move || Timestamp(clock.load(Ordering::SeqCst)))) as Arc<dyn Store>
    };
    let advance = |time: Millis| {
        clock.fetch_add(i64::try_from(time.0).unwrap(), Ordering::SeqCst);
    };
    journal::conformance::run_all(empty, advance).await;
}
