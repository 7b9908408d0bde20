//! `artifact`: the bytes of the artifacts that the call is about.
//!
//! Those are the artifacts of the desired state that the call was given, and the one that its context names; no other, whatever digest
//! the guest knows. Paths are names inside of an artifact: what would lead out is not one.

pub(crate) mod grant;
pub(crate) mod path;

mod guest;
#[cfg(test)]
mod tests;

use async_trait::async_trait;

/// A file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactFile {
    /// Its path in the artifact, with "/" between folders.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it may be executed.
    pub executable: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactFault {
    /// The store has no such artifact or file.
    #[error("not there: {0}")]
    Absent(String),
    /// The store failed, or its copy is not what its digest says.
    #[error("the store failed: {0}")]
    Broken(String),
}

/// The store of artifacts, as the host reaches it. Digests and paths were checked before.
#[async_trait]
pub trait ArtifactBackend: Send + Sync + 'static {
    /// Returns the regular files of an artifact, by path.
    async fn files(&self, digest: &str) -> Result<Vec<ArtifactFile>, ArtifactFault>;

    /// Returns up to `length` bytes of a file from `offset` on; fewer at its end, none behind it.
    async fn read(&self, digest: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ArtifactFault>;
}
