//! Opening: what must be true of the file and its settings before a byte is written.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use journal::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::{Options, faults};
use crate::body::schema;
use crate::dialect::SQLITE;

/// Marks our files ("TOWP"), so that no other program's database is mistaken for one.
const APPLICATION_ID: i64 = 0x544f_5750;

/// How long a statement waits for a lock. We are the only writer; only a check-point or a copying tool can hold one.
const BUSY: Duration = Duration::from_secs(5);

/// Statements kept compiled per connection: more than the body has.
const STATEMENTS_KEPT: usize = 64;

/// The tables that are checked at the start whatever the size of the file. They stay small, and without them nothing starts; the
/// journal's records are guarded by their chain, which is checked wherever they are read.
const SMALL_TABLES: [&str; 4] = ["leases", "scopes", "deployments", "catalog"];

/// `synchronous = FULL` as SQLite reports it.
const FULL: i64 = 2;

/// The lock that keeps a second server off the file. The system drops it with the process, however that ends.
pub(super) struct FileLock(File);

impl FileLock {
    /// Takes the lock beside the file, or says who has it.
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let beside = lock_path(path);
        let unwritable = |error: std::io::Error| StoreError::ReadOnly(format!("{}: {error}", beside.display()));
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&beside).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(unwritable)?;
                file.write_all(std::process::id().to_string().as_bytes()).map_err(unwritable)?;
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only for the message; without it the message says less.
                let _ = file.read_to_string(&mut holder);
                let process = if holder.is_empty() { "another process".to_owned() } else { format!("process {holder}") };
                Err(StoreError::InUse(format!("{} is held by {process}", path.display())))
            }
            Err(TryLockError::Error(error)) => Err(unwritable(error)),
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Said, not left to the closing: a program that is just being started still holds all our files for a moment.
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock on the store was not given back");
        }
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Opens the one connection that writes, with the schema in place.
pub(super) fn writer(path: &Path, options: &Options) -> Result<Connection, StoreError> {
    let named = |error: StoreError| name(path, error);
    let mut db = Connection::open(path).map_err(faults::sort).map_err(named)?;
    prepare(&db).map_err(named)?;
    check_ours(&db).map_err(named)?;
    check_content(&db, options.checked_bytes_max).map_err(named)?;
    configure(&db, options).map_err(named)?;
    migrate(&mut db).map_err(named)?;
    Ok(db)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(faults::sort).map_err(|error| name(path, error))?;
    prepare(&db).map_err(|error| name(path, error))?;
    Ok(db)
}

fn prepare(db: &Connection) -> Result<(), StoreError> {
    db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Else a statement is planned anew whenever other values are bound to it, which takes as long as the rest of an append.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(faults::sort)?;
    db.busy_timeout(BUSY).map_err(faults::sort)
}

pub(super) fn name(path: &Path, error: StoreError) -> StoreError {
    let file = path.display();
    match error {
        StoreError::Damaged(message) => StoreError::Damaged(format!(
            "{file}: {message}; stop the server and put a backup in its place, together with no -wal and -shm files beside it"
        )),
        StoreError::ReadOnly(message) => StoreError::ReadOnly(format!("{file}: {message}")),
        StoreError::Full(message) => StoreError::Full(format!("{file}: {message}")),
        StoreError::InUse(message) => StoreError::InUse(format!("{file}: {message}")),
        StoreError::Failed(message) => StoreError::Failed(format!("{file}: {message}")),
        other => other,
    }
}

fn check_ours(db: &Connection) -> Result<(), StoreError> {
    check_known(db)?;
    // Where it may not be written SQLite opens it for reading and says nothing.
    match db.is_readonly(MAIN_DB).map_err(faults::sort)? {
        true => Err(StoreError::ReadOnly("the file may only be read".to_owned())),
        false => Ok(()),
    }
}

