//! Where what is usual is kept over a restart: a port, and a shelf in memory for tests and for servers that keep nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

/// A record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its key: `SERVICE/ENVIRONMENT/METRIC`.
    pub key: String,
    /// Its text, in the form that this room owns.
    pub record: String,
}

/// Where records are kept. Each is replaced whole.
#[async_trait]
pub trait Shelf: Send + Sync + 'static {
    /// Writes a record in the place of the one with its key; durable on return.
    async fn keep(&self, kept: Kept) -> Result<(), ShelfError>;

    /// Returns all records.
    async fn all(&self) -> Result<Vec<Kept>, ShelfError>;

    /// Removes a record, if there is one.
    async fn remove(&self, key: &str) -> Result<(), ShelfError>;
}

/// A shelf that cannot be used now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShelfError(pub String);

/// Keeps records as long as the process lives.
#[derive(Debug, Default)]
pub struct MemoryShelf(Mutex<BTreeMap<String, String>>);

#[async_trait]
impl Shelf for MemoryShelf {
    async fn keep(&self, kept: Kept) -> Result<(), ShelfError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(kept.key, kept.record);
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Kept>, ShelfError> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(records.iter().map(|(key, record)| Kept { key: key.clone(), record: record.clone() }).collect())
    }

    async fn remove(&self, key: &str) -> Result<(), ShelfError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        Ok(())
    }
}
