//! What CI attached to a release, from the catalog to the gates.

use std::sync::Arc;

use async_trait::async_trait;
use driver::{EvidenceError, EvidenceSource};
use journal::Store;
use model::ReleaseId;
use plugin_host::Evidence;

/// Evidence from the store's catalog.
pub(crate) struct Attached {
    pub(crate) store: Arc<dyn Store>,
}

#[async_trait]
impl EvidenceSource for Attached {
    async fn evidence(&self, release: &ReleaseId) -> Result<Vec<Evidence>, EvidenceError> {
        let found = api::document::evidence_of(&*self.store, release).await;
        let found = found.map_err(|message| EvidenceError { release: release.to_string(), message })?;
        let evidence = |document: api::document::EvidenceDocument| Evidence {
            kind: document.kind,
            name: document.name,
            media_type: document.media_type,
            digest: document.digest,
            content: document.content,
        };
        Ok(found.into_iter().map(evidence).collect())
    }
}
