//! What ends a process of ours: one sentence, a code, an exit code.

use std::error::Error;
use std::fmt;
use std::path::Path;

use cli::Exit;
use journal::StoreError;

/// Why a process ended.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The exit code.
    pub(crate) exit: Exit,
    /// The stable code; empty where there is none.
    pub(crate) code: &'static str,
    /// The sentence.
    pub(crate) message: String,
    /// What can be done.
    pub(crate) hint: String,
}

impl Fault {
    /// Returns a fault of the command line.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, code: "", message: message.into(), hint: hint.into() }
    }

    /// Returns a fault of the world, with everything that the error knows.
    pub(crate) fn broken(what: impl fmt::Display, error: &dyn Error) -> Self {
        Self { exit: Exit::Broken, code: "", message: format!("{what}: {}", chain(error)), hint: String::new() }
    }

    /// Returns the fault with a stable code and what can be done.
    pub(crate) fn with(mut self, code: &'static str, hint: impl Into<String>) -> Self {
        (self.code, self.hint) = (code, hint.into());
        self
    }

    /// Returns the fault of a port that cannot be listened on.
    pub(crate) fn listen(address: std::net::SocketAddr, error: &std::io::Error) -> Self {
        let fault = Self::broken(format!("cannot listen on {address}"), error);
        match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                fault.with("TP0302", "choose another port with --listen HOST:PORT, or stop what uses this one")
            }
            _ => fault.with("TP0302", "choose another address with --listen HOST:PORT"),
        }
    }

    /// Returns the fault of a store that cannot be used.
    pub(crate) fn store(data_dir: &Path, error: &StoreError) -> Self {
        let fault = Self::broken(format!("the journal in {} cannot be used", data_dir.display()), error);
        match error {
            StoreError::InUse(_) => fault.with("TP0304", "another server uses this data folder: stop it, or name another with --data-dir"),
            StoreError::Full(_) => fault.with("TP0401", "make room on the disk of the data folder"),
            StoreError::Damaged(_) | StoreError::UnreadableRecord { .. } => {
                fault.with("TP0402", "restore a backup of journal.db, or start anew with another data folder")
            }
            StoreError::NewerVersion { .. } => fault.with("TP0403", "use the newer program that wrote it"),
            StoreError::ReadOnly(_) => fault.with("TP0404", "see who may write the data folder"),
            StoreError::OutcomeUnknown(_) | StoreError::Failed(_) | StoreError::RevisionMoved { .. } => fault,
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = if self.code.is_empty() { String::new() } else { format!("[{}]", self.code) };
        write!(f, "error{code}: {}", cli::text::clean(&self.message))?;
        match self.hint.as_str() {
            "" => Ok(()),
            hint => write!(f, "\n\nhint: {hint}"),
        }
    }
}
