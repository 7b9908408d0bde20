//! The record of what happened.
//!
//! The room holds the store trait with each method's promise, the versioned record forms, a memory store and the one
//! conformance suite that every store passes. It decides nothing and performs nothing; SQL lives in `journal-sql`.
#![forbid(unsafe_code)]

pub mod changes;
pub mod conformance;
pub mod memory;
pub mod record;
pub mod store;

pub use changes::{Announcer, Change, Changes};
pub use memory::MemoryStore;
pub use store::{
    Append, AppendError, Catalog, CatalogEntry, Compacted, DeploymentFilter, DeploymentRow, FirstReply, Lease, Leases, Loaded,
    Owner, Position, Receipt, RequestId, Retention, ScopeRow, Shard, Stamped, Status, Store, StoreError, StreamedEvent,
};
