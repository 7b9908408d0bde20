//! Making the control socket, so that nobody else can reach it.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use nix::unistd::geteuid;
use tokio::net::UnixListener;

use crate::error::StartError;
use crate::limits::SOCKET_PATH_BYTES_MAX;

/// Makes the socket. One that is there already is a leftover: whoever calls this holds the lock of the data folder.
pub(crate) fn open(path: &Path) -> Result<UnixListener, StartError> {
    let found = path.as_os_str().as_bytes().len();
    if found > SOCKET_PATH_BYTES_MAX {
        return Err(StartError::SocketPath { path: path.to_owned(), found, limit: SOCKET_PATH_BYTES_MAX });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_private(folder)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StartError::io("remove", path)(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(StartError::io("listen on", path))?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(StartError::io("protect", path))?;
    Ok(listener)
}

fn make_private(folder: &Path) -> Result<(), StartError> {
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(StartError::io("create", folder))?;
    }
    let metadata = fs::metadata(folder).map_err(StartError::io("read", folder))?;
    let (mode, owner, us) = (metadata.mode() & 0o777, metadata.uid(), geteuid().as_raw());
    match mode & 0o077 == 0 && owner == us {
        true => Ok(()),
        false => Err(StartError::SocketFolder { folder: folder.to_owned(), found: mode, owner, us }),
    }
}
