//! What is wrong with the file is said, and nothing is written to it.

use std::fs;

use journal::{Catalog, StoreError};
use journal_sql::{Options, SqliteStore};
use model::Timestamp;

fn refused(path: &std::path::Path) -> StoreError {
    match SqliteStore::open(path, &Options::default()) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let store = SqliteStore::open(&path, &Options::default()).unwrap();
    store.put("service", "web", "text", None, Timestamp(1)).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&path, &Options::default()).unwrap();
    assert_eq!(store.get("service", "web").await.unwrap().unwrap().document, "text");
}

#[test]
fn a_second_server_on_one_file_is_refused_and_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let _first = SqliteStore::open(&path, &Options::default()).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::InUse(_)), "{error:?}");
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    fs::write(&path, vec![b'x'; 8192]).unwrap();
    let error = refused(&path);
    assert!(matches!(&error, StoreError::Damaged(message) if message.contains("backup")), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), vec![b'x'; 8192], "a file that is not ours stays as it is");
}

#[tokio::test]
async fn a_page_that_was_overwritten_is_found_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let store = SqliteStore::open(&path, &Options::default()).unwrap();
    for number in 0..200 {
        store.put("service", &format!("s{number}"), &"text".repeat(100), None, Timestamp(1)).await.unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 40 * 1024, "the log was written back at the end: {} bytes", bytes.len());
    bytes[16 * 1024..40 * 1024].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
}

#[test]
fn a_file_of_a_newer_version_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(SqliteStore::open(&path, &Options::default()).unwrap());
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    assert!(matches!(refused(&path), StoreError::NewerVersion { found: 99, known: 1 }));
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let options = Options { pages_max: Some(40), ..Options::default() };
    let store = SqliteStore::open(&path, &options).unwrap();
    let mut written = 0;
    let error = loop {
        match store.put("service", &format!("s{written}"), &"text".repeat(1_000), None, Timestamp(1)).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1_000, "40 pages hold no 1000 documents");
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert_eq!(store.list("service", "").await.unwrap().len(), written);
    assert!(store.remove("service", "s0").await.unwrap(), "what frees space is still taken");
    store.put("service", "again", "small", None, Timestamp(1)).await.unwrap();
}

#[test]
fn the_journal_can_neither_be_changed_nor_shortened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    drop(SqliteStore::open(&path, &Options::default()).unwrap());
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "PRAGMA foreign_keys = 0; INSERT INTO journal (deployment, seq, epoch, at, version, payload, hash) VALUES ('d', 1, 1, 1, 1, x'00', x'00')",
    )
    .unwrap();
    for statement in ["UPDATE journal SET at = 2", "DELETE FROM journal"] {
        let error = db.execute_batch(statement).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
}
