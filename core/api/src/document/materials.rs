//! What an installed component was made from, as its author said when it was installed. It is a document of its own: it may be long, and
//! is read for the page of one plugin alone.

use journal::{Store, StoreError};
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::{PLUGIN_MATERIALS, read};
use crate::error::ApiError;
use crate::ports::Materials;

/// The list of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MaterialsDocument {
    /// The form of this document.
    form: u32,
    /// What it says.
    materials: Materials,
}

/// Writes the list of a component down; what was written before is replaced.
pub(crate) async fn keep_materials(
    store: &dyn Store,
    digest: Digest,
    materials: Materials,
    at: Timestamp,
) -> Result<(), StoreError> {
    let document = super::write(&MaterialsDocument { form: super::FORM, materials });
    store.put(PLUGIN_MATERIALS, &digest.to_string(), &document, None, at).await.map(drop)
}

/// Returns the list of a component, `None` where none was written down.
pub(crate) async fn materials_of(store: &dyn Store, digest: Digest) -> Result<Option<Materials>, ApiError> {
    let Some(entry) = store.get(PLUGIN_MATERIALS, &digest.to_string()).await? else { return Ok(None) };
    let found: MaterialsDocument = read(PLUGIN_MATERIALS, &entry)?;
    Ok(Some(found.materials))
}

/// Removes the list of a component.
pub(crate) async fn forget_materials(store: &dyn Store, digest: Digest) -> Result<(), StoreError> {
    store.remove(PLUGIN_MATERIALS, &digest.to_string()).await.map(drop)
}
