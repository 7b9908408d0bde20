//! A store in memory that can be made to fail at any append.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use journal::{
    Append, AppendError, Catalog, CatalogEntry, Compacted, DeploymentFilter, DeploymentRow, FirstReply, Lease, Leases, Loaded,
    MemoryStore, Owner, Position, Receipt, RequestId, Retention, ScopeRow, Shard, Store, StoreError, StreamedEvent,
};
use model::{DeploymentId, Millis, Scope, Timestamp};
use tokio::sync::watch;

/// What goes wrong with an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is written, and the store says that it does not know.
    UnknownWritten,
    /// It is not written, and the store says that it does not know.
    UnknownUnwritten,
    /// It is not written, and the store says so.
    Full,
    /// The task that appends breaks.
    Break,
    /// The process dies before it is written.
    DeadBefore,
    /// The process dies when it is written, before anybody hears of it.
    DeadAfter,
}

pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    appends: AtomicU64,
    fault: Mutex<Option<(Range<u64>, Fault)>>,
    dead: watch::Sender<bool>,
    commit_takes: Mutex<Duration>,
    load_takes: Mutex<Duration>,
    blind_loads: AtomicU64,
    blind_renewals: AtomicU64,
    scratched: Mutex<Option<DeploymentId>>,
    reads: AtomicU64,
    compacted: Mutex<Vec<Retention>>,
}

