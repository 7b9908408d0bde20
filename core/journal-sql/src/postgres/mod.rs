//! PostgreSQL: one writer that groups commits, a few sessions that read, one that listens.

mod faults;
mod listener;
mod migrate;
mod session;
mod value;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;
use journal::{
    Announcer, Append, AppendError, Catalog, CatalogEntry, Change, Changes, Compacted, DeploymentFilter, DeploymentRow,
    FirstReply, Lease, Leases, Loaded, Owner, Position, Receipt, RequestId, Retention, ScopeRow, Shard, Store, StoreError,
    StreamedEvent,
};
use model::{DeploymentId, Millis, Scope, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::body;
use crate::body::append::Prepared;
use session::{Session, Target};
use writer::{About, Writer};

/// Sessions that read: the database's connections are few and shared with other replicas.
const READERS_MAX: usize = 4;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Where the database is: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters that PostgreSQL knows.
    pub url: String,
    /// What encrypted connections are made with; without it none is.
    pub tls: Option<tokio_rustls::rustls::ClientConfig>,
    /// The clock that leases run by; `None` for the database's, which all replicas share. Tests move one of their own.
    pub now: Option<fn() -> Timestamp>,
}

impl Options {
    /// Returns where the database is, for people: its name and server, nothing secret.
    pub fn place(&self) -> String {
        session::place(&self.url)
    }
}

