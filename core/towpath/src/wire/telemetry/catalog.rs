//! The catalog behind the ports of the room that measures: which scopes there are, and where what is usual is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::document;
use async_trait::async_trait;
use journal::Store;
use model::{Scope, Timestamp};
use telemetry::otlp::{self, NotNow};
use telemetry::{Kept, ShelfError};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::clock;

/// How long an answer of the catalog is believed: a service that is registered may send at once after this.
const BELIEVED: Duration = Duration::from_secs(5);

/// How many answers are remembered. Above it all are forgotten: whoever makes names up only has the catalog asked again.
const REMEMBERED_MAX: usize = 4_096;

/// The registered services and environments.
pub(super) struct Directory {
    store: Arc<dyn Store>,
    known: Mutex<HashMap<Scope, (bool, Instant)>>,
}

impl Directory {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, known: Mutex::default() }
    }
}

impl otlp::Directory for Directory {
    fn knows(&self, scope: &Scope) -> Result<bool, NotNow> {
        let remembered = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(scope).copied();
        if let Some((is, _)) = remembered.filter(|(_, asked)| asked.elapsed() < BELIEVED) {
            return Ok(is);
        }
        // Asked from a thread that may block.
        let is =
            Handle::current().block_on(document::has_scope(&*self.store, scope)).map_err(|error| NotNow(error.to_string()))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(scope.clone(), (is, Instant::now()));
        Ok(is)
    }
}

/// The catalog as a shelf.
pub(super) struct Shelf(pub(super) Arc<dyn Store>);

#[async_trait]
impl telemetry::Shelf for Shelf {
    async fn keep(&self, kept: Kept) -> Result<(), ShelfError> {
        let written = document::keep_usual(&*self.0, &kept.key, &kept.record, Timestamp(clock::now_ms())).await;
        written.map_err(|error| ShelfError(error.to_string()))
    }

    async fn all(&self) -> Result<Vec<Kept>, ShelfError> {
        let all = document::usual_of_all(&*self.0).await.map_err(|error| ShelfError(error.to_string()))?;
        Ok(all.into_iter().map(|entry| Kept { key: entry.key, record: entry.document }).collect())
    }

    async fn remove(&self, key: &str) -> Result<(), ShelfError> {
        document::forget_usual(&*self.0, key).await.map_err(|error| ShelfError(error.to_string()))
    }
}
