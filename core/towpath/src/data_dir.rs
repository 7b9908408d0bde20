//! The one data folder: what is where in it, and the small files that are ours.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cli::ServerFile;

use crate::fault::Fault;

/// A data folder that exists and is ours alone.
#[derive(Clone, Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Returns the folder, made if it was not there, readable by its owner only.
    pub(crate) fn open(root: &Path) -> Result<Self, Fault> {
        let cannot = |error: io::Error| {
            let fault = Fault::broken(format!("the data folder {} cannot be used", root.display()), &error);
            match error.kind() {
                ErrorKind::StorageFull => fault.with("TP0401", "make room on its disk"),
                _ => fault.with("TP0404", "see who may write it, or name another with --data-dir"),
            }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(cannot)?;
        Ok(Self { root: root.canonicalize().map_err(cannot)? })
    }

    /// Returns the folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where the journal is.
    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal.db")
    }

    /// Returns where artifacts are.
    pub(crate) fn artifacts(&self) -> PathBuf {
        self.root.join("artifacts")
    }

    /// Returns where the runtime keeps its own things.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.root.join("runtime")
    }

    /// Returns where compiled plugins are kept; may be deleted at any time.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// Returns the bearer token; makes one at the first start. Only the owner can read the file.
    pub(crate) fn token(&self) -> io::Result<String> {
        let path = self.root.join("token");
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Two random UUIDs have 244 bits that nobody can guess.
        let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        self.write("token", &format!("{token}\n"))?;
        Ok(token)
    }

    /// Writes down where the server listens, so that the command line finds it.
    pub(crate) fn announce(&self, server: &ServerFile) -> io::Result<()> {
        let text = serde_json::to_string(server).map_err(io::Error::other)?;
        self.write("server.json", &text)
    }

    /// Takes the announcement away, if it is still ours.
    pub(crate) fn withdraw(&self, server: &ServerFile) {
        let path = ServerFile::path(&self.root);
        let ours = fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str::<ServerFile>(&text).ok());
        if ours.as_ref() == Some(server)
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!(%error, "server.json could not be removed");
        }
    }

    /// Writes a small file so that a reader finds the old or the new one, whole, also after a crash.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let temporary = self.root.join(format!(".{name}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, self.root.join(name))?;
        fs::File::open(&self.root)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(&folder.path().join("data")).unwrap();
        let token = data.token().unwrap();
        assert_eq!((token.len(), data.token().unwrap()), (64, token));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data.root().join("token")), mode(data.root())), (0o600, 0o700));
    }

    #[test]
    fn only_our_own_announcement_is_withdrawn() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        let (ours, other) = (server(1), server(2));
        data.announce(&other).unwrap();
        data.withdraw(&ours);
        assert!(ServerFile::path(data.root()).exists());
        data.withdraw(&other);
        assert!(!ServerFile::path(data.root()).exists());
    }

    fn server(pid: u32) -> ServerFile {
        ServerFile { address: "127.0.0.1:1".to_owned(), pid }
    }
}
