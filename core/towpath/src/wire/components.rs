//! The bytes of installed components: fetched from where an operator says, kept in the data folder under their digest.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::{FetchError, Fetched};
use model::Digest;
use plugin_host::{Plugin, PluginHost};
use sha2::Digest as _;

use super::plugins::info;
use super::sources::{Found, Sources, read};
use crate::failure::{self, Failure};

/// Where components are kept. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Components {
    host: PluginHost,
    folder: Arc<PathBuf>,
    sources: Arc<Sources>,
}

impl Components {
    /// Opens the folder.
    pub(crate) fn open(host: PluginHost, folder: PathBuf, sources: Sources) -> Result<Self, Failure> {
        let unusable = |error| Failure::new("TP0404", format!("the folder {} cannot be used: {error}", folder.display()));
        fs::create_dir_all(&folder).map_err(unusable)?;
        Ok(Self { host, folder: Arc::new(folder), sources: Arc::new(sources) })
    }

    /// Reads the component that a reference names, and what it is. Compiles it, runs nothing and keeps nothing.
    pub(crate) async fn fetch(&self, reference: &str) -> Result<Fetched, FetchError> {
        let found = self.sources.find(reference).await?;
        let host = self.host.clone();
        let lost = |error: tokio::task::JoinError| FetchError::NotKept(error.to_string());
        tokio::task::spawn_blocking(move || judged(&host, found)).await.map_err(lost)?
    }

    /// Writes a component down, whole or not at all; durable on return.
    pub(crate) async fn keep(&self, digest: Digest, component: Vec<u8>) -> Result<(), FetchError> {
        let (folder, place) = (Arc::clone(&self.folder), self.place(digest));
        let cannot = |error: &dyn std::fmt::Display| FetchError::NotKept(format!("a component cannot be kept: {error}"));
        let kept = tokio::task::spawn_blocking(move || keep(&folder, &place, &component)).await;
        kept.map_err(|error| cannot(&error))?.map_err(|error| cannot(&error))
    }

    /// Loads a component that is kept, and returns it with its size; its content is compared with its digest before it is compiled.
    pub(crate) async fn load(&self, digest: Digest) -> Result<(Plugin, usize), String> {
        let (host, place) = (self.host.clone(), self.place(digest));
        let loaded = tokio::task::spawn_blocking(move || load(&host, &place, digest)).await;
        loaded.map_err(|error| error.to_string())?
    }

    /// Removes a component that nobody knows any more.
    pub(crate) async fn forget(&self, digest: Digest) {
        let place = self.place(digest);
        let removed = tokio::task::spawn_blocking(move || fs::remove_file(place)).await;
        if let Ok(Err(error)) = removed
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%digest, %error, "a removed component takes up room");
        }
    }

    fn place(&self, digest: Digest) -> PathBuf {
        self.folder.join(format!("{}.wasm", digest.to_string().replace(':', "-")))
    }
}

fn judged(host: &PluginHost, found: Found) -> Result<Fetched, FetchError> {
    let Found { component, source, manifest_digest, signed_by } = found;
    let loaded = host.load(&component);
    let loaded = loaded.map_err(|error| FetchError::Unusable(format!("{source} cannot be used: {}", failure::chain(&error))))?;
    let info = info(&loaded.manifest().name, digest(&component), loaded.manifest(), component.len());
    Ok(Fetched { info, component, source, manifest_digest, signed_by })
}

fn keep(folder: &Path, place: &Path, component: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(component)?;
    file.as_file().sync_all()?;
    file.persist(place)?;
    // The name is durable when its folder is.
    File::open(folder)?.sync_all()
}

fn load(host: &PluginHost, place: &Path, expected: Digest) -> Result<(Plugin, usize), String> {
    let component = read(place).map_err(|error| format!("{} cannot be read: {error}", place.display()))?;
    let found = digest(&component);
    if found != expected {
        return Err(format!("{} has digest {found}, installed was {expected}", place.display()));
    }
    let plugin = host.load(&component).map_err(|error| failure::chain(&error))?;
    Ok((plugin, component.len()))
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(sha2::Sha256::digest(bytes).into())
}
