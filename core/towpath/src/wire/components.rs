//! The bytes of installed components: fetched from where an operator says, kept in the data folder under their digest.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::{FetchError, Fetched};
use model::Digest;
use plugin_host::{Limits, Plugin, PluginHost};
use sha2::Digest as _;

use super::plugins::info;
use crate::failure::{self, Failure};

/// Where components are kept. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Components {
    host: PluginHost,
    folder: Arc<PathBuf>,
}

impl Components {
    /// Opens the folder.
    pub(crate) fn open(host: PluginHost, folder: PathBuf) -> Result<Self, Failure> {
        let unusable = |error| Failure::new("TP0404", format!("the folder {} cannot be used: {error}", folder.display()));
        fs::create_dir_all(&folder).map_err(unusable)?;
        Ok(Self { host, folder: Arc::new(folder) })
    }

    /// Reads the component that a reference names, and what it is. Compiles it, runs nothing and keeps nothing.
    pub(crate) async fn fetch(&self, reference: &str) -> Result<Fetched, FetchError> {
        let (host, reference) = (self.host.clone(), reference.to_owned());
        let lost = |error: tokio::task::JoinError| FetchError::NotKept(error.to_string());
        tokio::task::spawn_blocking(move || fetch(&host, &reference)).await.map_err(lost)?
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

fn fetch(host: &PluginHost, reference: &str) -> Result<Fetched, FetchError> {
    if !Path::new(reference).is_absolute() {
        let why = format!("{reference:?} is not the absolute path of a component on the server's machine");
        return Err(FetchError::Unusable(why));
    }
    let component = read(Path::new(reference)).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => FetchError::NotFound(format!("{reference} cannot be read: {error}")),
        _ => FetchError::Unusable(format!("{reference} cannot be read: {error}")),
    })?;
    let digest = digest(&component);
    let loaded = host.load(&component);
    let loaded =
        loaded.map_err(|error| FetchError::Unusable(format!("{reference} cannot be used: {}", failure::chain(&error))))?;
    let info = info(&loaded.manifest().name, digest, loaded.manifest(), component.len());
    Ok(Fetched { info, component, source: format!("file://{reference}"), manifest_digest: None, signed_by: Vec::new() })
}

/// Reads a file that is no larger than a component may be.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit = Limits::default().component_bytes;
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    match bytes.len() > limit {
        true => Err(std::io::Error::new(ErrorKind::FileTooLarge, format!("a component may have {limit} bytes, it has more"))),
        false => Ok(bytes),
    }
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
