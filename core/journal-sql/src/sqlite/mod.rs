//! SQLite: one writer thread that groups commits, read-only connections beside it.

mod adapter;
mod copy;
mod faults;
mod open;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use journal::{
    Announcer, Append, AppendError, Catalog, CatalogEntry, Change, Changes, Compacted, DeploymentFilter, DeploymentRow,
    FirstReply, Lease, Leases, Loaded, Owner, Position, Receipt, RequestId, Retention, ScopeRow, Shard, Store, StoreError,
    StreamedEvent,
};
use model::{DeploymentId, Millis, Scope, Timestamp};
use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::body;
use crate::body::append::Prepared;
use adapter::{Sqlite, now};
pub use copy::{back_up, restore};
use open::FileLock;
use writer::Writer;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The clock that leases run by.
    pub now: fn() -> Timestamp,
    /// The most pages that the file may grow to; `None` for SQLite's own limit. Tests fill a small disk with it.
    pub pages_max: Option<u64>,
    /// Files up to this size, in bytes, are checked whole at the start; of larger ones only the small tables are. A check reads
    /// every page, some hundred megabytes per second.
    pub checked_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { now: crate::clock::now, pages_max: None, checked_bytes_max: CHECKED_BYTES_MAX }
    }
}

/// The default of [`Options::checked_bytes_max`]: about half a second's worth.
const CHECKED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Read-only connections: more readers than cores only wait for each other.
const READERS_MAX: usize = 4;

/// A journal in one SQLite file, exclusively ours while it is open.
pub struct SqliteStore {
    path: PathBuf,
    now: fn() -> Timestamp,
    // Closed in this order: the writer's connection, as the last, writes the log back; only then may another server come.
    readers: Arc<Mutex<Vec<Connection>>>,
    reading: Arc<Semaphore>,
    /// Missing in a store that was opened to read.
    writer: Option<Writer>,
    announcer: Announcer,
    _lock: Option<FileLock>,
}

impl SqliteStore {
    /// Opens the file, or creates it. Blocks; refuses a file that is damaged, newer than this program, or open elsewhere.
    pub fn open(path: &Path, options: &Options) -> Result<Self, StoreError> {
        let lock = FileLock::take(path)?;
        let connection = open::writer(path, options)?;
        Ok(Self {
            path: path.to_owned(),
            now: options.now,
            readers: Arc::default(),
            reading: Arc::new(Semaphore::new(READERS_MAX)),
            writer: Some(
                Writer::start(connection)
                    .map_err(|error| StoreError::Failed(format!("the writer cannot be started: {error}")))?,
            ),
            announcer: Announcer::default(),
            _lock: Some(lock),
        })
    }

