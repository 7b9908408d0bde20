//! The programs of a case: real ones, which print what the case says, so that a plugin's power is used as on a server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use plugin_host::{CommandGrant, CommandRule, Grants};

use super::CommandForm;

/// The file whose presence has every program hang.
const SILENT: &str = "silent";

/// How many arguments a plugin may add: what they are plays no part.
const ARGUMENTS_MAX: usize = 100;

/// How long a program may run, in milliseconds: the call's own time ends it earlier.
const TIMEOUT_MS: u32 = 60_000;

/// How much memory a program may use, and how large a file may become, in bytes: they print a few files.
const BYTES_MAX: u64 = 256 << 20;

/// A folder with programs. It goes when dropped.
pub(super) struct Programs {
    folder: tempfile::TempDir,
    rules: Mutex<Vec<CommandRule>>,
}

impl Programs {
    /// Returns a folder without programs.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, rules: Mutex::default() })
    }

    /// Has these programs and no others, and lets them answer.
    pub(super) fn reset(&self, commands: &[CommandForm]) {
        self.set_silent(false);
        let rules = commands.iter().enumerate().filter_map(|(number, command)| self.rule(number, command).ok()).collect();
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Has every program hang from now on, or end again.
    pub(super) fn set_silent(&self, silent: bool) {
        let file = self.folder.path().join(SILENT);
        // A folder of our own can be written; what is not there need not be removed.
        let _ = if silent { fs::write(file, "") } else { fs::remove_file(file) };
    }

    /// Returns the grant of the programs, in every call.
    pub(super) fn grants(&self) -> Grants {
        let allow = self.rules.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let command = (!allow.is_empty()).then_some(CommandGrant { allow });
        Grants { command, ..Grants::default() }
    }

    fn rule(&self, number: usize, command: &CommandForm) -> std::io::Result<CommandRule> {
        let place = |what: &str| self.folder.path().join(format!("{number}.{what}"));
        fs::write(place("stdout"), &command.stdout)?;
        fs::write(place("stderr"), &command.stderr)?;
        let program = place("sh");
        fs::write(&program, script(self.folder.path(), &place("stdout"), &place("stderr"), command.exit_code))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700))?;
        Ok(CommandRule {
            name: command.name.clone(),
            program: PathBuf::from("/bin/sh"),
            arguments: vec![program.display().to_string()],
            extra_max: ARGUMENTS_MAX,
            options: true,
            paths: true,
            environment: Default::default(),
            timeout_ms: TIMEOUT_MS,
            cpu_seconds_max: None,
            memory_bytes_max: BYTES_MAX,
            file_bytes_max: BYTES_MAX,
            reading: true,
        })
    }
}

/// Returns a script that says what the case says, unless it is to hang.
fn script(folder: &Path, stdout: &Path, stderr: &Path, exit_code: u8) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', "'\\''"));
    format!(
        "[ ! -e {} ] || exec sleep 3600\ncat {}\ncat {} >&2\nexit {exit_code}\n",
        quoted(&folder.join(SILENT)),
        quoted(stdout),
        quoted(stderr)
    )
}
