//! SQLite passes the suite, and keeps what it promised through kills, damage and want of space.

mod archives;
mod chain;
mod copy;
mod damage;
mod disk;
mod kill;
mod postgres;
mod space;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use journal::Store;
use journal_sql::{Options, SqliteStore};
use model::{Millis, Timestamp};

/// The clock that the suite's leases run by; the suite moves it.
static CLOCK: AtomicI64 = AtomicI64::new(1_000);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_keeps_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    let count = AtomicU32::new(0);
    let options = Options { now: || Timestamp(CLOCK.load(Ordering::SeqCst)), ..Options::default() };
    let empty = || {
        let path = folder.path().join(format!("{}.db", count.fetch_add(1, Ordering::Relaxed)));
        let options = options.clone();
        async move { Arc::new(SqliteStore::open(&path, &options).unwrap()) as Arc<dyn Store> }
    };
    let advance = |time: Millis| {
        CLOCK.fetch_add(i64::try_from(time.0).unwrap(), Ordering::SeqCst);
    };
    journal::conformance::run_all(empty, advance).await;
}
