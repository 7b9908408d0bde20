//! The canonical list of what an artifact holds. Two machines that list the same artifact get the same list.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use crate::Error;

/// The most entries (files, folders, links) in one artifact: a large Node.js service has about 60 000.
pub const ARTIFACT_ENTRIES_MAX: usize = 200_000;

/// The most bytes in one artifact: 4 GiB. A service with its runtime is hundreds of MiB; more is data, and data is not deployed.
pub const ARTIFACT_BYTES_MAX: u64 = 4 << 30;

/// The longest relative path in bytes, so that the copy under the store's own folder stays below the system's limit of 4096.
pub const PATH_BYTES_MAX: usize = 2048;

/// One thing inside an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where it is, relative to the artifact.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What an entry is, as far as it can change what runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A folder. Empty ones count.
    Folder,
    /// A regular file.
    File { executable: bool, bytes: u64 },
    /// A symbolic link with its text.
    Link { target: PathBuf },
}

/// An artifact's entries, and where they lie.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The folder that the entries' paths are relative to.
    pub(crate) root: PathBuf,
    /// Sorted by the bytes of their paths, so that a folder comes before what it holds.
    pub(crate) entries: Vec<Entry>,
    /// The sum of the files' lengths.
    pub(crate) bytes: u64,
}

impl Listing {
    /// Returns how many regular files there are.
    pub(crate) fn files(&self) -> u64 {
        self.entries.iter().filter(|e| matches!(e.kind, Kind::File { .. })).count() as u64
    }
}

/// Returns what the artifact at `source` holds. One regular file is listed like a folder that holds nothing else.
pub(crate) fn list(source: &Path) -> Result<Listing, Error> {
    let source = fs::canonicalize(source).map_err(Error::io("find", source))?;
    let metadata = fs::metadata(&source).map_err(Error::io("read", &source))?;
    let mut walk = Walk { artifact: source.clone(), entries: Vec::new(), bytes: 0 };
    let root = if metadata.is_dir() {
        walk.folder(&source, Path::new(""))?;
        source
    } else {
        let name = source.file_name().map(PathBuf::from).unwrap_or_default();
        walk.entry(&source, name)?;
        source.parent().map(Path::to_owned).unwrap_or_default()
    };
    walk.entries.sort_by(|a, b| a.path.as_os_str().as_bytes().cmp(b.path.as_os_str().as_bytes()));
    Ok(Listing { root, entries: walk.entries, bytes: walk.bytes })
}

struct Walk {
    artifact: PathBuf,
    entries: Vec<Entry>,
    bytes: u64,
}

impl Walk {
    fn folder(&mut self, folder: &Path, relative: &Path) -> Result<(), Error> {
        // An explicit stack: a hostile depth must not exhaust ours. The path limit bounds the depth as well.
        let mut open = vec![(folder.to_owned(), relative.to_owned())];
        while let Some((folder, relative)) = open.pop() {
            for item in fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
                let item = item.map_err(Error::io("list", &folder))?;
                let inner = relative.join(item.file_name());
                if self.entry(&item.path(), inner.clone())? {
                    open.push((item.path(), inner));
                }
            }
        }
        Ok(())
    }

    /// Notes one entry and returns whether it is a folder to look into.
    fn entry(&mut self, path: &Path, relative: PathBuf) -> Result<bool, Error> {
        if relative.as_os_str().len() > PATH_BYTES_MAX {
            return Err(Error::Limit { path: path.to_owned(), what: "bytes in a path", limit: PATH_BYTES_MAX as u64 });
        }
        if self.entries.len() >= ARTIFACT_ENTRIES_MAX {
            return Err(Error::Limit { path: self.artifact.clone(), what: "entries", limit: ARTIFACT_ENTRIES_MAX as u64 });
        }
        let metadata = fs::symlink_metadata(path).map_err(Error::io("read", path))?;
        let kind = if metadata.is_dir() {
            Kind::Folder
        } else if metadata.is_symlink() {
            Kind::Link { target: self.link(path, &relative)? }
        } else if metadata.is_file() {
            self.bytes = self.bytes.saturating_add(metadata.len());
            Kind::File { executable: metadata.permissions().mode() & 0o111 != 0, bytes: metadata.len() }
        } else {
            return Err(Error::Kind { path: path.to_owned(), kind: kind_name(metadata.file_type()) });
        };
        if self.bytes > ARTIFACT_BYTES_MAX {
            return Err(Error::Limit { path: self.artifact.clone(), what: "bytes", limit: ARTIFACT_BYTES_MAX });
        }
        let is_folder = kind == Kind::Folder;
        self.entries.push(Entry { path: relative, kind });
        Ok(is_folder)
    }

    fn link(&self, path: &Path, relative: &Path) -> Result<PathBuf, Error> {
        let target = fs::read_link(path).map_err(Error::io("read", path))?;
        let refused = |why| Err(Error::Link { path: path.to_owned(), target: target.clone(), why });
        if target.is_absolute() {
            return refused("absolute");
        }
        if !stays_inside(relative, &target) {
            return refused("outside");
        }
        // The text alone does not decide where a link ends: it may pass through another link, which moves what ".." means.
        match fs::canonicalize(path) {
            Ok(end) if end.starts_with(&self.artifact) => Ok(target),
            Ok(_) => refused("outside"),
            Err(_) => refused("missing or a circle"),
        }
    }
}

fn stays_inside(relative: &Path, target: &Path) -> bool {
    let mut depth = relative.components().count().saturating_sub(1);
    target.components().all(|part| match part {
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::ParentDir if depth > 0 => {
            depth -= 1;
            true
        }
        Component::ParentDir | Component::RootDir | Component::Prefix(_) => false,
    })
}

fn kind_name(kind: fs::FileType) -> &'static str {
    if kind.is_socket() {
        "socket"
    } else if kind.is_fifo() {
        "named pipe"
    } else {
        "device"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_inside_by_its_text() {
        let check = |link: &str, target: &str, expect: bool| {
            assert_eq!(stays_inside(Path::new(link), Path::new(target)), expect, "{link} -> {target}");
        };
        check("a", "b", true);
        check("d/a", "../b", true);
        check("d/a", "../../b", false);
        check("a", "..", false);
        check("a", "x/../../b", false);
        check("d/e/a", "./../../b", true);
    }
}