/// Refuses another program's database, and one that is newer than this program.
pub(super) fn check_known(db: &Connection) -> Result<(), StoreError> {
    let (id, version) = (pragma(db, "application_id")?, pragma(db, "user_version")?);
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(faults::sort)?;
    if tables > 0 && id != APPLICATION_ID {
        return Err(StoreError::Failed(format!(
            "it is a database of another program: its application id is {id:#x}, expected {APPLICATION_ID:#x}"
        )));
    }
    if usize::try_from(version).unwrap_or(usize::MAX) > schema::VERSION {
        let [found, known] = [version, schema::VERSION as i64].map(|version| u32::try_from(version).unwrap_or(u32::MAX));
        return Err(StoreError::NewerVersion { found, known });
    }
    Ok(())
}

/// Refuses a file that a server has to bring up before it can be read.
pub(super) fn check_newest(db: &Connection) -> Result<(), StoreError> {
    let (version, newest) = (pragma(db, "user_version")?, schema::VERSION);
    match usize::try_from(version) {
        Ok(version) if version < newest => Err(StoreError::Failed(format!(
            "it has schema version {version}, this program reads {newest}: start a server on it, which brings it up"
        ))),
        Ok(_) | Err(_) => Ok(()),
    }
}

pub(super) fn check_content(db: &Connection, bytes_max: u64) -> Result<(), StoreError> {
    let bytes = pragma(db, "page_count")?.saturating_mul(pragma(db, "page_size")?);
    if u64::try_from(bytes).unwrap_or(u64::MAX) <= bytes_max {
        return check(db, "PRAGMA quick_check(1)");
    }
    tracing::info!(bytes, bytes_max, "the file is too large to be checked whole at the start");
    SMALL_TABLES.iter().try_for_each(|table| check(db, &format!("PRAGMA quick_check('{table}')")))
}

fn check(db: &Connection, sql: &str) -> Result<(), StoreError> {
    let verdict: String = db.query_row(sql, [], |row| row.get(0)).map_err(faults::sort)?;
    match verdict.as_str() {
        "ok" => Ok(()),
        found => Err(StoreError::Damaged(found.to_owned())),
    }
}

/// Sets what durability rests on, and reads it back: SQLite takes an unknown word for a setting without a complaint.
fn configure(db: &Connection, options: &Options) -> Result<(), StoreError> {
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(faults::sort)?;
    if mode != "wal" {
        return Err(StoreError::Failed(format!("the write-ahead log could not be turned on, found journal mode {mode:?}")));
    }
    let settings =
        [("synchronous", "FULL"), ("fullfsync", "1"), ("checkpoint_fullfsync", "1"), ("foreign_keys", "1"), ("mmap_size", "0")];
    for (setting, value) in settings {
        db.pragma_update(None, setting, value).map_err(faults::sort)?;
    }
    // Check-points are made by the writer when it is idle; inside a commit they would make it slow.
    db.pragma_update(None, "wal_autocheckpoint", 0).map_err(faults::sort)?;
    if let Some(pages) = options.pages_max {
        db.pragma_update(None, "max_page_count", i64::try_from(pages).unwrap_or(i64::MAX)).map_err(faults::sort)?;
    }
    match pragma(db, "synchronous")? {
        FULL => Ok(()),
        found => Err(StoreError::Failed(format!("commits are not flushed: synchronous is {found}, expected {FULL}"))),
    }
}

fn pragma(db: &Connection, name: &str) -> Result<i64, StoreError> {
    db.pragma_query_value(None, name, |row| row.get(0)).map_err(faults::sort)
}

fn migrate(db: &mut Connection) -> Result<(), StoreError> {
    let version = usize::try_from(pragma(db, "user_version")?).unwrap_or(0);
    if version == schema::VERSION {
        return Ok(());
    }
    let transaction = db.transaction().map_err(faults::sort)?;
    for statement in schema::statements(&SQLITE, version) {
        transaction.execute_batch(&statement).map_err(faults::sort)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(faults::sort)?;
    transaction.pragma_update(None, "user_version", schema::VERSION as i64).map_err(faults::sort)?;
    transaction.commit().map_err(faults::sort)
}
