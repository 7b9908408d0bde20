//! What services, environments and paths have in common: a file that is written down, read and listed.

use journal::{CatalogEntry, Store};
use sha2::{Digest, Sha256};
use towpath_proto::v1;

use crate::Api;
use crate::document::{self, FileDocument};
use crate::error::ApiError;

/// Writes a file down under its name; the same text again changes nothing.
pub(super) async fn apply(api: &Api, kind: &'static str, file: FileDocument) -> Result<v1::Document, ApiError> {
    let store = api.handle.store();
    if let Some(entry) = store.get(kind, &file.name).await? {
        let known: FileDocument = document::read(kind, &entry)?;
        if known.text == file.text {
            return Ok(view(known, &entry));
        }
    }
    let (key, now) = (file.name.clone(), api.clock.now());
    let text = document::write(&file);
    let revision = store.put(kind, &key, &text, None, now).await?;
    Ok(view(file, &CatalogEntry { key, document: text, revision, written_at: now }))
}

/// Returns one.
pub(super) async fn get(store: &dyn Store, kind: &'static str, name: &str) -> Result<v1::Document, ApiError> {
    let (file, entry) = document::find(store, kind, name).await?;
    Ok(view(file, &entry))
}

/// Returns all of a kind, by name.
pub(super) async fn list(store: &dyn Store, kind: &'static str) -> Result<v1::ListDocumentsResponse, ApiError> {
    let entries = store.list(kind, "").await?;
    let read = |entry: &CatalogEntry| Ok(view(document::read(kind, entry)?, entry));
    Ok(v1::ListDocumentsResponse { documents: entries.iter().map(read).collect::<Result<_, ApiError>>()? })
}

/// Returns a document as clients get it.
pub(super) fn view(file: FileDocument, entry: &CatalogEntry) -> v1::Document {
    v1::Document {
        name: file.name,
        version: file.version.unwrap_or_default(),
        digest: file.digest,
        text: file.text,
        revision: entry.revision,
        written_at_ms: entry.written_at.0,
        summary: file.summary,
    }
}

/// Returns the digest of a text or of bytes, written as every digest is.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
