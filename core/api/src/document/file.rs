//! A file that a person wrote: service, environment or golden path.

use serde::{Deserialize, Serialize};

/// A service, environment or golden path, kept as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileDocument {
    /// The form of this document.
    pub form: u32,
    /// Its name.
    pub name: String,
    /// Its version; only paths have one.
    pub version: Option<String>,
    /// Hash of its content.
    pub digest: String,
    /// What matters about it, in one line.
    pub summary: String,
    /// Its text.
    pub text: String,
    /// What the person called the file.
    pub file_name: String,
    /// Who gave it.
    pub written_by: String,
}
