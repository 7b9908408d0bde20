//! The folder of folders: each release under the name of its digest, read-only.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use model::Digest;

use crate::Error;
use crate::digest::{digest_listing, digest_of};
use crate::walk::{Entry, Kind, Listing, list};

/// What a copy is called until it is complete. Nothing reads folders with this name.
const INCOMING: &str = "incoming-";

/// The content-addressed store. Cheap to clone; two processes may use one folder.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

/// What an import brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What it is.
    pub digest: Digest,
    /// Where it is now; read-only.
    pub folder: PathBuf,
    /// How many regular files it holds.
    pub files: u64,
    /// The sum of their lengths, in bytes.
    pub bytes: u64,
}

/// A regular file of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Where it is, relative to the artifact.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Whether it may be executed.
    pub executable: bool,
}

impl Store {
    /// Opens the store in `dir`, makes the folder if there is none, and removes what interrupted imports left behind.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        let dir = fs::canonicalize(dir).map_err(Error::io("find", dir))?;
        for item in fs::read_dir(&dir).map_err(Error::io("list", &dir))? {
            let item = item.map_err(Error::io("list", &dir))?;
            if item.file_name().to_string_lossy().starts_with(INCOMING) {
                remove_abandoned(&item.path());
            }
        }
        Ok(Self { dir })
    }

    /// Returns where the artifact with that digest is, whether or not it was imported yet.
    pub fn folder(&self, digest: &Digest) -> PathBuf {
        self.dir.join(digest.to_string().replace(':', "-"))
    }

    /// Copies the folder or file at `source` into the store, flushed to the disk and read-only, under the digest of the copy.
    ///
    /// Importing the same content again finds the first copy, provided that it still verifies.
    pub fn import(&self, source: &Path) -> Result<Imported, Error> {
        let incoming =
            tempfile::Builder::new().prefix(INCOMING).tempdir_in(&self.dir).map_err(Error::io("write to", &self.dir))?;
        // Held until the end: tells another `open` that this folder is not abandoned.
        let held = File::open(incoming.path()).map_err(Error::io("open", incoming.path()))?;
        held.lock().map_err(Error::io("lock", incoming.path()))?;
        copy(&list(source)?, incoming.path())?;
        // The copy is hashed, not the source: what was written is what is named.
        let copied = list(incoming.path())?;
        let digest = digest_listing(&copied)?;
        let folder = self.folder(&digest);
        let imported = Imported { digest, folder, files: copied.files(), bytes: copied.bytes };
        if imported.folder.exists() {
            self.verify(&imported.digest)?;
            return Ok(imported);
        }
        seal(&copied)?;
        match fs::rename(incoming.path(), &imported.folder) {
            Ok(()) => {}
            // Somebody imported the same content a moment earlier.
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {
                unseal(incoming.path());
                self.verify(&imported.digest)?;
            }
            Err(error) => return Err(Error::io("rename", incoming.path())(error)),
        }
        sync(&self.dir)?;
        Ok(imported)
    }

    /// Checks that the folder of `digest` still is what was imported. Reads all of it.
    pub fn verify(&self, digest: &Digest) -> Result<(), Error> {
        let folder = self.folder(digest);
        if !folder.is_dir() {
            return Err(Error::Unknown { digest: *digest, folder });
        }
        let found = digest_of(&folder)?;
        match found == *digest {
            true => Ok(()),
            false => Err(Error::Changed { folder, expected: *digest, found }),
        }
    }
}

impl Store {
    /// Returns the regular files of an artifact, by path. Links are left out; what they lead to is listed under its own name.
    pub fn files(&self, digest: &Digest) -> Result<Vec<Stored>, Error> {
        let listing = list(&self.existing(digest)?)?;
        let stored = |entry: Entry| match entry.kind {
            Kind::File { executable, bytes } => Some(Stored { path: entry.path, bytes, executable }),
            Kind::Folder | Kind::Link { .. } => None,
        };
        Ok(listing.entries.into_iter().filter_map(stored).collect())
    }

    /// Returns up to `length` bytes of a file from `offset` on; fewer at its end, none behind it.
    ///
    /// The file is found by its path inside of the artifact; a path or a link that leads out of it finds nothing.
    pub fn read(&self, digest: &Digest, path: &Path, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
        let folder = self.existing(digest)?;
        let place = folder.join(path);
        let outside = || io::Error::new(io::ErrorKind::NotFound, "the artifact has no such file");
        let found = fs::canonicalize(&place).map_err(Error::io("read", &place))?;
        if !found.starts_with(&folder) || !found.is_file() {
            return Err(Error::io("read", &place)(outside()));
        }
        let mut file = File::open(&found).map_err(Error::io("read", &found))?;
        file.seek(SeekFrom::Start(offset)).map_err(Error::io("read", &found))?;
        let mut bytes = Vec::new();
        file.take(u64::from(length)).read_to_end(&mut bytes).map_err(Error::io("read", &found))?;
        Ok(bytes)
    }

    fn existing(&self, digest: &Digest) -> Result<PathBuf, Error> {
        let folder = self.folder(digest);
        if folder.is_dir() { Ok(folder) } else { Err(Error::Unknown { digest: *digest, folder }) }
    }
}

fn copy(from: &Listing, to: &Path) -> Result<(), Error> {
    for entry in &from.entries {
        let source = from.root.join(&entry.path);
        let target = to.join(&entry.path);
        match &entry.kind {
            Kind::Folder => fs::create_dir(&target).map_err(Error::io("create", &target))?,
            Kind::Link { target: text } => symlink(text, &target).map_err(Error::io("create", &target))?,
            Kind::File { executable, bytes } => copy_file(&source, &target, *executable, *bytes)?,
        }
    }
    Ok(())
}

fn copy_file(source: &Path, target: &Path, executable: bool, expected: u64) -> Result<(), Error> {
    let mode = if executable { 0o700 } else { 0o600 };
    let mut from = File::open(source).map_err(Error::io("read", source))?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(mode).open(target).map_err(Error::io("create", target))?;
    let found = io::copy(&mut from, &mut to).map_err(Error::io("copy", source))?;
    if found != expected {
        return Err(Error::Moving { path: source.to_owned(), expected, found });
    }
    to.sync_all().map_err(Error::io("flush", target))
}

/// Takes away every write permission and flushes the folders, the innermost first.
fn seal(listing: &Listing) -> Result<(), Error> {
    for entry in listing.entries.iter().rev() {
        let path = listing.root.join(&entry.path);
        match entry.kind {
            Kind::File { executable, .. } => set_mode(&path, if executable { 0o555 } else { 0o444 })?,
            Kind::Folder => {
                sync(&path)?;
                set_mode(&path, 0o555)?;
            }
            Kind::Link { .. } => {}
        }
    }
    sync(&listing.root)?;
    set_mode(&listing.root, 0o555)
}

/// Makes a sealed copy removable again. Best effort: what stays is removed at the next `open`.
fn unseal(root: &Path) {
    let Ok(listing) = list(root) else { return };
    let _ = set_mode(root, 0o700);
    for entry in listing.entries.iter().filter(|e| e.kind == Kind::Folder) {
        let _ = set_mode(&root.join(&entry.path), 0o700);
    }
}

fn remove_abandoned(folder: &Path) {
    let Ok(handle) = File::open(folder) else { return };
    if handle.try_lock().is_ok() {
        unseal(folder);
        // Best effort as well: a folder that cannot be removed costs space, not truth.
        let _ = fs::remove_dir_all(folder);
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(Error::io("make read-only", path))
}

fn sync(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(Error::io("flush", folder))
}
