//! A record that was changed behind the store's back is found when it is read.

use journal::conformance::samples;
use journal::{Store, StoreError};
use journal_sql::SqliteStore;

use crate::support::{Place, lease, step};

const TRIGGERS_OFF: &str = "DROP TRIGGER journal_not_changed; DROP TRIGGER journal_not_removed;";

async fn three_records(place: &Place) {
    let store = place.open();
    let lease = lease(&store).await;
    for head in 1..=3 {
        store.append(step(&lease, 1, head)).await.unwrap();
    }
}

async fn load(store: &SqliteStore) -> Result<usize, StoreError> {
    store.load(&samples::deployment(1)).await.map(|loaded| loaded.unwrap().events.len())
}

async fn check(sql: &str, expected: &str) {
    let place = Place::new();
    three_records(&place).await;
    place.meddle(&format!("{TRIGGERS_OFF} {sql}"));
    let found = load(&place.open()).await;
    let Err(StoreError::BrokenChain { deployment, message }) = &found else { panic!("{sql}: {found:?}") };
    assert!(deployment == "d-0001" && message.contains(expected), "{sql}: {message}");
}

#[tokio::test]
async fn a_chain_that_holds_is_read() {
    let place = Place::new();
    three_records(&place).await;
    assert_eq!(load(&place.open()).await.unwrap(), 3);
}

#[tokio::test]
async fn what_was_meddled_with_is_found() {
    check("UPDATE journal SET payload = x'00' WHERE seq = 2", "record 2 was changed").await;
    check("UPDATE journal SET at = 6 WHERE seq = 3", "record 3 was changed").await;
    check("UPDATE journal SET hash = zeroblob(32) WHERE seq = 1", "record 1 was changed").await;
    check("DELETE FROM journal WHERE seq = 2", "record 2 is missing, found 3").await;
    check("DELETE FROM journal WHERE seq = 3", "its last record is 2, expected 3").await;
    check("DELETE FROM journal", "its last record is 0, expected 3").await;
    check("UPDATE deployments SET hash = zeroblob(32)", "expected 3 with the hash in its row").await;
}

#[tokio::test]
async fn a_record_of_a_form_that_is_not_known_is_named() {
    let place = Place::new();
    three_records(&place).await;
    place.meddle(&format!("{TRIGGERS_OFF} UPDATE journal SET version = 9 WHERE seq = 2"));
    let store = place.open();
    let error = store.read_after(journal::Position(1), None, 1).await.unwrap_err();
    let message = "record 2 of deployment d-0001 cannot be read: it has form 9, this program knows up to 1";
    assert_eq!(error.to_string(), message);
}

#[test]
fn the_journal_can_neither_be_changed_nor_shortened() {
    let place = Place::new();
    drop(place.open());
    let db = rusqlite::Connection::open(&place.path).unwrap();
    db.execute_batch(
        "PRAGMA foreign_keys = 0;
         INSERT INTO journal (deployment, seq, epoch, at, version, payload, hash) VALUES ('d', 1, 1, 1, 1, x'00', zeroblob(32))",
    )
    .unwrap();
    for statement in ["UPDATE journal SET at = 2", "DELETE FROM journal"] {
        let error = db.execute_batch(statement).unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
}
