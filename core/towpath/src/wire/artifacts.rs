//! The artifact store behind the ports of the API and of the plugin host.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use api::{ArtifactReference, Artifacts, ArtifactsError};
use artifact::{Error, Store};
use async_trait::async_trait;
use model::{Artifact, Digest};
use plugin_host::{ArtifactBackend, ArtifactFault, ArtifactFile};

use crate::failure::{self, Failure};

/// How many artifacts are remembered as verified; then the memory begins anew.
const VERIFIED_MAX: usize = 1_000;

/// Artifacts from this machine.
#[derive(Clone)]
pub(crate) struct LocalArtifacts {
    store: Store,
    /// Those that were whole when a plugin first asked for them since the server started.
    verified: Arc<Mutex<HashSet<Digest>>>,
}

impl LocalArtifacts {
    /// Opens the store.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let store = Store::open(folder).map_err(|error| Failure::of("TP0404", &error))?;
        Ok(Self { store, verified: Arc::default() })
    }
}

impl LocalArtifacts {
    /// Reads an artifact for a plugin, on a thread that may block. It is verified first, once.
    async fn read_for_plugin<T: Send + 'static>(
        &self,
        digest: &str,
        read: impl FnOnce(&Store, &Digest) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ArtifactFault> {
        let digest = Digest::parse(digest).map_err(|error| ArtifactFault::Absent(format!("{digest:?}: {error}")))?;
        let ours = self.clone();
        let work = move || {
            if !ours.is_verified(&digest) {
                ours.store.verify(&digest)?;
                ours.remember(digest);
            }
            read(&ours.store, &digest)
        };
        let read = tokio::task::spawn_blocking(work).await;
        read.map_err(|error| ArtifactFault::Broken(error.to_string()))?.map_err(|error| fault(&error))
    }

    fn is_verified(&self, digest: &Digest) -> bool {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }

    fn remember(&self, digest: Digest) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= VERIFIED_MAX {
            verified.clear();
        }
        verified.insert(digest);
    }
}

#[async_trait]
impl ArtifactBackend for LocalArtifacts {
    async fn files(&self, digest: &str) -> Result<Vec<ArtifactFile>, ArtifactFault> {
        let stored = self.read_for_plugin(digest, |store, digest| store.files(digest)).await?;
        // A name that is not text cannot be said in the contract, nor asked for.
        let named = |file: artifact::Stored| {
            Some(ArtifactFile { path: file.path.to_str()?.to_owned(), size: file.bytes, executable: file.executable })
        };
        Ok(stored.into_iter().filter_map(named).collect())
    }

    async fn read(&self, digest: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, ArtifactFault> {
        let path = path.to_owned();
        self.read_for_plugin(digest, move |store, digest| store.read(digest, Path::new(&path), offset, length)).await
    }
}

/// Sorts an error for a plugin, which has no business with the folders of this machine.
fn fault(error: &Error) -> ArtifactFault {
    match error {
        Error::Unknown { digest, .. } => ArtifactFault::Absent(format!("artifact {digest} is not in the store")),
        Error::Changed { expected, found, .. } => {
            ArtifactFault::Broken(format!("artifact {expected} changed after registration: found {found}"))
        }
        Error::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
            ArtifactFault::Absent("the artifact has no such file".to_owned())
        }
        other => {
            tracing::warn!("an artifact cannot be read for a plugin: {}", failure::chain(other));
            ArtifactFault::Broken("the artifact cannot be read; the server's log says why".to_owned())
        }
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
