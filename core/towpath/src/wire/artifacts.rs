//! The artifact store behind the API's port.

use std::io::ErrorKind;
use std::path::Path;

use api::{ArtifactReference, Artifacts, ArtifactsError};
use artifact::{Error, Store};
use async_trait::async_trait;
use model::Artifact;

use crate::failure::Failure;

/// Artifacts from this machine.
pub(crate) struct LocalArtifacts {
    store: Store,
}

impl LocalArtifacts {
    /// Opens the store.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let store = Store::open(folder).map_err(|error| Failure::of("TP0404", &error))?;
        Ok(Self { store })
    }
}

#[async_trait]
impl Artifacts for LocalArtifacts {
    async fn import(&self, reference: &ArtifactReference) -> Result<Artifact, ArtifactsError> {
        let (store, reference) = (self.store.clone(), reference.clone());
        let work = move || match reference {
            ArtifactReference::Local(path) => {
                let imported = store.import(Path::new(&path)).map_err(sorted)?;
                Ok(Artifact { reference: format!("file://{path}"), digest: imported.digest })
            }
            ArtifactReference::Pinned { name, digest } => {
                store.verify(&digest).map_err(sorted)?;
                Ok(Artifact { reference: name, digest })
            }
        };
        // Files are copied, hashed and flushed: that blocks.
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(ArtifactsError::Failed(error.to_string())))
    }
}

fn sorted(error: Error) -> ArtifactsError {
    match &error {
        Error::Unknown { .. } => ArtifactsError::NotFound(error.to_string()),
        Error::Changed { .. } => ArtifactsError::Changed(error.to_string()),
        Error::Io { source, .. } => {
            let message = format!("{error}: {source}");
            match source.kind() {
                ErrorKind::NotFound => ArtifactsError::NotFound(message),
                ErrorKind::PermissionDenied => ArtifactsError::Unusable(message),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ArtifactsError::Full(message),
                _ => ArtifactsError::Failed(message),
            }
        }
        _ => ArtifactsError::Unusable(error.to_string()),
    }
}
