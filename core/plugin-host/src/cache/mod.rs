//! Compiled components on disk, so that nothing is compiled at start.
//!
//! Loading compiled code is trusting it: only files of our own user, in a folder that only we can enter, under a name that says
//! exactly what they are (component, engine version, configuration, processor). Anything odd about a file and the component is
//! compiled again.

mod compiled;

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::HostError;

/// The mode of the folder: only we enter.
const FOLDER_MODE: u32 = 0o700;

/// The mode of a file: only we read and write.
const FILE_MODE: u32 = 0o600;

/// The permission bits of everybody else.
const OTHERS: u32 = 0o077;

/// Compiled components on disk.
pub(crate) struct Cache {
    folder: PathBuf,
    /// What compiled code depends on beside the component: engine version, configuration, processor.
    environment: String,
    user: u32,
}

impl Cache {
    /// Opens the folder, making it if needed.
    pub(crate) fn open(folder: &Path, engine: &Engine) -> Result<Self, HostError> {
        let user = nix::unistd::geteuid().as_raw();
        let unusable = |source| HostError::Cache { folder: folder.to_owned(), source };
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(unusable)?;
        let found = fs::metadata(folder).map_err(unusable)?;
        if found.uid() != user {
            return Err(HostError::CacheOwner { folder: folder.to_owned(), expected: user, found: found.uid() });
        }
        fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE)).map_err(unusable)?;
        Ok(Self { folder: folder.to_owned(), environment: environment(engine), user })
    }

    /// Returns the compiled component of this digest, if it is there and ours.
    pub(crate) fn get(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let path = self.path(digest);
        let found = fs::symlink_metadata(&path).ok()?;
        if !found.is_file() || found.uid() != self.user || found.mode() & OTHERS != 0 {
            tracing::warn!("{} is not as this host wrote it; the component is compiled again", path.display());
            return None;
        }
        compiled::load(engine, &path)
            .inspect_err(|error| {
                tracing::warn!("{} cannot be loaded, the component is compiled again: {error:#}", path.display())
            })
            .ok()
    }

    /// Keeps a compiled component. A failure costs time at the next start, nothing else.
    pub(crate) fn put(&self, digest: &str, component: &Component) {
        let path = self.path(digest);
        let kept = component.serialize().map_err(io::Error::other).and_then(|code| self.write(&path, &code));
        if let Err(error) = kept {
            tracing::warn!("the compiled component cannot be kept in {}: {error}", path.display());
        }
    }

    fn write(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        // Two hosts may write the same file at once: each its own temporary, and the renames are atomic.
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(&temporary)?;
        file.write_all(code)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        fs::File::open(&self.folder)?.sync_all()
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("{}-{}.cwasm", digest.replace(':', "-"), self.environment))
    }
}

/// Returns a name for everything that compiled code depends on beside the component.
fn environment(engine: &Engine) -> String {
    let mut hasher = Hashing(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex::encode(&hasher.0.finalize()[..16])
}

/// A hasher whose result is the same in every process and wide enough to be a name.
struct Hashing(Sha256);

impl Hasher for Hashing {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
