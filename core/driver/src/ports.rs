//! What the driver needs from outside.

use async_trait::async_trait;
use model::{Digest, EnvironmentName, ReleaseId};
use plugin_host::{Evidence, GrantsInForce};

/// Says what an operator granted.
#[async_trait]
pub trait GrantSource: Send + Sync + 'static {
    /// Returns the powers of a plugin in an environment; none where nobody granted any.
    async fn grants(&self, plugin: &str, digest: Digest, environment: &EnvironmentName) -> GrantsInForce;
}

/// Finds what CI attached to a release.
#[async_trait]
pub trait EvidenceSource: Send + Sync + 'static {
    /// Returns a release's evidence.
    async fn evidence(&self, release: &ReleaseId) -> Result<Vec<Evidence>, EvidenceError>;
}

/// The evidence could not be read; a gate must not be asked without it.
#[derive(Debug, thiserror::Error)]
#[error("the evidence of release {release} could not be read: {message}")]
pub struct EvidenceError {
    /// Whose.
    pub release: String,
    /// Why.
    pub message: String,
}
