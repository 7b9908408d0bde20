//! The desired states on disk: one file per service, replaced as a whole, flushed before anything acts on it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use model::{EnvironmentName, Scope, ServiceName};
use serde::{Deserialize, Serialize};

use crate::error::StartError;
use crate::protocol::DesiredState;

/// The version of the file's form. Another number is refused: half-understood state would be acted on.
const FORM: u32 = 1;

const STATE_FILE: &str = "state.json";

/// What is remembered of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Stored {
    form: u32,
    /// The port that was picked or asked for, so that a service keeps its address over restarts. 0: never had one.
    pub(crate) public_port: u16,
    /// The state in force; its fence is the highest seen.
    pub(crate) desired: DesiredState,
}

impl Stored {
    pub(crate) fn new(public_port: u16, desired: DesiredState) -> Self {
        Self { form: FORM, public_port, desired }
    }
}

/// The folder of desired states: `{environment}/{service}/state.json`.
#[derive(Clone, Debug)]
pub(crate) struct StateStore {
    dir: PathBuf,
}

impl StateStore {
    /// Opens the folder and makes it if there is none.
    pub(crate) fn open(dir: &Path) -> Result<Self, StartError> {
        fs::create_dir_all(dir).map_err(StartError::io("create", dir))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Returns the folder in which everything about a service is kept.
    pub(crate) fn folder(&self, scope: &Scope) -> PathBuf {
        self.dir.join(scope.environment.as_str()).join(scope.service.as_str())
    }

    /// Returns what is remembered. A file that cannot be understood is an error: its fence would be forgotten.
    pub(crate) fn load(&self) -> Result<Vec<(Scope, Stored)>, StartError> {
        let mut found = Vec::new();
        for environment in folders(&self.dir)? {
            for service in folders(&environment)? {
                let path = service.join(STATE_FILE);
                let text = match fs::read(&path) {
                    Ok(text) => text,
                    // The folder was made and the first state never written: nothing was promised.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(StartError::io("read", &path)(error)),
                };
                let damaged = |reason: String| StartError::Damaged { path: path.clone(), reason };
                let scope = scope_of(&environment, &service).map_err(damaged)?;
                let stored: Stored = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
                if stored.form != FORM {
                    return Err(damaged(format!("it has form {}, this version reads form {FORM}", stored.form)));
                }
                found.push((scope, stored));
            }
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    /// Replaces what is remembered of a service. When this returns it survives a crash of the machine. Blocks.
    pub(crate) fn save(&self, scope: &Scope, stored: &Stored) -> io::Result<()> {
        let folder = self.folder(scope);
        if !folder.exists() {
            fs::create_dir_all(&folder)?;
            // The new names as well: a file is durable only if the way to it is.
            for parent in folder.ancestors().skip(1).take_while(|p| p.starts_with(&self.dir)) {
                File::open(parent)?.sync_all()?;
            }
        }
        let mut file = tempfile::Builder::new().prefix("state-").tempfile_in(&folder)?;
        serde_json::to_writer_pretty(&mut file, stored)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(folder.join(STATE_FILE)).map_err(|e| e.error)?;
        File::open(&folder)?.sync_all()
    }
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>, StartError> {
    let mut found = Vec::new();
    for item in fs::read_dir(dir).map_err(StartError::io("list", dir))? {
        let item = item.map_err(StartError::io("list", dir))?;
        if item.file_type().map_err(StartError::io("read", &item.path()))?.is_dir() {
            found.push(item.path());
        }
    }
    Ok(found)
}

fn scope_of(environment: &Path, service: &Path) -> Result<Scope, String> {
    let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Scope {
        service: ServiceName::new(&name(service)).map_err(|e| e.to_string())?,
        environment: EnvironmentName::new(&name(environment)).map_err(|e| e.to_string())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(fence: u64) -> Stored {
        let desired = DesiredState {
            fence,
            operation_key: "k".to_owned(),
            port: 0,
            stable: None,
            candidate: None,
            traffic: None,
            drain_timeout_ms: 0,
        };
        Stored::new(4000, desired)
    }

    fn scope() -> Scope {
        Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("prod").unwrap() }
    }

    #[test]
    fn what_was_saved_last_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let store = StateStore::open(dir.path()).unwrap();
        assert_eq!(store.load().unwrap(), vec![]);
        store.save(&scope(), &stored(1)).unwrap();
        store.save(&scope(), &stored(2)).unwrap();
        assert_eq!(StateStore::open(dir.path()).unwrap().load().unwrap(), vec![(scope(), stored(2))]);
    }

    #[test]
    fn a_damaged_file_is_named_and_not_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let store = StateStore::open(dir.path()).unwrap();
        store.save(&scope(), &stored(1)).unwrap();
        let path = store.folder(&scope()).join(STATE_FILE);
        let damage = |text: &str, expect: &str| {
            fs::write(&path, text).unwrap();
            let message = store.load().unwrap_err().to_string();
            assert!(message.contains(expect) && message.contains("web/state.json"), "{message}");
        };
        let good = fs::read_to_string(&path).unwrap();
        damage(&good[..20], "is damaged: EOF");
        damage(&good.replace("\"form\": 1", "\"form\": 7"), "form 7, this version reads form 1");
    }
}