/// A journal in a PostgreSQL database, shared by all replicas.
pub struct PostgresStore {
    target: Arc<Target>,
    writer: Writer,
    idle: Mutex<Vec<Session>>,
    reading: Semaphore,
    announcer: Announcer,
    listening: JoinHandle<()>,
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl PostgresStore {
    /// Opens the database and brings its schema to the newest version. Refuses a server on which what was committed may be lost,
    /// and a schema that is newer than this program.
    pub async fn open(options: &Options) -> Result<Self, StoreError> {
        let target = Arc::new(Target::new(options)?);
        let session = target.connect().await?;
        migrate::migrate(&session).await?;
        Self::over(target, session, options)
    }

    /// Opens the database for somebody who looks and leaves no trace: a schema that is older than this program is refused as well.
    pub async fn open_to_read(options: &Options) -> Result<Self, StoreError> {
        let target = Arc::new(Target::new(options)?);
        let session = target.connect().await?;
        migrate::check_newest(&session).await?;
        Self::over(target, session, options)
    }

    fn over(target: Arc<Target>, session: Session, options: &Options) -> Result<Self, StoreError> {
        let instance = Uuid::now_v7().simple().to_string();
        let writer = Writer::start(Arc::clone(&target), options.now, instance.clone())
            .map_err(|error| StoreError::Failed(format!("the writer cannot be started: {error}")))?;
        let announcer = Announcer::default();
        let listening = tokio::spawn(listener::listen(Arc::clone(&target), instance, announcer.clone()));
        let idle = Mutex::new(vec![session]);
        Ok(Self { target, writer, idle, reading: Semaphore::new(READERS_MAX), announcer, listening })
    }

    /// Waits for a session to read with, and makes one if none is idle.
    async fn reader(&self) -> Result<Reader<'_>, StoreError> {
        let turn = self.reading.acquire().await.map_err(|error| StoreError::Failed(error.to_string()))?;
        let idle = self.idle().pop().filter(|session| !session.is_closed());
        let session = match idle {
            Some(session) => session,
            None => self.target.connect().await?,
        };
        Ok(Reader { store: self, session: Some(session), _turn: turn })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session that reads, and goes back when it is dropped.
struct Reader<'a> {
    store: &'a PostgresStore,
    session: Option<Session>,
    _turn: SemaphorePermit<'a>,
}

impl Reader<'_> {
    fn db(&self) -> Result<&Session, StoreError> {
        self.session.as_ref().ok_or_else(|| StoreError::Failed("the session is gone".to_owned()))
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take().filter(|session| !session.is_closed()) {
            self.store.idle().push(session);
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn acquire(&self, shards: &[Shard], owner: &Owner, ttl: Millis) -> Result<Vec<Lease>, StoreError> {
        let wanted = Arc::new((shards.to_vec(), owner.clone()));
        self.writer
            .write(About::default(), move |db: &Session, now| {
                let wanted = Arc::clone(&wanted);
                async move { body::lease::acquire(db, &wanted.0, &wanted.1, ttl, now).await }.boxed_local()
            })
            .await
    }

    async fn renew(&self, leases: &[Lease], ttl: Millis) -> Result<Vec<Lease>, StoreError> {
        let leases: Arc<[Lease]> = leases.into();
        self.writer
            .write(About::default(), move |db: &Session, now| {
                let leases = Arc::clone(&leases);
                async move { body::lease::renew(db, &leases, ttl, now).await }.boxed_local()
            })
            .await
    }

    async fn release(&self, leases: &[Lease]) -> Result<(), StoreError> {
        let leases: Arc<[Lease]> = leases.into();
        self.writer
            .write(About::default(), move |db: &Session, now| {
                let leases = Arc::clone(&leases);
                async move { body::lease::release(db, &leases, now).await }.boxed_local()
            })
            .await
    }

    async fn leases(&self) -> Result<Leases, StoreError> {
        // By the writer, which knows what time it is for leases.
        self.writer.write(About::default(), |db: &Session, now| body::lease::held(db, now).boxed_local()).await
    }

    async fn append(&self, append: Append) -> Result<Receipt, AppendError> {
        let change = Change::Appended { shard: append.lease.shard, deployment: append.row.id.clone() };
        let about = About { scope: Some(append.row.scope.clone()), change: Some(change.clone()) };
        let prepared = Arc::new(Prepared::new(append));
        let written = self.writer.write(about, move |db: &Session, now| {
            let prepared = Arc::clone(&prepared);
            async move { body::append::append(db, &prepared, now).await }.boxed_local()
        });
        let receipt = written.await?;
        self.announcer.announce(change);
        Ok(receipt)
    }

    async fn load(&self, deployment: &DeploymentId) -> Result<Option<Loaded>, StoreError> {
        body::read::load(self.reader().await?.db()?, deployment).await
    }

    async fn deployments(&self, filter: &DeploymentFilter) -> Result<Vec<DeploymentRow>, StoreError> {
        body::read::deployments(self.reader().await?.db()?, filter).await
    }

    async fn unfinished(&self) -> Result<Vec<DeploymentRow>, StoreError> {
        body::read::unfinished(self.reader().await?.db()?).await
    }

    async fn scope(&self, scope: &Scope) -> Result<ScopeRow, StoreError> {
        body::read::scope(self.reader().await?.db()?, scope).await
    }

    async fn read_after(
        &self,
        position: Position,
        deployment: Option<&DeploymentId>,
        limit: u32,
    ) -> Result<Vec<StreamedEvent>, StoreError> {
        body::read::read_after(self.reader().await?.db()?, position, deployment, limit).await
    }

    async fn first_reply(&self, actor: &str, request: &RequestId) -> Result<Option<FirstReply>, StoreError> {
        body::append::first_reply(self.reader().await?.db()?, actor, request).await
    }

    async fn compact(&self, retention: Retention) -> Result<Compacted, StoreError> {
        self.writer
            .write(About::default(), move |db: &Session, now| body::archive::compact(db, retention, now).boxed_local())
            .await
    }

    fn changes(&self) -> Changes {
        self.announcer.changes()
    }
}

#[async_trait]
impl Catalog for PostgresStore {
    async fn put(&self, kind: &str, key: &str, document: &str, expected: Option<u64>, at: Timestamp) -> Result<u64, StoreError> {
        let words = Arc::new((kind.to_owned(), key.to_owned(), document.to_owned()));
        let change = Change::Put { kind: kind.to_owned(), key: key.to_owned() };
        let about = About { scope: None, change: Some(change.clone()) };
        let written = self.writer.write(about, move |db: &Session, _| {
            let words = Arc::clone(&words);
            async move { body::catalog::put(db, &words.0, &words.1, &words.2, expected, at).await }.boxed_local()
        });
        let revision = written.await?;
        self.announcer.announce(change);
        Ok(revision)
    }

    async fn get(&self, kind: &str, key: &str) -> Result<Option<CatalogEntry>, StoreError> {
        body::catalog::get(self.reader().await?.db()?, kind, key).await
    }

    async fn list(&self, kind: &str, prefix: &str) -> Result<Vec<CatalogEntry>, StoreError> {
        body::catalog::list(self.reader().await?.db()?, kind, prefix).await
    }

    async fn remove(&self, kind: &str, key: &str) -> Result<bool, StoreError> {
        let words = Arc::new((kind.to_owned(), key.to_owned()));
        self.writer
            .write(About::default(), move |db: &Session, _| {
                let words = Arc::clone(&words);
                async move { body::catalog::remove(db, &words.0, &words.1).await }.boxed_local()
            })
            .await
    }
}
