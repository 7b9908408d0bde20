//! What can be wrong with an artifact, sorted by whose fault it is.

use std::io;
use std::path::{Path, PathBuf};

use model::Digest;

/// An artifact that cannot be read, stored or trusted. Every case names the path it met.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user's: neither a folder nor a regular file.
    #[error("{path} is a {kind}; an artifact holds regular files, folders and links only")]
    Kind {
        /// Where it is.
        path: PathBuf,
        /// What it is ("socket", "named pipe", …).
        kind: &'static str,
    },
    /// The user's: a link that another machine would resolve differently, or that leaves the artifact.
    #[error("link {path} points to {target}, which is {why}; a link must be relative and stay inside the artifact")]
    Link {
        /// The link.
        path: PathBuf,
        /// Where it points, as it is written.
        target: PathBuf,
        /// What is wrong with that.
        why: &'static str,
    },
    /// The user's: more than the store takes.
    #[error("artifact {path} has more than {limit} {what}")]
    Limit {
        /// The artifact, or the entry that is too long.
        path: PathBuf,
        /// What there is too much of ("entries", "bytes", …).
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// The user's: somebody wrote to the source while it was copied or hashed.
    #[error("{path} changed while it was read: {expected} bytes at first, {found} in the end")]
    Moving {
        /// The file.
        path: PathBuf,
        /// Its length when it was listed, in bytes.
        expected: u64,
        /// How much could be read, in bytes.
        found: u64,
    },
    /// The operator's: the folder is not what was registered.
    #[error("release folder {folder} changed after registration: registered {expected}, found {found}")]
    Changed {
        /// The folder in the store.
        folder: PathBuf,
        /// What was registered.
        expected: Digest,
        /// What is there now.
        found: Digest,
    },
    /// The operator's: nothing with that digest was ever imported, or it was removed.
    #[error("artifact {digest} is not in the store: no folder {folder}")]
    Unknown {
        /// What was asked for.
        digest: Digest,
        /// Where it would be.
        folder: PathBuf,
    },
    /// The world's: a file system call failed.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried ("read", "copy", …).
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// Returns a function that turns what the system said into an error about `action` on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
