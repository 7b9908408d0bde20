//! The store trait. Each method says what it promises at the moment it returns.

use async_trait::async_trait;
use model::{Committed, DeploymentId, Event, Fence, Millis, Phase, ReleaseId, ReleaseSpec, Scope, Timestamp};

use crate::Changes;

/// A part of all scopes that one replica owns at a time. Scopes are spread over shards by hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u16);

/// A process that owns shards: unique per start of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner(pub String);

/// The right to append to a shard's deployments, until it expires or a later epoch is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What may be written.
    pub shard: Shard,
    /// By whom.
    pub owner: Owner,
    /// Grows with every grant; the store compares it inside each append.
    pub epoch: u64,
    /// When it may be granted to somebody else, by the store's clock.
    pub expires_at: Timestamp,
}

impl Lease {
    /// Returns whether both are the same grant: expiries may differ.
    pub fn is_grant(&self, other: &Self) -> bool {
        (self.shard, self.epoch, &self.owner) == (other.shard, other.epoch, &other.owner)
    }
}

/// Who holds what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leases {
    /// When this was so, by the store's clock.
    pub now: Timestamp,
    /// The leases that have not run out, by shard.
    pub held: Vec<Lease>,
}

/// The id that a client gave a command, so that a retry is answered with the first result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub String);

/// A place in the order of all records of a store. Grows without gaps being promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// An event with the time it was journaled at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// The event.
    pub event: Event,
    /// When the engine journaled it.
    pub at: Timestamp,
}

/// Whether a deployment holds its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It waits for its turn.
    Queued,
    /// It is the one active deployment of its scope.
    Active,
    /// It is over.
    Ended,
}

/// The line that lists show, kept beside the journal in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentRow {
    /// Its name.
    pub id: DeploymentId,
    /// Where it runs.
    pub scope: Scope,
    /// What it brings.
    pub release: ReleaseId,
    /// What people call that.
    pub release_label: String,
    /// Whether it holds its scope.
    pub status: Status,
    /// The phase a person sees.
    pub phase: Phase,
    /// Whether it is paused.
    pub paused: bool,
    /// Sequence number of its last event.
    pub head: u64,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What is known of a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeRow {
    /// The highest fence taken.
    pub fence: Fence,
    /// What is stable there.
    pub stable: Option<ReleaseSpec>,
    /// What was stable before that, for a rollback of a finished deployment.
    pub previous: Option<ReleaseSpec>,
    /// The deployment that holds it.
    pub active: Option<DeploymentId>,
}

/// Events to be made durable, all or none.
#[derive(Clone, Debug)]
pub struct Append {
    /// The right to write.
    pub lease: Lease,
    /// The line as it stands after the events; `row.head` is the new head, so `row.head - events.len()` is the expected one.
    pub row: DeploymentRow,
    /// What happened, in order; at least one.
    pub events: Vec<Stamped>,
    /// The highest fence the deployment knows of after the events; the scope's may not fall.
    pub fence: Fence,
    /// What is stable in the scope from here on; `None` leaves it as it is.
    pub stable: Option<Option<ReleaseSpec>>,
    /// The client's request that this answers, if one did, and what to answer a retry with.
    pub request: Option<FirstReply>,
}

impl Append {
    /// Returns the version that the deployment must have for this append to fit.
    ///
    /// # Panics
    ///
    /// When there are no events, or more of them than the new head says: the caller counted wrong.
    pub fn expected_head(&self) -> u64 {
        let events = self.events.len() as u64;
        assert!(events > 0, "BUG: an append to {} without events", self.row.id);
        let before = self.row.head.checked_sub(events);
        before.unwrap_or_else(|| panic!("BUG: {events} events lead {} to version {}", self.row.id, self.row.head))
    }
}

/// The first answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstReply {
    /// The request.
    pub request: RequestId,
    /// Who made it: two people may choose one id.
    pub actor: String,
    /// Hash of what was asked, so that an id used twice for different things is refused.
    pub fingerprint: String,
    /// The deployment it went to.
    pub deployment: DeploymentId,
    /// The deployment's version after it.
    pub version: u64,
}

/// Proof that events are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    deployment: DeploymentId,
    head: u64,
    position: Position,
}

impl Receipt {
    /// Returns a receipt. Only a store calls this, after its commit returned.
    pub fn after_commit(deployment: DeploymentId, head: u64, position: Position) -> Self {
        Self { deployment, head, position }
    }

    /// Returns whose events these are.
    pub fn deployment(&self) -> &DeploymentId {
        &self.deployment
    }

    /// Returns the place of the last of them.
    pub fn position(&self) -> Position {
        self.position
    }
}

impl Committed for Receipt {
    fn head(&self) -> u64 {
        self.head
    }
}

