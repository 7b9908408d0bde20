//! What is wrong with the file is said, and nothing is written to it.

use std::fs;
use std::path::Path;

use journal::{Catalog, Store, StoreError};
use journal_sql::{Options, SqliteStore};
use model::{Millis, Timestamp};

use crate::support::{Place, lease, step};

fn refused(path: &Path) -> StoreError {
    refused_with(path, &Options::default())
}

fn refused_with(path: &Path, options: &Options) -> StoreError {
    match SqliteStore::open(path, options) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let place = Place::new();
    let store = place.open();
    let held = lease(&store).await;
    store.append(step(&held, 1, 1)).await.unwrap();
    store.put("service", "web", "text", None, Timestamp(1)).await.unwrap();
    let before = store.unfinished().await.unwrap();
    drop(store);
    let beside = place.path.with_extension("db-wal");
    assert!(!beside.exists(), "the log is written back when the store is closed");
    let store = place.open();
    assert_eq!(store.get("service", "web").await.unwrap().unwrap().document, "text");
    assert_eq!(store.unfinished().await.unwrap(), before);
    let renewed = store.renew(std::slice::from_ref(&held), Millis::seconds(5)).await.unwrap();
    assert_eq!(renewed.first().map(|lease| lease.epoch), Some(held.epoch), "the lease is as it was");
    store.append(step(&held, 1, 2)).await.unwrap();
}

#[test]
fn a_second_server_on_one_file_is_refused_and_told_who_has_it() {
    let place = Place::new();
    let first = place.open();
    let error = refused(&place.path);
    assert!(matches!(error, StoreError::InUse(_)), "{error:?}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    drop(place.open());
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let place = Place::new();
    fs::write(&place.path, vec![b'x'; 8192]).unwrap();
    let error = refused(&place.path);
    let StoreError::Damaged(message) = &error else { panic!("{error:?}") };
    assert!(message.contains(place.path.to_str().unwrap()) && message.contains("backup"), "{message}");
    assert_eq!(fs::read(&place.path).unwrap(), vec![b'x'; 8192], "a file that is not ours stays as it is");
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let place = Place::new();
    place.meddle("CREATE TABLE theirs (id INTEGER)");
    let before = fs::read(&place.path).unwrap();
    let error = refused(&place.path);
    assert!(error.to_string().contains("another program"), "{error}");
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

async fn overwritten(place: &Place) {
    let store = place.open();
    for number in 0..200 {
        store.put("service", &format!("s{number}"), &"text".repeat(100), None, Timestamp(1)).await.unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&place.path).unwrap();
    assert!(bytes.len() > 100 * 1024, "the log was written back at the end: {} bytes", bytes.len());
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xff);
    fs::write(&place.path, bytes).unwrap();
}

#[tokio::test]
async fn pages_that_were_overwritten_are_found_at_the_start() {
    let place = Place::new();
    overwritten(&place).await;
    let error = refused(&place.path);
    let StoreError::Damaged(message) = &error else { panic!("{error:?}") };
    assert!(message.contains(place.path.to_str().unwrap()) && message.contains("backup"), "{message}");
}

#[tokio::test]
async fn the_small_tables_of_a_large_file_are_checked_all_the_same() {
    let place = Place::new();
    overwritten(&place).await;
    let error = refused_with(&place.path, &Options { checked_bytes_max: 0, ..Options::default() });
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
}

#[test]
fn a_file_of_a_newer_version_is_refused_with_both_versions() {
    let place = Place::new();
    drop(place.open());
    place.meddle("PRAGMA user_version = 99");
    assert!(matches!(refused(&place.path), StoreError::NewerVersion { found: 99, known: 2 }));
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let place = Place::new();
    let path = place.path.with_file_name("missing").join("journal.db");
    let error = refused(&path);
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
    assert!(error.to_string().contains("missing"), "{error}");
}

/// Opens as a user without a right to anything here. Root may write everywhere, so the thread stops being root for files.
fn refused_as_nobody(path: &Path) -> StoreError {
    let path = path.to_owned();
    let open = move || {
        let nobody = nix::unistd::Uid::from_raw(65_534);
        nix::unistd::setfsuid(nobody);
        refused(&path)
    };
    std::thread::spawn(open).join().unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_may_only_be_read_is_said() {
    let place = Place::new();
    let folder = place.path.parent().unwrap();
    set_mode(folder, 0o555);
    let error = refused_as_nobody(&place.path);
    set_mode(folder, 0o755);
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
    assert!(error.to_string().contains(folder.to_str().unwrap()), "{error}");
}

#[test]
fn a_file_that_may_only_be_read_is_said() {
    let place = Place::new();
    drop(place.open());
    let beside = place.path.with_extension("db.lock");
    set_mode(place.path.parent().unwrap(), 0o777);
    set_mode(&beside, 0o666);
    set_mode(&place.path, 0o444);
    let error = refused_as_nobody(&place.path);
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error:?}");
    assert!(error.to_string().contains("journal.db"), "{error}");
}
