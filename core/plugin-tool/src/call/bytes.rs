//! Bytes in JSON.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ToolError;

/// A file larger than this is more than a plugin may be given.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Bytes: as a text where they are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Bytes {
    /// UTF-8.
    Text(String),
    /// Two digits each.
    Hex(String),
    /// What is in a file, named from the folder of the file that names it.
    File(String),
}

impl Bytes {
    /// Returns bytes in their most readable form.
    pub fn of(bytes: &[u8]) -> Self {
        std::str::from_utf8(bytes).map_or_else(|_| Self::Hex(hex::encode(bytes)), |text| Self::Text(text.to_owned()))
    }

    /// Returns the bytes themselves; files are looked for in `folder`.
    pub fn read(&self, folder: &Path) -> Result<Vec<u8>, ToolError> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::Hex(digits) => hex::decode(digits).map_err(|error| ToolError::Call { why: format!("`hex` is not: {error}") }),
            Self::File(name) => {
                let path = folder.join(name);
                let read = |source| ToolError::Read { path: path.clone(), source };
                let found = std::fs::metadata(&path).map_err(read)?.len();
                if found > FILE_BYTES_MAX {
                    return Err(ToolError::Call {
                        why: format!("{name} has {found} bytes, at most {FILE_BYTES_MAX} are given to a plugin"),
                    });
                }
                std::fs::read(&path).map_err(read)
            }
        }
    }
}