/// A deployment as it was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// All its events in order, the first with sequence number 1.
    pub events: Vec<Stamped>,
    /// Proof that they are durable.
    pub receipt: Receipt,
}

/// Which deployments to list. Newest first.
#[derive(Clone, Debug, Default)]
pub struct DeploymentFilter {
    /// Only this service's.
    pub service: Option<String>,
    /// Only this environment's.
    pub environment: Option<String>,
    /// Only these.
    pub status: Option<Status>,
    /// Only those requested before this one (for paging).
    pub before: Option<DeploymentId>,
    /// At most so many.
    pub limit: u32,
}

/// What has become old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Deployments that have been over for this long are packed.
    pub ended: Millis,
    /// Answers to requests that are older than this are forgotten: a retry after that is a new request.
    pub answered: Millis,
    /// At most so many of each at a time.
    pub limit: u32,
}

/// What was done about what has become old.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Deployments that were packed.
    pub deployments: u64,
    /// Deployments that were left as they are, because their chain does not hold: what was found.
    pub damaged: Vec<String>,
    /// Answers that were forgotten.
    pub answers: u64,
}

impl Compacted {
    /// Returns whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// An event as watchers get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamedEvent {
    /// Its place in the store.
    pub position: Position,
    /// Whose.
    pub deployment: DeploymentId,
    /// Its sequence number in the deployment.
    pub seq: u64,
    /// What.
    pub stamped: Stamped,
}

/// Why an append was refused. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else was granted the shard, or the lease ran out: step down.
    #[error("the lease on shard {} with epoch {epoch} is no longer ours; the store has epoch {found} of {owner:?}", shard.0)]
    LeaseLost {
        /// The shard.
        shard: Shard,
        /// Our epoch.
        epoch: u64,
        /// The store's.
        found: u64,
        /// The store's owner.
        owner: String,
    },
    /// The deployment has other events than the appender thought.
    #[error("deployment {deployment} is at version {found}, expected {expected}")]
    HeadMoved {
        /// Which deployment.
        deployment: DeploymentId,
        /// The version the appender saw.
        expected: u64,
        /// The version in the store.
        found: u64,
    },
    /// Another deployment holds the scope.
    #[error("{scope} is held by deployment {active}")]
    ScopeTaken {
        /// The scope.
        scope: Scope,
        /// Who holds it.
        active: DeploymentId,
    },
    /// The scope's fence would have fallen.
    #[error("the fence of {scope} is {found}, {given} is older")]
    FenceFell {
        /// The scope.
        scope: Scope,
        /// The fence in the store.
        found: Fence,
        /// The fence of the append.
        given: Fence,
    },
    /// The request was answered before; this is the first answer.
    #[error("request {} was already answered", .0.request.0)]
    AlreadyAnswered(FirstReply),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a store could not do its work, sorted by what can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Whether the write took place is not known: read again before deciding anything.
    #[error("the store did not say whether it wrote: {0}")]
    OutcomeUnknown(String),
    /// No space is left; nothing was written.
    #[error("no space is left for the store: {0}")]
    Full(String),
    /// The store may not be written.
    #[error("the store cannot be written: {0}")]
    ReadOnly(String),
    /// The store's content is damaged.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// Another process uses it.
    #[error("the store is in use: {0}")]
    InUse(String),
    /// It was written by a newer version.
    #[error("the store has schema version {found}, this program knows up to {known}")]
    NewerVersion {
        /// The store's.
        found: u32,
        /// The newest we know.
        known: u32,
    },
    /// A record is of a form that this program does not know, or is not what it says.
    #[error("record {seq} of deployment {deployment} cannot be read: {message}")]
    UnreadableRecord {
        /// Which deployment.
        deployment: String,
        /// Which record.
        seq: u64,
        /// Why.
        message: String,
    },
    /// The records of one deployment are not those that were written.
    #[error("the records of deployment {deployment} are damaged: {message}")]
    BrokenChain {
        /// Which deployment.
        deployment: String,
        /// Where, and what was found.
        message: String,
    },
    /// This process can use the store no more; another that opens it anew can.
    #[error("the store has to be opened anew: {0}")]
    Broken(String),
    /// The database is not reached, or went away before anything was written: try again later.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
    /// The database, its settings or the rights in it are not as they must be: an operator has to change something.
    #[error("the store cannot be used: {0}")]
    Unfit(String),
    /// Something else; the message says what.
    #[error("the store failed: {0}")]
    Failed(String),
    /// A catalog entry was changed by somebody else meanwhile.
    #[error("{kind} {key:?} is at revision {found}, expected {expected}")]
    RevisionMoved {
        /// What kind of entry.
        kind: String,
        /// Its key.
        key: String,
        /// The revision the writer saw.
        expected: u64,
        /// The revision in the store.
        found: u64,
    },
}

