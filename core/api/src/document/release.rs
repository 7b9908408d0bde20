//! A release as it is kept.

use serde::{Deserialize, Serialize};

/// An immutable release: everything that a plan is compiled from, except the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseDocument {
    /// The form of this document.
    pub form: u32,
    /// Its own hash.
    pub id: String,
    /// Whose.
    pub service: String,
    /// What people call it.
    pub label: String,
    /// Where the artifact came from.
    pub artifact_reference: String,
    /// What it is.
    pub artifact_digest: String,
    /// The commit it was built from.
    pub source_commit: String,
    /// The service file as it was when the release was made.
    pub service_file: String,
    /// What that file is called.
    pub service_file_name: String,
    /// The golden path that it goes along.
    pub path: PathPin,
    /// The plugins that the path uses.
    pub plugins: Vec<PluginPin>,
    /// What is attached to it.
    pub evidence: Vec<EvidencePin>,
    /// When it was made, in Unix milliseconds.
    pub created_at_ms: i64,
    /// Who made it.
    pub created_by: String,
}

/// A golden path, pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PathPin {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Hash of its content.
    pub digest: String,
}

/// A plugin, pinned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginPin {
    /// Its name.
    pub name: String,
    /// Digest of its component.
    pub digest: String,
}

/// A piece of evidence without its content, which is a document of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidencePin {
    /// What kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The form of its content.
    pub media_type: String,
    /// Hash of its content.
    pub digest: String,
}
