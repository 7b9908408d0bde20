//! The data folder: one folder holds everything, and says where the running server is.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The data folder.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

/// Where a running process listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Announcement {
    /// Its address.
    pub(crate) address: String,
    /// Its process.
    pub(crate) pid: u32,
}

/// The journal's file in the data folder.
pub(crate) const JOURNAL: &str = "journal.db";

impl DataDir {
    /// Returns the folder, made if need be; for our user alone.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let unusable = |error: io::Error| {
            Failure::new("TP0404", format!("the data folder {} cannot be used: {error}", path.display()))
                .hint("name another with --data-dir")
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        fs::canonicalize(path).map(Self).map_err(unusable)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.0.join(JOURNAL)
    }

    pub(crate) fn artifacts(&self) -> PathBuf {
        self.0.join("artifacts")
    }

    pub(crate) fn plugins(&self) -> PathBuf {
        self.0.join("plugins")
    }

    pub(crate) fn runtime(&self) -> PathBuf {
        self.0.join("runtime")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    pub(crate) fn server_file(&self) -> PathBuf {
        self.0.join("server.json")
    }

    pub(crate) fn metrics_file(&self) -> PathBuf {
        self.0.join("metrics.json")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// Returns the token that clients show, made at the first start. Readable by our user alone.
    pub(crate) fn token(&self) -> Result<String, Failure> {
        let path = self.0.join("token");
        match fs::read_to_string(&path) {
            Ok(token) if !token.trim().is_empty() => Ok(token.trim().to_owned()),
            Ok(_) => self.new_token(&path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.new_token(&path),
            Err(error) => Err(Failure::new("TP0404", format!("the token {} cannot be read: {error}", path.display()))),
        }
    }

    fn new_token(&self, path: &Path) -> Result<String, Failure> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| Failure::new("TP0404", format!("no randomness for a token: {error}")))?;
        let token = hex::encode(bytes);
        self.replace(path, token.as_bytes()).map(|()| token)
    }

    /// Says where the server is.
    pub(crate) fn announce(&self, server: &Announcement) -> Result<(), Failure> {
        let text = serde_json::to_vec(server).expect("BUG: two plain fields are always JSON");
        self.replace(&self.server_file(), &text)
    }

    /// Returns where the server is, if one said so.
    pub(crate) fn announced(&self) -> Option<Announcement> {
        serde_json::from_slice(&fs::read(self.server_file()).ok()?).ok()
    }

    /// Says where the server is unless another one that lives says so of itself: servers that share the folder need one door, and it
    /// must not stay with one that is gone.
    pub(crate) fn announce_if_alone(&self, server: &Announcement) -> Result<(), Failure> {
        match self.announced() {
            Some(found) if lives(found.pid) => Ok(()),
            Some(_) | None => self.announce(server),
        }
    }

    /// Takes the announcement of a process back.
    pub(crate) fn withdraw(&self, pid: u32) {
        if self.announced().is_none_or(|found| found.pid == pid) {
            // A client that finds a stale one is refused its connection and says so.
            let _ = fs::remove_file(self.server_file());
        }
    }

    /// Says where metrics can be read.
    pub(crate) fn announce_metrics(&self, runtime: &Announcement) -> Result<(), Failure> {
        let text = serde_json::to_vec(runtime).expect("BUG: two plain fields are always JSON");
        self.replace(&self.metrics_file(), &text)
    }

    /// Says that metrics can be read nowhere.
    pub(crate) fn withdraw_metrics(&self) {
        // Most often there is no such file.
        let _ = fs::remove_file(self.metrics_file());
    }

    /// Replaces a file whole: readers see the old one or the new one.
    fn replace(&self, path: &Path, content: &[u8]) -> Result<(), Failure> {
        let written = || -> io::Result<()> {
            let beside = path.with_extension("new");
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&beside, path)
        };
        written().map_err(|error| Failure::new("TP0401", format!("{} cannot be written: {error}", path.display())))
    }
}

/// Returns whether there is such a process, whoever's.
fn lives(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    !matches!(kill(Pid::from_raw(pid), None), Err(Errno::ESRCH))
}
