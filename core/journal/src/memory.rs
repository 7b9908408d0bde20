//! A store in memory: for tests and simulation. Keeps every promise but durability.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use model::{DeploymentId, Millis, Scope, Timestamp};

use crate::{
    Announcer, Append, AppendError, Catalog, CatalogEntry, Change, Changes, Compacted, DeploymentFilter, DeploymentRow,
    FirstReply, Lease, Leases, Loaded, Owner, Position, Receipt, RequestId, Retention, ScopeRow, Shard, Stamped, Status, Store,
    StoreError, StreamedEvent,
};

/// A store in memory. Clones are one store, as two connections to a database are.
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    announcer: Announcer,
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

#[derive(Default)]
struct Inner {
    leases: BTreeMap<Shard, Lease>,
    rows: BTreeMap<DeploymentId, DeploymentRow>,
    records: Vec<(DeploymentId, u64, Stamped)>,
    scopes: BTreeMap<Scope, ScopeRow>,
    replies: BTreeMap<(String, String), (Timestamp, FirstReply)>,
    catalog: BTreeMap<(String, String), CatalogEntry>,
}

impl MemoryStore {
    /// Returns an empty store whose leases run by this clock.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { inner: Arc::default(), announcer: Announcer::default(), now: Arc::new(now) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Refuses an append that breaks a rule, before anything of it is written.
    fn check(&self, append: &Append, now: Timestamp) -> Result<(), AppendError> {
        let Lease { shard, epoch, owner, .. } = &append.lease;
        let granted = self.leases.get(shard);
        if granted.is_none_or(|g| g.epoch != *epoch || g.owner != *owner || g.expires_at <= now) {
            let (found, owner) = granted.map_or((0, String::new()), |g| (g.epoch, g.owner.0.clone()));
            return Err(AppendError::LeaseLost { shard: *shard, epoch: *epoch, found, owner });
        }
        if let Some(reply) = &append.request
            && let Some((_, first)) = self.replies.get(&(reply.actor.clone(), reply.request.0.clone()))
        {
            return Err(AppendError::AlreadyAnswered(first.clone()));
        }
        let row = &append.row;
        let expected = append.expected_head();
        let found = self.rows.get(&row.id).map_or(0, |row| row.head);
        if found != expected {
            return Err(AppendError::HeadMoved { deployment: row.id.clone(), expected, found });
        }
        let scope = self.scopes.get(&row.scope).cloned().unwrap_or_default();
        match &scope.active {
            Some(active) if *active != row.id && row.status == Status::Active => {
                return Err(AppendError::ScopeTaken { scope: row.scope.clone(), active: active.clone() });
            }
            Some(_) | None => {}
        }
        if row.status == Status::Active && append.fence < scope.fence {
            return Err(AppendError::FenceFell { scope: row.scope.clone(), found: scope.fence, given: append.fence });
        }
        Ok(())
    }

