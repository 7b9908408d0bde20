//! The form in which the catalog keeps services, environments, paths, releases and evidence: JSON of our own, with a form number.
//!
//! Keys: `plugin/NAME/DIGEST`, `plugin-name/NAME`, `plugin-grant/DIGEST/ENVIRONMENT` (`*` for all), `plugin-record/NAME/TIME-N`,
//! `plugin-part/DIGEST/NNNNN`, `plugin-materials/DIGEST`, `plugin-hold/DIGEST/TIME-N`, `plugin-removal/DIGEST`,
//! `service/NAME`, `environment/NAME`, `path/NAME/VERSION`, `release/SERVICE/ID`,
//! `release-label/SERVICE/LABEL`, `evidence/ID/NNN`, `usual/SERVICE/ENVIRONMENT/METRIC`, where the part before
//! the first slash is the catalog's kind. A form that this program does not know is refused, never guessed.

mod component;
mod evidence;
mod file;
mod materials;
mod plugin;
mod release;
mod scope;
mod usual;

use journal::{CatalogEntry, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use component::{component_of, has_component, keep_component};
pub use evidence::{EvidenceDocument, evidence_of};
pub use file::FileDocument;
pub use plugin::{
    ALL_ENVIRONMENTS, PluginDocument, PluginGrantDocument, PluginNameDocument, PluginRecordDocument, PluginsKept,
    forget_plugin_records, plugin_records_of, plugins_of,
};

pub use scope::has_scope;
pub use usual::{forget_usual, keep_usual, usual_of_all};

pub(crate) use component::forget_component;
pub(crate) use materials::{forget_materials, keep_materials, materials_of};
pub(crate) use plugin::{grant_key, kept as plugins_kept};
pub use release::{EvidencePin, PathPin, PluginPin, ReleaseDocument};

pub(crate) use evidence::key as evidence_key;

use crate::error::ApiError;

/// The form that this program writes; it reads no other yet.
pub const FORM: u32 = 1;

/// A kind of document, as the catalog calls it.
pub(crate) const SERVICE: &str = "service";
/// A kind of document.
pub(crate) const ENVIRONMENT: &str = "environment";
/// A kind of document.
pub(crate) const PATH: &str = "path";
/// A kind of document.
pub(crate) const RELEASE: &str = "release";
/// A kind of document: what a release's label stands for.
pub(crate) const LABEL: &str = "release-label";
/// A kind of document.
pub(crate) const EVIDENCE: &str = "evidence";

/// A kind of document: what is usual of a metric. The room that measures owns its form.
pub(crate) const USUAL: &str = "usual";

/// A kind of document: an installed component.
pub(crate) const PLUGIN: &str = "plugin";
/// A kind of document: some of the bytes of an installed component.
pub(crate) const PLUGIN_PART: &str = "plugin-part";
/// A kind of document: what an installed component was made from.
pub(crate) const PLUGIN_MATERIALS: &str = "plugin-materials";
/// A kind of document: what a plugin's name stands for.
pub(crate) const PLUGIN_NAME: &str = "plugin-name";
/// A kind of document: what was granted to a digest.
pub(crate) const PLUGIN_GRANT: &str = "plugin-grant";
/// A kind of document: who is about to use a digest.
pub(crate) const PLUGIN_HOLD: &str = "plugin-hold";
/// A kind of document: that a digest is about to be removed.
pub(crate) const PLUGIN_REMOVAL: &str = "plugin-removal";
/// A kind of document: what operators did with a plugin; never changed.
pub(crate) const PLUGIN_RECORD: &str = "plugin-record";

#[derive(serde::Deserialize)]
struct OnlyForm {
    form: u32,
}

/// Reads a document.
pub(crate) fn read<T: DeserializeOwned>(kind: &'static str, entry: &CatalogEntry) -> Result<T, ApiError> {
    let unreadable = |message: String| ApiError::Document { kind, key: entry.key.clone(), message };
    let OnlyForm { form } = serde_json::from_str(&entry.document).map_err(|error| unreadable(error.to_string()))?;
    if form != FORM {
        return Err(unreadable(format!("it has form {form}, this program knows {FORM}")));
    }
    serde_json::from_str(&entry.document).map_err(|error| unreadable(error.to_string()))
}

/// Writes a document down as text.
pub(crate) fn write<T: Serialize>(document: &T) -> String {
    serde_json::to_string(document).expect("BUG: a document of strings and numbers always has a JSON form")
}

/// Returns a document and its entry, or what there is instead.
pub(crate) async fn find<T: DeserializeOwned>(
    store: &dyn Store,
    kind: &'static str,
    key: &str,
) -> Result<(T, CatalogEntry), ApiError> {
    match store.get(kind, key).await? {
        Some(entry) => Ok((read(kind, &entry)?, entry)),
        None => {
            let known = store.list(kind, "").await?.into_iter().map(|entry| entry.key).collect();
            Err(ApiError::NotKnown { what: kind, name: key.to_owned(), known })
        }
    }
}
