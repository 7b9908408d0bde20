//! Starting and ending one process with everything it started itself.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::os::unix::process::ExitStatusExt;
use tokio::process::{Child, Command};

use crate::protocol::Stream;
use crate::supervise::leftovers::{MARKER_VARIABLE, Record, Records};
use crate::supervise::logs::GroupLog;
use crate::supervise::telemetry::Telemetry;

/// How to start the processes of one group.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// The release folder; also the working directory.
    pub(crate) folder: PathBuf,
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// Variables that were asked for.
    pub(crate) env: BTreeMap<String, String>,
    /// The value of `PATH`.
    pub(crate) search_path: String,
    /// What the processes are told about themselves.
    pub(crate) telemetry: Telemetry,
}

/// A running process. It leads a process group of its own, so that what it starts can be ended with it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Pid,
    /// Whether it ended and was waited for: from then on its number may belong to somebody else.
    over: bool,
    // Removed when the process is gone.
    _record: Record,
}

impl Launch {
    /// Starts a process that shall listen on `address`, and copies what it writes into the log.
    pub(crate) fn start(&self, address: SocketAddr, records: &Records, log: &GroupLog, instance: u32) -> io::Result<Process> {
        let [program, arguments @ ..] = self.command.as_slice() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"));
        };
        let mut command = Command::new(locate(&self.folder, program));
        command.args(arguments).current_dir(&self.folder).env_clear().env("PATH", &self.search_path);
        // What was asked for wins over what the service would be told about itself.
        command.envs(self.telemetry.variables(instance)).envs(&self.env);
        command.env("PORT", address.port().to_string()).env("HOST", address.ip().to_string());
        command.env(MARKER_VARIABLE, records.marker());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        let pid = child.id().ok_or_else(|| io::Error::other("the process ended at once"))?;
        let record = records.note(pid);
        if let Some(out) = child.stdout.take() {
            tokio::spawn(log.clone().copy(instance, Stream::Out, out));
        }
        if let Some(err) = child.stderr.take() {
            tokio::spawn(log.clone().copy(instance, Stream::Err, err));
        }
        // Linux process ids are far below the sign bit.
        let group = Pid::from_raw(pid.cast_signed());
        Ok(Process { child, group, over: false, _record: record })
    }
}

/// A program with a slash, or one that lies at the top of the folder, is the folder's; any other is looked for in `PATH`.
fn locate(folder: &Path, program: &str) -> PathBuf {
    let inside = folder.join(program);
    match program.contains('/') || inside.is_file() {
        // An absolute path stays what it is.
        true => inside,
        false => PathBuf::from(program),
    }
}

impl Process {
    /// Waits until the process ends by itself and returns how.
    pub(crate) async fn ended(&mut self) -> String {
        let end = self.child.wait().await;
        if !self.over {
            // What it started and left behind still carries its group's number.
            self.signal(Signal::SIGKILL);
            self.over = true;
        }
        end.map_or_else(|e| format!("cannot be waited for: {e}"), describe)
    }

    /// Asks the process to stop, and kills it when it has not done so within `patience`. Returns how it ended.
    pub(crate) async fn stop(mut self, patience: Duration) -> String {
        self.signal(Signal::SIGTERM);
        if let Ok(end) = tokio::time::timeout(patience, self.ended()).await {
            return end;
        }
        self.signal(Signal::SIGKILL);
        format!("killed after it did not stop within {} ms; {}", patience.as_millis(), self.ended().await)
    }

    fn signal(&self, signal: Signal) {
        // Gone already is what was wanted.
        let _ = killpg(self.group, signal);
    }
}

impl Drop for Process {
    /// Whatever way this ends, nothing that the process started may outlive it.
    fn drop(&mut self) {
        if !self.over {
            self.signal(Signal::SIGKILL);
        }
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with status {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
