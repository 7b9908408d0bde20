//! SQLite passes the suite, and keeps what it promised through kills and damage.

mod damage;
mod kill;

use std::sync::Arc;

use journal::Store;
use journal_sql::{Options, SqliteStore};

#[tokio::test]
async fn sqlite_keeps_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicU32::new(0);
    let empty = || {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = folder.path().join(format!("{number}.db"));
        async move { Arc::new(SqliteStore::open(&path, &Options::default()).unwrap()) as Arc<dyn Store> }
    };
    journal::conformance::run_all(empty).await;
}
