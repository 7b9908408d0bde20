//! The bytes of installed components: fetched from where an operator says, and kept in the store, where every server that shares it
//! finds them and every copy of it has them. The data folder holds what this server used, under its digest; what is missing or damaged
//! there comes from the store.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::{FetchError, Fetched, document};
use journal::{Store, StoreError};
use model::{Digest, Timestamp};
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
    store: Arc<dyn Store>,
}

/// Why a component was not loaded.
pub(crate) enum Unloaded {
    /// It cannot be used.
    Unusable(String),
    /// The store could not be asked: it is to be tried again.
    NotNow(String),
}

impl Components {
    /// Opens the folder.
    pub(crate) fn open(host: PluginHost, folder: PathBuf, sources: Sources, store: Arc<dyn Store>) -> Result<Self, Failure> {
        let unusable = |error| Failure::new("TP0404", format!("the folder {} cannot be used: {error}", folder.display()));
        fs::create_dir_all(&folder).map_err(unusable)?;
        Ok(Self { host, folder: Arc::new(folder), sources: Arc::new(sources), store })
    }

    /// Reads the component that a reference names, and what it is. Compiles it, runs nothing and keeps nothing.
    pub(crate) async fn fetch(&self, reference: &str) -> Result<Fetched, FetchError> {
        let found = self.sources.find(reference).await?;
        let host = self.host.clone();
        let lost = |error: tokio::task::JoinError| FetchError::NotKept(error.to_string());
        tokio::task::spawn_blocking(move || judged(&host, found)).await.map_err(lost)?
    }

    /// Writes a component down, in the store and in the folder; durable on return.
    pub(crate) async fn keep(&self, digest: Digest, component: Vec<u8>, now: Timestamp) -> Result<(), FetchError> {
        let stored = document::keep_component(&*self.store, digest, &component, now).await;
        stored.map_err(|error| FetchError::NotKept(format!("a component cannot be kept: {error}")))?;
        self.write(digest, component).await.map_err(|why| FetchError::NotKept(format!("a component cannot be kept: {why}")))
    }

    /// Loads a component that is kept, and returns it with its size; its content is compared with its digest before it is compiled.
    pub(crate) async fn load(&self, digest: Digest, now: Timestamp) -> Result<(Plugin, usize), Unloaded> {
        let component = match self.read(digest).await {
            Ok(component) => {
                self.offer(digest, &component, now).await;
                component
            }
            Err(why) => self.bring(digest, why).await?,
        };
        let host = self.host.clone();
        let loaded = tokio::task::spawn_blocking(move || host.load(&component).map(|plugin| (plugin, component.len()))).await;
        let loaded = loaded.map_err(|error| Unloaded::NotNow(error.to_string()))?;
        loaded.map_err(|error| Unloaded::Unusable(failure::chain(&error)))
    }

    /// Reads a component from the folder.
    async fn read(&self, digest: Digest) -> Result<Vec<u8>, String> {
        let place = self.place(digest);
        let read = tokio::task::spawn_blocking(move || whole(&place, digest)).await;
        read.map_err(|error| error.to_string())?
    }

    /// Brings a component from the store into the folder; `missing` says why that has to be.
    async fn bring(&self, expected: Digest, missing: String) -> Result<Vec<u8>, Unloaded> {
        let component = match document::component_of(&*self.store, expected).await {
            Ok(Some(component)) => component,
            Ok(None) => return Err(Unloaded::Unusable(missing)),
            Err(StoreError::Damaged(why)) => return Err(Unloaded::Unusable(why)),
            Err(error) => return Err(Unloaded::NotNow(error.to_string())),
        };
        let found = digest(&component);
        if found != expected {
            return Err(Unloaded::Unusable(format!("the store's copy has digest {found}, installed was {expected}")));
        }
        // It can be used without the folder; the next start brings it again.
        if let Err(why) = self.write(expected, component.clone()).await {
            tracing::warn!(digest = %expected, why, "a component is not kept in the data folder");
        }
        Ok(component)
    }

    /// Gives the store what it has not: an earlier version of this program kept components in the folder alone.
    async fn offer(&self, digest: Digest, component: &[u8], now: Timestamp) {
        let offered = match document::has_component(&*self.store, digest).await {
            Ok(true) => Ok(()),
            Ok(false) => document::keep_component(&*self.store, digest, component, now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = offered {
            tracing::warn!(%digest, %error, "other servers may not have a component");
        }
    }

    async fn write(&self, digest: Digest, component: Vec<u8>) -> Result<(), String> {
        let (folder, place) = (Arc::clone(&self.folder), self.place(digest));
        let kept = tokio::task::spawn_blocking(move || keep(&folder, &place, &component)).await;
        kept.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
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
    let Found { component, source, manifest_digest, signed_by, materials } = found;
    let loaded = host.load(&component);
    let loaded = loaded.map_err(|error| FetchError::Unusable(format!("{source} cannot be used: {}", failure::chain(&error))))?;
    let info = info(&loaded.manifest().name, digest(&component), loaded.manifest(), component.len());
    Ok(Fetched { info, component, source, manifest_digest, signed_by, materials })
}

fn keep(folder: &Path, place: &Path, component: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(component)?;
    file.as_file().sync_all()?;
    file.persist(place)?;
    // The name is durable when its folder is.
    File::open(folder)?.sync_all()
}

/// Reads a file that must have this digest.
fn whole(place: &Path, expected: Digest) -> Result<Vec<u8>, String> {
    let component = read(place).map_err(|error| format!("{} cannot be read: {error}", place.display()))?;
    match digest(&component) {
        found if found == expected => Ok(component),
        found => Err(format!("{} has digest {found}, installed was {expected}", place.display())),
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(sha2::Sha256::digest(bytes).into())
}
