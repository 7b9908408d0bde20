//! Why the runtime cannot start.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why the runtime cannot start. After it started it keeps going and reports per service instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another runtime uses the same data folder.
    #[error("another runtime is using {data_dir}")]
    Running {
        /// The folder.
        data_dir: PathBuf,
    },
    /// The socket's path does not fit into a socket address.
    #[error("control socket path {path} has {found} bytes, the system allows {limit}")]
    SocketPath {
        /// The path.
        path: PathBuf,
        /// Its length.
        found: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// The socket's folder is open to others: whoever can reach the socket could try to control us.
    #[error("control socket folder {folder} has mode {found:o} and owner {owner}; expected mode 700 and owner {us}")]
    SocketFolder {
        /// The folder.
        folder: PathBuf,
        /// Its permission bits.
        found: u32,
        /// Its owner's user id.
        owner: u32,
        /// Our user id.
        us: u32,
    },
    /// A stored desired state cannot be read. Going on without it would forget a fence.
    #[error("stored desired state {path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The artifact store cannot be opened.
    #[error("cannot open the artifact store")]
    Artifacts(#[source] artifact::Error),
    /// The address for metrics cannot be had.
    #[error("cannot listen on {address} for metrics")]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file system or socket call failed.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    /// Returns a function that turns what the system said into an error about `action` on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