impl FaultyStore {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            appends: AtomicU64::new(0),
            fault: Mutex::new(None),
            dead: watch::Sender::new(false),
            commit_takes: Mutex::default(),
            load_takes: Mutex::default(),
            blind_loads: AtomicU64::new(0),
            blind_renewals: AtomicU64::new(0),
            scratched: Mutex::default(),
            reads: AtomicU64::new(0),
            compacted: Mutex::default(),
        }
    }

    /// Returns what was asked to be packed, and empties the list.
    pub(crate) fn compacted(&self) -> Vec<Retention> {
        std::mem::take(&mut *self.compacted.lock().unwrap())
    }

    /// Has the appends of these numbers, counted from 1, go wrong.
    pub(crate) fn fail(&self, appends: Range<u64>, fault: Fault) {
        *self.fault.lock().unwrap() = Some((appends, fault));
    }

    /// Has every append take so long from now on.
    pub(crate) fn slow_down(&self, commit_takes: Duration) {
        *self.commit_takes.lock().unwrap() = commit_takes;
    }

    /// Has every deployment take so long to read from now on.
    pub(crate) fn slow_down_loads(&self, load_takes: Duration) {
        *self.load_takes.lock().unwrap() = load_takes;
    }

    /// Has the next so many deployments fail to be read.
    pub(crate) fn fail_loads(&self, count: u64) {
        self.blind_loads.store(count, Ordering::Relaxed);
    }

    /// Has the next so many renewals of the lease fail.
    pub(crate) fn fail_renewals(&self, count: u64) {
        self.blind_renewals.store(count, Ordering::Relaxed);
    }

    /// Has the records of one deployment be unreadable from now on.
    pub(crate) fn scratch(&self, deployment: Option<&DeploymentId>) {
        *self.scratched.lock().unwrap() = deployment.cloned();
    }

    /// Returns how often somebody read on in the journal.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    pub(crate) fn heal(&self) {
        *self.fault.lock().unwrap() = None;
        self.fail_loads(0);
        self.fail_renewals(0);
        self.slow_down(Duration::ZERO);
        self.slow_down_loads(Duration::ZERO);
        self.dead.send_replace(false);
    }

    /// Returns how many appends were tried.
    pub(crate) fn appends(&self) -> u64 {
        self.appends.load(Ordering::Relaxed)
    }

    /// Waits until the process shall die.
    pub(crate) async fn death(&self) {
        self.dead.subscribe().wait_for(|dead| *dead).await.unwrap();
    }

    async fn die<T>(&self) -> T {
        self.dead.send_replace(true);
        std::future::pending().await
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn acquire(&self, shards: &[Shard], owner: &Owner, ttl: Millis) -> Result<Vec<Lease>, StoreError> {
        self.inner.acquire(shards, owner, ttl).await
    }

    async fn renew(&self, leases: &[Lease], ttl: Millis) -> Result<Vec<Lease>, StoreError> {
        let blind = self.blind_renewals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if blind.is_ok() {
            return Err(StoreError::Failed("the test does not renew".to_owned()));
        }
        self.inner.renew(leases, ttl).await
    }

    async fn release(&self, leases: &[Lease]) -> Result<(), StoreError> {
        self.inner.release(leases).await
    }

    async fn leases(&self) -> Result<Leases, StoreError> {
        self.inner.leases().await
    }

    async fn append(&self, append: Append) -> Result<Receipt, AppendError> {
        let number = self.appends.fetch_add(1, Ordering::Relaxed) + 1;
        let unknown = || StoreError::OutcomeUnknown("the connection broke".to_owned());
        let commit_takes = *self.commit_takes.lock().unwrap();
        if !commit_takes.is_zero() {
            tokio::time::sleep(commit_takes).await;
        }
        let fault = self.fault.lock().unwrap().clone().filter(|(appends, _)| appends.contains(&number));
        match fault.map(|(_, fault)| fault) {
            None => self.inner.append(append).await,
            Some(Fault::UnknownWritten) => self.inner.append(append).await.and(Err(unknown().into())),
            Some(Fault::UnknownUnwritten) => Err(unknown().into()),
            Some(Fault::Full) => Err(StoreError::Full("the test took the space".to_owned()).into()),
            Some(Fault::Break) => panic!("the test breaks whoever appends"),
            Some(Fault::DeadBefore) => self.die().await,
            Some(Fault::DeadAfter) => {
                // Only the first is written: the dead do not write.
                if !*self.dead.borrow() {
                    self.inner.append(append).await?;
                }
                self.die().await
            }
        }
    }

    async fn load(&self, deployment: &DeploymentId) -> Result<Option<Loaded>, StoreError> {
        let load_takes = *self.load_takes.lock().unwrap();
        if !load_takes.is_zero() {
            tokio::time::sleep(load_takes).await;
        }
        if self.scratched.lock().unwrap().as_ref() == Some(deployment) {
            let (deployment, message) = (deployment.to_string(), "the test scratched it".to_owned());
            return Err(StoreError::UnreadableRecord { deployment, seq: 1, message });
        }
        let blind = self.blind_loads.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match blind {
            Ok(_) => Err(StoreError::Failed("the test closed its eyes".to_owned())),
            Err(_) => self.inner.load(deployment).await,
        }
    }

    async fn deployments(&self, filter: &DeploymentFilter) -> Result<Vec<DeploymentRow>, StoreError> {
        self.inner.deployments(filter).await
    }

    async fn unfinished(&self) -> Result<Vec<DeploymentRow>, StoreError> {
        self.inner.unfinished().await
    }

    async fn scope(&self, scope: &Scope) -> Result<ScopeRow, StoreError> {
        self.inner.scope(scope).await
    }

    async fn read_after(
        &self,
        position: Position,
        deployment: Option<&DeploymentId>,
        limit: u32,
    ) -> Result<Vec<StreamedEvent>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.read_after(position, deployment, limit).await
    }

    async fn compact(&self, retention: Retention) -> Result<Compacted, StoreError> {
        self.compacted.lock().unwrap().push(retention);
        self.inner.compact(retention).await
    }

    fn changes(&self) -> journal::Changes {
        self.inner.changes()
    }

    async fn first_reply(&self, actor: &str, request: &RequestId) -> Result<Option<FirstReply>, StoreError> {
        self.inner.first_reply(actor, request).await
    }
}

#[async_trait]
impl Catalog for FaultyStore {
    async fn put(&self, kind: &str, key: &str, document: &str, expected: Option<u64>, at: Timestamp) -> Result<u64, StoreError> {
        self.inner.put(kind, key, document, expected, at).await
    }

    async fn get(&self, kind: &str, key: &str) -> Result<Option<CatalogEntry>, StoreError> {
        self.inner.get(kind, key).await
    }

    async fn list(&self, kind: &str, prefix: &str) -> Result<Vec<CatalogEntry>, StoreError> {
        self.inner.list(kind, prefix).await
    }

    async fn remove(&self, kind: &str, key: &str) -> Result<bool, StoreError> {
        self.inner.remove(kind, key).await
    }
}
