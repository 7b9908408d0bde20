//! Installed plugins, what their names stand for, what was granted to them, and the record of all that.

use journal::{Store, StoreError};
use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PLUGIN, PLUGIN_GRANT, PLUGIN_NAME, PLUGIN_RECORD, read};
use crate::error::ApiError;

/// An installed component. Its bytes are documents of their own, under its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginDocument {
    /// The form of this document.
    pub form: u32,
    /// What paths and environments call it.
    pub name: String,
    /// Digest of its component.
    pub digest: String,
    /// Its version.
    pub version: String,
    /// What it can be used as.
    pub kinds: Vec<String>,
    /// The powers it asks for, each with its reason.
    pub powers: Vec<(String, String)>,
    /// Where it came from.
    pub source: String,
    /// The digest of its manifest in a registry.
    pub manifest_digest: Option<String>,
    /// Who signed it, as far as that was verified.
    pub signed_by: Vec<String>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Who installed it.
    pub installed_by: String,
    /// When, in Unix milliseconds.
    pub installed_at_ms: i64,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginNameDocument {
    /// The form of this document.
    pub form: u32,
    /// The name.
    pub name: String,
    /// Digest of the component.
    pub digest: String,
}

/// What was granted to one digest in one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginGrantDocument {
    /// The form of this document.
    pub form: u32,
    /// What the plugin was called.
    pub plugin: String,
    /// Digest of the component.
    pub digest: String,
    /// Where; `None`: in all environments.
    pub environment: Option<String>,
    /// The powers, in the form that the plugin host reads.
    pub powers: serde_json::Value,
    /// Until when, in Unix milliseconds; `None`: until it is revoked.
    pub expires_at_ms: Option<i64>,
    /// Who granted it.
    pub granted_by: String,
    /// When, in Unix milliseconds.
    pub granted_at_ms: i64,
    /// Why.
    pub reason: String,
}

/// One thing that an operator did with a plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginRecordDocument {
    /// The form of this document.
    pub form: u32,
    /// The plugin.
    pub plugin: String,
    /// Digest of the component.
    pub digest: String,
    /// "install", "grant", "revoke", "approve" or "remove".
    pub act: String,
    /// What exactly: the powers and where.
    pub what: String,
    /// The environment that it is about, `*` for all of them; none where it is about none, and in records of before there was this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Why, as far as somebody said.
    pub reason: String,
    /// Who.
    pub by: String,
    /// From where.
    pub from: String,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}

/// Everything that the catalog holds about plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginsKept {
    /// The installed components.
    pub installed: Vec<PluginDocument>,
    /// What names stand for.
    pub names: Vec<PluginNameDocument>,
    /// What was granted.
    pub grants: Vec<PluginGrantDocument>,
}

/// Returns everything that the catalog holds about plugins. The error is a sentence for the log.
pub async fn plugins_of(store: &dyn Store) -> Result<PluginsKept, String> {
    kept(store).await.map_err(|error| error.to_string())
}

/// Returns everything that the catalog holds about plugins.
pub(crate) async fn kept(store: &dyn Store) -> Result<PluginsKept, ApiError> {
    let (mut installed, mut names, mut grants) = (Vec::new(), Vec::new(), Vec::new());
    for entry in store.list(PLUGIN, "").await? {
        installed.push(read(PLUGIN, &entry)?);
    }
    for entry in store.list(PLUGIN_NAME, "").await? {
        names.push(read(PLUGIN_NAME, &entry)?);
    }
    for entry in store.list(PLUGIN_GRANT, "").await? {
        grants.push(read(PLUGIN_GRANT, &entry)?);
    }
    Ok(PluginsKept { installed, names, grants })
}

/// Returns what operators did with plugins, by plugin and time; what cannot be read, as a sentence. A plugin's name narrows it down.
pub async fn plugin_records_of(
    store: &dyn Store,
    plugin: Option<&str>,
) -> Result<Vec<Result<PluginRecordDocument, String>>, StoreError> {
    let prefix = plugin.map(|name| format!("{name}/")).unwrap_or_default();
    let entries = store.list(PLUGIN_RECORD, &prefix).await?;
    Ok(entries.iter().map(|entry| read(PLUGIN_RECORD, entry).map_err(|error| error.to_string())).collect())
}

/// Forgets what operators did with plugins before an instant, and returns how many records that were. What cannot be read stays.
pub async fn forget_plugin_records(store: &dyn Store, before: Timestamp) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for entry in store.list(PLUGIN_RECORD, "").await? {
        let record: Result<PluginRecordDocument, _> = read(PLUGIN_RECORD, &entry);
        if record.is_ok_and(|record| record.at_ms < before.0) && store.remove(PLUGIN_RECORD, &entry.key).await? {
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

/// Stands for all environments: none can be called like that.
pub const ALL_ENVIRONMENTS: &str = "*";

/// Returns the key of a grant.
pub(crate) fn grant_key(digest: &str, environment: Option<&str>) -> String {
    format!("{digest}/{}", environment.unwrap_or(ALL_ENVIRONMENTS))
}