    fn write(&mut self, append: Append, now: Timestamp) -> Receipt {
        let first = append.expected_head() + 1;
        let Append { row, events, fence, stable, request, .. } = append;
        for (seq, stamped) in (first..).zip(events) {
            self.records.push((row.id.clone(), seq, stamped));
        }
        let scope = self.scopes.entry(row.scope.clone()).or_default();
        scope.fence = scope.fence.max(fence);
        if let Some(stable) = stable {
            let changes = scope.stable.as_ref().map(|r| &r.id) != stable.as_ref().map(|r| &r.id);
            if changes {
                scope.previous = scope.stable.take();
            }
            scope.stable = stable;
        }
        match row.status {
            Status::Active => scope.active = Some(row.id.clone()),
            Status::Queued | Status::Ended if scope.active.as_ref() == Some(&row.id) => scope.active = None,
            Status::Queued | Status::Ended => {}
        }
        if let Some(reply) = request {
            self.replies.insert((reply.actor.clone(), reply.request.0.clone()), (now, reply));
        }
        let receipt = Receipt::after_commit(row.id.clone(), row.head, Position(self.records.len() as u64));
        self.rows.insert(row.id.clone(), row);
        receipt
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn acquire(&self, shards: &[Shard], owner: &Owner, ttl: Millis) -> Result<Vec<Lease>, StoreError> {
        let now = (self.now)();
        let mut inner = self.inner();
        let mut granted = Vec::new();
        for shard in shards {
            let epoch = match inner.leases.get(shard) {
                Some(held) if held.owner != *owner && held.expires_at > now => continue,
                Some(held) => held.epoch + 1,
                None => 1,
            };
            let lease = Lease { shard: *shard, owner: owner.clone(), epoch, expires_at: now + ttl };
            inner.leases.insert(*shard, lease.clone());
            granted.push(lease);
        }
        Ok(granted)
    }

    async fn renew(&self, leases: &[Lease], ttl: Millis) -> Result<Vec<Lease>, StoreError> {
        let now = (self.now)();
        let mut inner = self.inner();
        let mut kept = Vec::new();
        for lease in leases {
            if let Some(held) = inner.leases.get_mut(&lease.shard).filter(|held| held.is_grant(lease) && held.expires_at > now) {
                held.expires_at = now + ttl;
                kept.push(held.clone());
            }
        }
        Ok(kept)
    }

    async fn release(&self, leases: &[Lease]) -> Result<(), StoreError> {
        let now = (self.now)();
        let mut inner = self.inner();
        for lease in leases {
            if let Some(held) = inner.leases.get_mut(&lease.shard).filter(|held| held.is_grant(lease)) {
                held.expires_at = now;
            }
        }
        Ok(())
    }

    async fn leases(&self) -> Result<Leases, StoreError> {
        let now = (self.now)();
        let held = self.inner().leases.values().filter(|lease| lease.expires_at > now).cloned().collect();
        Ok(Leases { now, held })
    }

    async fn append(&self, append: Append) -> Result<Receipt, AppendError> {
        let now = (self.now)();
        let (shard, deployment) = (append.lease.shard, append.row.id.clone());
        let mut inner = self.inner();
        inner.check(&append, now)?;
        let receipt = inner.write(append, now);
        drop(inner);
        self.announcer.announce(Change::Appended { shard, deployment });
        Ok(receipt)
    }

    async fn load(&self, deployment: &DeploymentId) -> Result<Option<Loaded>, StoreError> {
        let inner = self.inner();
        let Some(row) = inner.rows.get(deployment) else { return Ok(None) };
        let of_it = |record: &&(DeploymentId, u64, Stamped)| record.0 == *deployment;
        let events = inner.records.iter().filter(of_it).map(|(_, _, stamped)| stamped.clone()).collect();
        let position = Position(inner.records.len() as u64);
        Ok(Some(Loaded { events, receipt: Receipt::after_commit(deployment.clone(), row.head, position) }))
    }

    async fn deployments(&self, filter: &DeploymentFilter) -> Result<Vec<DeploymentRow>, StoreError> {
        let inner = self.inner();
        let fits = |row: &&DeploymentRow| {
            filter.service.as_ref().is_none_or(|s| row.scope.service.as_str() == s)
                && filter.environment.as_ref().is_none_or(|e| row.scope.environment.as_str() == e)
                && filter.status.is_none_or(|status| row.status == status)
                && filter.before.as_ref().is_none_or(|before| row.id < *before)
        };
        // Ids are made of time, so their order is the order of the requests.
        Ok(inner.rows.values().rev().filter(fits).take(filter.limit as usize).cloned().collect())
    }

    async fn unfinished(&self) -> Result<Vec<DeploymentRow>, StoreError> {
        Ok(self.inner().rows.values().filter(|row| row.status != Status::Ended).cloned().collect())
    }

    async fn scope(&self, scope: &Scope) -> Result<ScopeRow, StoreError> {
        Ok(self.inner().scopes.get(scope).cloned().unwrap_or_default())
    }

    async fn read_after(
        &self,
        position: Position,
        deployment: Option<&DeploymentId>,
        limit: u32,
    ) -> Result<Vec<StreamedEvent>, StoreError> {
        let inner = self.inner();
        let after = (1_u64..).zip(&inner.records).skip(usize::try_from(position.0).unwrap_or(usize::MAX));
        let of_it = after.filter(|(_, record)| deployment.is_none_or(|wanted| record.0 == *wanted));
        let streamed = of_it.map(|(position, (deployment, seq, stamped))| StreamedEvent {
            position: Position(position),
            deployment: deployment.clone(),
            seq: *seq,
            stamped: stamped.clone(),
        });
        Ok(streamed.take(limit as usize).collect())
    }

    async fn first_reply(&self, actor: &str, request: &RequestId) -> Result<Option<FirstReply>, StoreError> {
        Ok(self.inner().replies.get(&(actor.to_owned(), request.0.clone())).map(|(_, first)| first.clone()))
    }

    async fn compact(&self, retention: Retention) -> Result<Compacted, StoreError> {
        let now = (self.now)();
        let mut inner = self.inner();
        let old = |(_, (at, _)): &(&(String, String), &(Timestamp, FirstReply))| *at + retention.answered < now;
        let old: Vec<_> = inner.replies.iter().filter(old).take(retention.limit as usize).map(|(id, _)| id.clone()).collect();
        old.iter().for_each(|id| drop(inner.replies.remove(id)));
        // Nothing is ever packed: in memory that would save little.
        Ok(Compacted { answers: old.len() as u64, ..Compacted::default() })
    }

    fn changes(&self) -> Changes {
        self.announcer.changes()
    }
}

#[async_trait]
impl Catalog for MemoryStore {
    async fn put(&self, kind: &str, key: &str, document: &str, expected: Option<u64>, at: Timestamp) -> Result<u64, StoreError> {
        let mut inner = self.inner();
        let id = (kind.to_owned(), key.to_owned());
        let found = inner.catalog.get(&id).map_or(0, |entry| entry.revision);
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(StoreError::RevisionMoved { kind: kind.to_owned(), key: key.to_owned(), expected, found });
        }
        let entry = CatalogEntry { key: key.to_owned(), document: document.to_owned(), revision: found + 1, written_at: at };
        inner.catalog.insert(id, entry);
        drop(inner);
        self.announcer.announce(Change::Put { kind: kind.to_owned(), key: key.to_owned() });
        Ok(found + 1)
    }

    async fn get(&self, kind: &str, key: &str) -> Result<Option<CatalogEntry>, StoreError> {
        Ok(self.inner().catalog.get(&(kind.to_owned(), key.to_owned())).cloned())
    }

    async fn list(&self, kind: &str, prefix: &str) -> Result<Vec<CatalogEntry>, StoreError> {
        let inner = self.inner();
        let fits = |((found, key), _): &(&(String, String), &CatalogEntry)| found == kind && key.starts_with(prefix);
        Ok(inner.catalog.iter().filter(fits).map(|(_, entry)| entry.clone()).collect())
    }

    async fn remove(&self, kind: &str, key: &str) -> Result<bool, StoreError> {
        Ok(self.inner().catalog.remove(&(kind.to_owned(), key.to_owned())).is_some())
    }
}
