//! Evidence as it is kept, and how a gate's plugin gets at it.

use journal::Store;
use model::ReleaseId;
use serde::{Deserialize, Serialize};

use super::{EVIDENCE, read};
use crate::error::ApiError;

/// A piece of evidence with its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidenceDocument {
    /// The form of this document.
    pub form: u32,
    /// What kind ("junit").
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The form of its content.
    pub media_type: String,
    /// Hash of its content.
    pub digest: String,
    /// Its content in hexadecimal digits.
    #[serde(with = "hex_bytes")]
    pub content: Vec<u8>,
}

pub(super) mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// Returns the key of a release's `index`th piece of evidence.
pub(crate) fn key(release: &str, index: usize) -> String {
    format!("{release}/{index:03}")
}

/// Returns everything attached to a release, in the order it was given.
///
/// `release` is the id as a plan has it: what stands behind the dot belongs to the environment and is of no interest here.
/// The error is a sentence for the log.
pub async fn evidence_of(store: &dyn Store, release: &ReleaseId) -> Result<Vec<EvidenceDocument>, String> {
    let id = release.as_str().split('.').next().unwrap_or_default();
    let entries = store.list(EVIDENCE, &format!("{id}/")).await.map_err(|error| error.to_string())?;
    let documents: Result<_, ApiError> = entries.iter().map(|entry| read(EVIDENCE, entry)).collect();
    documents.map_err(|error| error.to_string())
}
