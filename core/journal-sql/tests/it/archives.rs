//! What is over for long is packed: it takes less room, its chain still holds, and meddling still shows.

use journal::conformance::samples;
use journal::{Append, DeploymentRow, Retention, Stamped, Status, Store, StoreError};
use journal_sql::SqliteStore;
use model::{Event, Millis, Outcome, Phase, Timestamp};

use crate::support::{Place, lease, step};

const OLD: Retention = Retention { ended: Millis(0), answered: Millis::hours(1), limit: 10 };

/// Events of each deployment.
const EVENTS: u64 = 200;

async fn ended(store: &dyn Store, deployment: u32) {
    let lease = lease(store).await;
    for head in 1..EVENTS {
        store.append(step(&lease, deployment, head)).await.unwrap();
    }
    let last = step(&lease, deployment, EVENTS);
    let event = Event::Ended { outcome: Outcome::Succeeded, at: Timestamp(7) };
    let row = DeploymentRow { status: Status::Ended, phase: Phase::Succeeded, ended_at: Some(Timestamp(7)), ..last.row };
    store.append(Append { row, events: vec![Stamped { event, at: Timestamp(7) }], ..last }).await.unwrap();
}

fn count(place: &Place, sql: &str) -> u64 {
    let counted: i64 = rusqlite::Connection::open(&place.path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap();
    counted.try_into().unwrap()
}

async fn load(store: &dyn Store, deployment: u32) -> Result<u64, StoreError> {
    store.load(&samples::deployment(deployment)).await.map(|loaded| loaded.unwrap().events.len() as u64)
}

#[tokio::test]
async fn what_is_over_is_packed_small_and_read_whole() {
    let place = Place::new();
    let store = place.open();
    ended(&store, 1).await;
    let plain = count(&place, "SELECT sum(length(payload) + length(hash)) FROM journal");
    assert_eq!(store.compact(OLD).await.unwrap().deployments, 1);
    assert_eq!(count(&place, "SELECT count(*) FROM journal"), 0);
    let packed = count(&place, "SELECT length(records) FROM archives");
    println!("{plain} bytes of {EVENTS} records are packed to {packed}");
    assert!(packed * 2 < plain, "{plain} bytes are packed to {packed}");
    assert_eq!(load(&store, 1).await.unwrap(), EVENTS);
    drop(store);
    assert_eq!(load(&place.open(), 1).await.unwrap(), EVENTS);
}

#[tokio::test]
async fn what_cannot_be_verified_is_never_packed() {
    let place = Place::new();
    let store = place.open();
    ended(&store, 1).await;
    ended(&store, 2).await;
    place.meddle("DROP TRIGGER journal_not_changed; UPDATE journal SET at = 6 WHERE deployment = 'd-0001' AND seq = 9");
    let compacted = store.compact(OLD).await.unwrap();
    assert_eq!(compacted.deployments, 1);
    assert!(matches!(&compacted.damaged[..], [said] if said.contains("record 9 was changed")), "{:?}", compacted.damaged);
    assert!(store.compact(OLD).await.unwrap().is_nothing(), "it was told once");
    assert_eq!(count(&place, "SELECT count(*) FROM journal WHERE deployment = 'd-0001'"), EVENTS);
    assert!(load(&store, 1).await.unwrap_err().is_of_one_deployment());
}

#[tokio::test]
async fn an_archive_that_was_meddled_with_is_found() {
    for (sql, expected) in [
        ("UPDATE archives SET records = (SELECT records FROM archives WHERE deployment = 'd-0002')", "record 1 was changed"),
        ("UPDATE archives SET records = substr(records, 1, length(records) - 9)", "its archive cannot be read"),
        ("UPDATE archives SET version = 9", "it has form 9"),
        ("DELETE FROM archives WHERE deployment = 'd-0001'", "its last record is 0, expected 200"),
    ] {
        let place = Place::new();
        let store = place.open();
        ended(&store, 1).await;
        ended(&store, 2).await;
        store.compact(OLD).await.unwrap();
        place.meddle(&format!("DROP TRIGGER archives_not_changed; DROP TRIGGER archives_not_removed; {sql}"));
        let said = load(&store, 1).await.unwrap_err().to_string();
        assert!(said.contains("d-0001") && said.contains(expected), "{sql}: {said}");
    }
}

#[tokio::test]
async fn the_database_itself_guards_records_and_archives() {
    let place = Place::new();
    let store = place.open();
    ended(&store, 1).await;
    ended(&store, 2).await;
    store.compact(Retention { limit: 1, ..OLD }).await.unwrap();
    let db = rusqlite::Connection::open(&place.path).unwrap();
    for sql in ["DELETE FROM journal", "DELETE FROM archives", "UPDATE archives SET head = 1"] {
        let said = db.execute_batch(sql).unwrap_err().to_string();
        assert!(said.contains("append-only"), "{sql}: {said}");
    }
}

#[tokio::test]
async fn a_journal_of_the_first_version_is_brought_up_and_packed() {
    let place = Place::new();
    ended(&place.open(), 1).await;
    // As the first version left it.
    place.meddle(
        "DROP TRIGGER journal_not_removed; DROP TABLE archives; DROP INDEX deployments_to_archive; DROP INDEX requests_by_age;
         ALTER TABLE deployments DROP COLUMN archived;
         CREATE TRIGGER journal_not_removed BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
         PRAGMA user_version = 1",
    );
    let refused = SqliteStore::open_to_read(&place.path).err().unwrap().to_string();
    assert!(refused.contains("schema version 1, this program reads 2"), "{refused}");
    let store = place.open();
    assert_eq!(load(&store, 1).await.unwrap(), EVENTS);
    assert_eq!(store.compact(OLD).await.unwrap().deployments, 1);
    assert_eq!(load(&store, 1).await.unwrap(), EVENTS);
}