    /// Opens a file to read it, whether or not a server is writing it. Blocks; refuses a file that is newer than this program.
    pub fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let connection = open::reader(path)?;
        open::check_known(&connection).and_then(|()| open::check_newest(&connection)).map_err(|error| open::name(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            now: crate::clock::now,
            readers: Arc::new(Mutex::new(vec![connection])),
            reading: Arc::new(Semaphore::new(READERS_MAX)),
            writer: None,
            announcer: Announcer::default(),
            _lock: None,
        })
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.writer.as_ref().ok_or_else(|| StoreError::ReadOnly(format!("{} was opened to read", self.path.display())))
    }

    async fn read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Sqlite<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (path, readers) = (self.path.clone(), Arc::clone(&self.readers));
        let turn = Arc::clone(&self.reading).acquire_owned().await;
        let read = move || {
            let _turn = turn;
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => open::reader(&path)?,
            };
            let result = work(&Sqlite::new(&connection));
            let mut idle = readers.lock().unwrap_or_else(PoisonError::into_inner);
            // A connection that failed may be broken; the next reader opens a new one.
            if result.is_ok() {
                idle.push(connection);
            }
            result
        };
        tokio::task::spawn_blocking(read).await.map_err(|error| StoreError::Failed(format!("a reader ended: {error}")))?
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn acquire(&self, shards: &[Shard], owner: &Owner, ttl: Millis) -> Result<Vec<Lease>, StoreError> {
        let (shards, owner, at) = (shards.to_vec(), owner.clone(), (self.now)());
        self.writer()?.write(move |db| now(body::lease::acquire(db, &shards, &owner, ttl, at))).await
    }

    async fn renew(&self, leases: &[Lease], ttl: Millis) -> Result<Vec<Lease>, StoreError> {
        let (leases, at) = (leases.to_vec(), (self.now)());
        self.writer()?.write(move |db| now(body::lease::renew(db, &leases, ttl, at))).await
    }

    async fn release(&self, leases: &[Lease]) -> Result<(), StoreError> {
        let (leases, at) = (leases.to_vec(), (self.now)());
        self.writer()?.write(move |db| now(body::lease::release(db, &leases, at))).await
    }

    async fn leases(&self) -> Result<Leases, StoreError> {
        let at = (self.now)();
        self.read(move |db| now(body::lease::held(db, at))).await
    }

    async fn append(&self, append: Append) -> Result<Receipt, AppendError> {
        let (shard, deployment) = (append.lease.shard, append.row.id.clone());
        let (prepared, at) = (Prepared::new(append), (self.now)());
        let receipt = self.writer()?.write(move |db| now(body::append::append(db, &prepared, at))).await?;
        self.announcer.announce(Change::Appended { shard, deployment });
        Ok(receipt)
    }

    async fn load(&self, deployment: &DeploymentId) -> Result<Option<Loaded>, StoreError> {
        let id = deployment.clone();
        self.read(move |db| now(body::read::load(db, &id))).await
    }

    async fn deployments(&self, filter: &DeploymentFilter) -> Result<Vec<DeploymentRow>, StoreError> {
        let filter = filter.clone();
        self.read(move |db| now(body::read::deployments(db, &filter))).await
    }

    async fn unfinished(&self) -> Result<Vec<DeploymentRow>, StoreError> {
        self.read(|db| now(body::read::unfinished(db))).await
    }

    async fn scope(&self, scope: &Scope) -> Result<ScopeRow, StoreError> {
        let scope = scope.clone();
        self.read(move |db| now(body::read::scope(db, &scope))).await
    }

    async fn read_after(
        &self,
        position: Position,
        deployment: Option<&DeploymentId>,
        limit: u32,
    ) -> Result<Vec<StreamedEvent>, StoreError> {
        let id = deployment.cloned();
        self.read(move |db| now(body::read::read_after(db, position, id.as_ref(), limit))).await
    }

    async fn first_reply(&self, actor: &str, request: &RequestId) -> Result<Option<FirstReply>, StoreError> {
        let (actor, request) = (actor.to_owned(), request.clone());
        self.read(move |db| now(body::append::first_reply(db, &actor, &request))).await
    }

    async fn compact(&self, retention: Retention) -> Result<Compacted, StoreError> {
        let at = (self.now)();
        self.writer()?.write(move |db| now(body::archive::compact(db, retention, at))).await
    }

    fn changes(&self) -> Changes {
        self.announcer.changes()
    }
}

#[async_trait]
impl Catalog for SqliteStore {
    async fn put(&self, kind: &str, key: &str, document: &str, expected: Option<u64>, at: Timestamp) -> Result<u64, StoreError> {
        let change = Change::Put { kind: kind.to_owned(), key: key.to_owned() };
        let (kind, key, document) = (kind.to_owned(), key.to_owned(), document.to_owned());
        let put = self.writer()?.write(move |db| now(body::catalog::put(db, &kind, &key, &document, expected, at)));
        let revision = put.await?;
        self.announcer.announce(change);
        Ok(revision)
    }

    async fn get(&self, kind: &str, key: &str) -> Result<Option<CatalogEntry>, StoreError> {
        let (kind, key) = (kind.to_owned(), key.to_owned());
        self.read(move |db| now(body::catalog::get(db, &kind, &key))).await
    }

    async fn list(&self, kind: &str, prefix: &str) -> Result<Vec<CatalogEntry>, StoreError> {
        let (kind, prefix) = (kind.to_owned(), prefix.to_owned());
        self.read(move |db| now(body::catalog::list(db, &kind, &prefix))).await
    }

    async fn remove(&self, kind: &str, key: &str) -> Result<bool, StoreError> {
        let (kind, key) = (kind.to_owned(), key.to_owned());
        self.writer()?.write(move |db| now(body::catalog::remove(db, &kind, &key))).await
    }
}