impl StoreError {
    /// Returns whether only one deployment is concerned, so that the others can go on.
    pub fn is_of_one_deployment(&self) -> bool {
        matches!(self, Self::UnreadableRecord { .. } | Self::BrokenChain { .. })
    }
}

/// Where the journal lives.
#[async_trait]
pub trait Store: Catalog + Send + Sync + 'static {
    /// Returns leases on those of the shards of which no other owner has one that has not run out, each with a greater epoch than any
    /// before. On return the grants are durable. An owner that still holds a lease gets another, and can append under the earlier one
    /// no more.
    async fn acquire(&self, shards: &[Shard], owner: &Owner, ttl: Millis) -> Result<Vec<Lease>, StoreError>;

    /// Returns those of the leases that were not lost, with a later expiry. On return the extension is durable.
    async fn renew(&self, leases: &[Lease], ttl: Millis) -> Result<Vec<Lease>, StoreError>;

    /// Gives the leases back, so that other owners need not wait. Having lost one before is no error.
    async fn release(&self, leases: &[Lease]) -> Result<(), StoreError>;

    /// Returns all leases that have not run out, by shard, whoever holds them.
    async fn leases(&self) -> Result<Leases, StoreError>;

    /// Makes the events durable, all or none, together with the row, the scope's fence and stable release, and the reply.
    ///
    /// The lease's epoch, the expected head, the one-active-per-scope rule and the fence are compared inside the same
    /// transaction. On `Ok` everything survives the loss of power. On [`StoreError::OutcomeUnknown`] it may or may not have been
    /// written; on every other error nothing was.
    async fn append(&self, append: Append) -> Result<Receipt, AppendError>;

    /// Returns all events of a deployment, or `None` if there is no such deployment. What is returned is durable.
    async fn load(&self, deployment: &DeploymentId) -> Result<Option<Loaded>, StoreError>;

    /// Returns the rows that fit, newest request first, at most `filter.limit`.
    async fn deployments(&self, filter: &DeploymentFilter) -> Result<Vec<DeploymentRow>, StoreError>;

    /// Returns every deployment that is not over, oldest request first: what a starting engine has to take care of.
    async fn unfinished(&self) -> Result<Vec<DeploymentRow>, StoreError>;

    /// Returns what is known of a scope; a scope that nobody used is all empty.
    async fn scope(&self, scope: &Scope) -> Result<ScopeRow, StoreError>;

    /// Returns events after a position, in order, at most `limit`; of one deployment or of all.
    async fn read_after(
        &self,
        position: Position,
        deployment: Option<&DeploymentId>,
        limit: u32,
    ) -> Result<Vec<StreamedEvent>, StoreError>;

    /// Returns the first answer to a request, if it had one.
    async fn first_reply(&self, actor: &str, request: &RequestId) -> Result<Option<FirstReply>, StoreError>;

    /// Packs the records of deployments that have been over for long, and forgets old answers; a part of it, so that appends need not
    /// wait. On return what was done is durable. Everything can be read as before, except by position across deployments
    /// ([`Store::read_after`] with none named): there, what was packed is passed over.
    async fn compact(&self, retention: Retention) -> Result<Compacted, StoreError>;

    /// Returns what is appended from here on, by this replica or another: hints to read again, told after the commit. A store that
    /// cannot tell is silent; nobody may rely on hints alone.
    fn changes(&self) -> Changes {
        Changes::silent()
    }
}

/// Documents beside the journal: services, environments, releases, paths, plugins, grants. Each has a kind, a key and a revision.
#[async_trait]
pub trait Catalog: Send + Sync + 'static {
    /// Writes a document and returns its new revision, durable on return. `expected` is the revision it replaces (0: there is
    /// none yet); `None` replaces whatever is there.
    async fn put(&self, kind: &str, key: &str, document: &str, expected: Option<u64>, at: Timestamp) -> Result<u64, StoreError>;

    /// Returns a document, or `None`.
    async fn get(&self, kind: &str, key: &str) -> Result<Option<CatalogEntry>, StoreError>;

    /// Returns all documents of a kind whose key starts with `prefix`, by key.
    async fn list(&self, kind: &str, prefix: &str) -> Result<Vec<CatalogEntry>, StoreError>;

    /// Removes a document; returns whether there was one.
    async fn remove(&self, kind: &str, key: &str) -> Result<bool, StoreError>;
}

/// A document as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogEntry {
    /// Its key.
    pub key: String,
    /// Its text; the owner of the kind knows the form.
    pub document: String,
    /// Counts from 1.
    pub revision: u64,
    /// When it was written.
    pub written_at: Timestamp,
}
