//! PostgreSQL passes the suite, refuses servers that could lose what was committed, and keeps its promises through kills and cuts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use journal::conformance::samples;
use journal::{AppendError, Change, Lease, Owner, Shard, Store, StoreError};
use journal_sql::{PostgresOptions, PostgresStore};
use model::{Committed, Millis, Timestamp};
use test_postgres::{PASSWORD, Server, USER};

use crate::support::{lease, step};

/// The clock that the suite's leases run by; the suite moves it.
static CLOCK: AtomicI64 = AtomicI64::new(1_000);

/// How often something that comes back is tried again: with the pauses between, half a minute.
const TRIES_MAX: u32 = 300;

/// The pause between two tries.
const AGAIN: Duration = Duration::from_millis(100);

async fn open(url: &str) -> Result<PostgresStore, StoreError> {
    PostgresStore::open(&PostgresOptions { url: url.to_owned(), tls: None, now: None }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_keeps_every_promise() {
    let server = Server::start();
    let empty = || {
        let url = server.database();
        async move {
            let now: Option<fn() -> Timestamp> = Some(|| Timestamp(CLOCK.load(Ordering::SeqCst)));
            Arc::new(PostgresStore::open(&PostgresOptions { url, tls: None, now }).await.unwrap()) as Arc<dyn Store>
        }
    };
    let advance = |time: Millis| {
        CLOCK.fetch_add(i64::try_from(time.0).unwrap(), Ordering::SeqCst);
    };
    journal::conformance::run_all(empty, advance).await;
}

#[tokio::test]
async fn a_server_that_may_lose_what_was_committed_is_refused() {
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let server = Server::start_with(&[&format!("{setting}=off")]);
        let refused = open(&server.database()).await.err();
        let Some(StoreError::Unfit(message)) = &refused else { panic!("{setting}: {refused:?}") };
        assert!(message.contains(&format!("setting {setting} is off, expected on")), "{message}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_database_is_said_and_never_its_password() {
    let server = Server::start();
    let good = server.database();
    let unknown = server.url("nowhere");
    let wrong_password = good.replace(PASSWORD, "guessed");
    let nobody = good.replace(USER, "nobody");
    let no_server = "postgres://towpath:not-a-secret@127.0.0.1:1/towpath";
    server.sql("postgres", "CREATE ROLE guest LOGIN PASSWORD 'not-a-secret'");
    let no_rights = good.replace(USER, "guest");
    for (url, expected) in [
        ("postgres://towpath:not-a-secret@localhost:port/x", "its URL cannot be read"),
        (unknown.as_str(), "database \"nowhere\" does not exist"),
        (wrong_password.as_str(), "password authentication failed for user \"towpath\""),
        (nobody.as_str(), "password authentication failed for user \"nobody\""),
        (no_server, "error connecting to server"),
        (no_rights.as_str(), "permission denied for database"),
    ] {
        let said = open(url).await.err().unwrap_or_else(|| panic!("{expected}: it was opened")).to_string();
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains(PASSWORD) && !said.contains("guessed"), "{said}");
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_an_older_one_by_those_who_only_look() {
    let server = Server::start();
    let url = server.database();
    let look = async || {
        let options = PostgresOptions { url: url.clone(), tls: None, now: None };
        PostgresStore::open_to_read(&options).await.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert!(look().await.contains("there is no journal in it"), "who looks makes none");
    drop(open(&url).await.unwrap());
    assert_eq!(look().await, "");
    server.sql("test_0", "UPDATE towpath.schema_version SET version = 1");
    assert!(look().await.contains("schema version 1, this program reads 2"), "who looks changes none");
    server.sql("test_0", "UPDATE towpath.schema_version SET version = 99");
    let refused = open(&url).await.err();
    assert!(matches!(refused, Some(StoreError::NewerVersion { found: 99, .. })), "{refused:?}");
}

#[tokio::test]
async fn servers_that_start_at_once_make_one_schema() {
    let server = Server::start();
    let url = server.database();
    let opened = futures_util::future::join_all((0..8).map(|_| open(&url))).await;
    for store in opened {
        lease(&store.unwrap()).await;
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_a_record() {
    let server = Server::start();
    let store = open(&server.database()).await.unwrap();
    store.append(step(&lease(&store).await, 1, 1)).await.unwrap();
    for sql in ["UPDATE towpath.journal SET at = 0", "DELETE FROM towpath.journal", "TRUNCATE towpath.journal"] {
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| server.sql("test_0", sql)));
        let said = refused.unwrap_err().downcast::<String>().unwrap();
        assert!(said.contains("append-only"), "{said}");
    }
}

/// Appends on and on; returns the last version that was acknowledged, and stops at an error.
async fn append_until_it_fails(store: &PostgresStore, lease: &Lease, mut head: u64) -> (u64, AppendError) {
    loop {
        match store.append(step(lease, 1, head + 1)).await {
            Ok(_) => head += 1,
            Err(error) => return (head, error),
        }
    }
}

async fn poll_until_readable(store: &PostgresStore) -> u64 {
    for _ in 0..TRIES_MAX {
        if let Ok(loaded) = store.load(&samples::deployment(1)).await {
            return loaded.map_or(0, |loaded| loaded.receipt.head());
        }
        tokio::time::sleep(AGAIN).await;
    }
    panic!("the store did not come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_loses_its_power_keeps_what_was_acknowledged() {
    let mut server = Server::start();
    let store = Arc::new(open(&server.database()).await.unwrap());
    let lease = lease(&*store).await;
    let mut head = 0;
    for _ in 0..3 {
        let writing = tokio::spawn({
            let (store, lease) = (Arc::clone(&store), lease.clone());
            async move { append_until_it_fails(&store, &lease, head).await }
        });
        tokio::time::sleep(Duration::from_millis(200)).await; // tidy: the moment of the kill
        tokio::task::block_in_place(|| server.kill());
        let (acknowledged, error) = writing.await.unwrap();
        let lost = matches!(&error, AppendError::Store(StoreError::OutcomeUnknown(_) | StoreError::Unreachable(_)));
        assert!(lost && acknowledged > head, "{acknowledged} after {head}: {error:?}");
        tokio::task::block_in_place(|| server.start_again());
        head = poll_until_readable(&store).await;
        assert!(head == acknowledged || head == acknowledged + 1, "{acknowledged} was acknowledged, found {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_made_again() {
    let server = Server::start();
    let store = Arc::new(open(&server.database()).await.unwrap());
    let lease = lease(&*store).await;
    let (mut head, mut errors) = (0, 0);
    let writing = tokio::spawn({
        let (store, lease) = (Arc::clone(&store), lease.clone());
        async move {
            while errors < 5 {
                let (acknowledged, error) = append_until_it_fails(&store, &lease, head).await;
                assert!(matches!(error, AppendError::Store(_)), "{error:?}");
                head = poll_until_readable(&store).await;
                assert!(head == acknowledged || head == acknowledged + 1, "{acknowledged} was acknowledged, found {head}");
                errors += 1;
            }
        }
    });
    while !writing.is_finished() {
        tokio::task::block_in_place(|| server.cut_connections());
        tokio::time::sleep(AGAIN).await; // tidy: between two cuts
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn replicas_hear_of_each_other_and_one_at_a_time_may_write() {
    let server = Server::start();
    let url = server.database();
    let (one, two) = (open(&url).await.unwrap(), open(&url).await.unwrap());
    let mut changes = two.changes();
    // The listening session says so itself when it is there.
    assert_eq!(changes.next().await, Some(Change::LookAgain));
    let (first, second) = (Owner("one".to_owned()), Owner("two".to_owned()));
    let lease = one.acquire(&[Shard(0)], &first, Millis::hours(1)).await.unwrap().pop().unwrap();
    assert_eq!(two.acquire(&[Shard(0)], &second, Millis::hours(1)).await.unwrap(), []);
    one.append(step(&lease, 1, 1)).await.unwrap();
    let told = Change::Appended { shard: Shard(0), deployment: samples::deployment(1) };
    assert_eq!(changes.next().await, Some(told));
    one.release(std::slice::from_ref(&lease)).await.unwrap();
    let newer = two.acquire(&[Shard(0)], &second, Millis::hours(1)).await.unwrap().pop().unwrap();
    assert!(newer.epoch > lease.epoch);
    let refused = one.append(step(&lease, 1, 2)).await.unwrap_err();
    assert!(matches!(refused, AppendError::LeaseLost { .. }), "{refused:?}");
    two.append(step(&newer, 1, 2)).await.unwrap();
}

#[tokio::test]
async fn a_copy_made_by_the_databases_own_tools_goes_on() {
    let server = Server::start();
    let url = server.database();
    let store = open(&url).await.unwrap();
    let held = lease(&store).await;
    for head in 1..=3 {
        store.append(step(&held, 1, head)).await.unwrap();
    }
    // While it is open: nothing has to be stopped for a copy.
    let copied = open(&server.copy("test_0", "towpath")).await.unwrap();
    store.append(step(&held, 1, 4)).await.unwrap();
    let loaded = copied.load(&samples::deployment(1)).await.unwrap().unwrap();
    assert_eq!(loaded.events.len(), 3);
    server.sql("test_1", "UPDATE towpath.leases SET expires_at = 0");
    copied.append(step(&lease(&copied).await, 1, 4)).await.unwrap();
    let refused = "DELETE FROM towpath.journal";
    assert!(std::panic::catch_unwind(|| server.sql("test_1", refused)).is_err(), "the guards are copied with the records");
}
