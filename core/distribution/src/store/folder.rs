//! A folder with plugins, for machines without a network: an OCI image layout (`oci-layout`, `index.json`, `blobs/`).
//!
//! Every tool that reads layouts reads it. A plugin is found by its whole name with the tag, or by the tag alone where another tool
//! wrote the folder; what has a digest is found by it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

use crate::digest::{check, digest_of, digits};
use crate::error::Error;
use crate::manifest::{Descriptor, INDEX_TYPE, MANIFEST_BYTES_MAX, Manifest};
use crate::reference::Reference;

/// The annotation of an entry that holds its name.
const NAME: &str = "org.opencontainers.image.ref.name";
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// Most entries of a folder that are read: each may have to be opened to see what it is attached to.
const ENTRIES_MAX: usize = 4_096;

/// A folder with plugins. One process writes to it at a time.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Returns the folder. Nothing is read yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the names of the plugins and signatures in it.
    ///
    /// # Errors
    /// Returns why it cannot be read.
    pub async fn names(&self) -> Result<Vec<String>, Error> {
        let entries = self.entries().await?;
        Ok(entries.into_iter().filter_map(|mut entry| entry.annotations.remove(NAME)).collect())
    }

    pub(super) async fn resolve(&self, reference: &Reference) -> Result<String, Error> {
        let tag = reference.tag().unwrap_or("latest");
        let whole = format!("{}:{tag}", reference.name());
        let entries = self.entries().await?;
        let named = |name: &str| {
            let mut found = entries.iter().filter(|entry| entry.annotations.get(NAME).is_some_and(|found| found == name));
            found.next().filter(|_| found.next().is_none())
        };
        match named(&whole).or_else(|| named(tag)).filter(|entry| digits(&entry.digest).is_some()) {
            Some(entry) => Ok(entry.digest.clone()),
            None => Err(Error::NotFound { what: whole, asked: vec![self.path.display().to_string()] }),
        }
    }

    pub(super) async fn manifest(&self, digest: &str) -> Result<Bytes, Error> {
        self.blob(digest, MANIFEST_BYTES_MAX).await
    }

    pub(super) async fn blob(&self, digest: &str, bytes_max: usize) -> Result<Bytes, Error> {
        let path = self.blob_path(digest);
        let what = format!("the blob {digest}");
        let Some(bytes) = self.read(&path, &what, bytes_max).await? else {
            return Err(Error::NotFound { what, asked: vec![self.path.display().to_string()] });
        };
        check(&what, &path.display().to_string(), digest, &bytes)?;
        Ok(bytes)
    }

    pub(super) async fn referrers(&self, digest: &str) -> Result<Vec<Descriptor>, Error> {
        let mut found = Vec::new();
        for entry in self.entries().await? {
            if digits(&entry.digest).is_none() {
                continue;
            }
            let bytes = self.manifest(&entry.digest).await?;
            let manifest = Manifest::read(&entry.digest, &bytes)?;
            if manifest.subject.is_some_and(|subject| subject.digest == digest) {
                found.push(entry);
            }
        }
        Ok(found)
    }

    pub(super) async fn put_blob(&self, bytes: &[u8]) -> Result<Descriptor, Error> {
        let path = self.blob_path(&digest_of(bytes));
        if !tokio::fs::try_exists(&path).await.unwrap_or(false) {
            self.write(&path, bytes).await?;
        }
        Ok(Descriptor::of("", bytes))
    }

    pub(super) async fn put_manifest(&self, reference: &Reference, kind: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut entry = Descriptor { media_type: kind.to_owned(), ..self.put_blob(bytes).await? };
        let mut entries = self.entries_or_none().await?.unwrap_or_default();
        if let Some(tag) = reference.tag() {
            let name = format!("{}:{tag}", reference.name());
            for other in &mut entries {
                other.annotations.retain(|key, value| key != NAME || *value != name);
            }
            entry.annotations = BTreeMap::from([(NAME.to_owned(), name)]);
        }
        entries.retain(|other| *other != entry);
        entries.push(entry);
        let index = Manifest {
            schema_version: 2,
            media_type: Some(INDEX_TYPE.to_owned()),
            manifests: Some(entries),
            ..Manifest::default()
        };
        self.write(&self.path.join("oci-layout"), LAYOUT.as_bytes()).await?;
        self.write(&self.path.join("index.json"), &index.to_bytes()).await
    }

    async fn entries(&self) -> Result<Vec<Descriptor>, Error> {
        let none = || self.wrong(&self.path, &"it has no index.json, so it is no OCI image layout");
        self.entries_or_none().await?.ok_or_else(none)
    }

    async fn entries_or_none(&self) -> Result<Option<Vec<Descriptor>>, Error> {
        let path = self.path.join("index.json");
        let Some(bytes) = self.read(&path, "the index", MANIFEST_BYTES_MAX).await? else { return Ok(None) };
        let index: Manifest = serde_json::from_slice(&bytes).map_err(|error| self.wrong(&path, &error))?;
        let entries = index.manifests.unwrap_or_default();
        match entries.len() > ENTRIES_MAX {
            true => Err(self.wrong(&path, &format!("it has {} entries, at most {ENTRIES_MAX} are read", entries.len()))),
            false => Ok(Some(entries)),
        }
    }

    fn blob_path(&self, digest: &str) -> PathBuf {
        let digits = digits(digest).expect("BUG: only digests that were checked are looked up");
        self.path.join("blobs").join("sha256").join(digits)
    }

    async fn read(&self, path: &Path, what: &str, bytes_max: usize) -> Result<Option<Bytes>, Error> {
        let file = match tokio::fs::File::open(path).await {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.wrong(path, &error)),
        };
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).await.map_err(|error| self.wrong(path, &error))?;
        match bytes.len() > bytes_max {
            true => Err(Error::TooLarge { place: self.path.display().to_string(), what: what.to_owned(), limit }),
            false => Ok(Some(bytes.into())),
        }
    }

    /// A file is whole or not there, whatever ends this process.
    async fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let parent = path.parent().unwrap_or(&self.path).to_owned();
        let (to, bytes) = (path.to_owned(), bytes.to_vec());
        let writing = tokio::task::spawn_blocking(move || {
            use std::io::Write as _;
            std::fs::create_dir_all(&parent)?;
            let mut file = tempfile::Builder::new().permissions(readable()).tempfile_in(&parent)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(to).map(|_| ()).map_err(|error| error.error)
        });
        let written = writing.await.map_err(|error| self.wrong(path, &error))?;
        written.map_err(|error| self.wrong(path, &error))
    }

    fn wrong(&self, path: &Path, why: &dyn std::fmt::Display) -> Error {
        Error::Folder { path: path.to_owned(), why: why.to_string() }
    }
}

/// A folder that travels is read by others than who wrote it.
fn readable() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o644)
}
