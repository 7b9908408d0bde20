//! `towpath up`: runtime and server as two processes under one, for a laptop.
//!
//! They are two processes so that the server can die while services go on serving. One that was killed is started again; one
//! that ended by itself had a reason, and everything stops.

use std::io::Write;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::args::{Global, UpArgs};
use crate::data_dir::DataDir;
use crate::fault::Fault;
use crate::signals;

/// How often a killed process is started again before it is taken for a sign of something worse.
const RESTARTS_MAX: u32 = 10;

/// How long a process may take to stop before it is killed: the runtime lets requests in flight finish.
const STOP: Duration = Duration::from_secs(30);

/// Runs both until one ends by itself or this process shall stop.
pub(crate) async fn run(data_dir: &Path, args: &UpArgs, global: &Global) -> Result<(), Fault> {
    let data = DataDir::open(data_dir)?;
    let program = std::env::current_exe().map_err(|error| Fault::broken("cannot find this program", &error))?;
    let mut common = vec!["--data-dir".to_owned(), data.root().display().to_string(), "--log".to_owned(), global.log.clone()];
    if global.log_json {
        common.push("--log-json".to_owned());
    }
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).chain(common.clone()).collect::<Vec<_>>();
    let mut server = words(&["server", "--stop-with-stdin", "--listen", &args.server.listen.to_string()]);
    server.extend(args.server.groups.iter().map(|group| format!("--group={group}")));
    if args.server.insecure_local {
        server.push("--insecure-local".to_owned());
    }
    let mut runtime = Process::start("runtime", &program, words(&["runtime", "--stop-with-stdin"]))?;
    let mut server = match Process::start("server", &program, server) {
        Ok(server) => server,
        Err(fault) => {
            runtime.stop().await;
            return Err(fault);
        }
    };
    let ended = tokio::select! {
        stopped = signals::stop(args.server.stop_with_stdin) => stopped,
        fault = server.keep() => Err(fault),
        fault = runtime.keep() => Err(fault),
    };
    // The server first: it must not see the runtime go.
    server.stop().await;
    runtime.stop().await;
    let _ = writeln!(std::io::stderr(), "towpath up stopped");
    ended
}

/// A child process of ours.
struct Process {
    name: &'static str,
    program: std::path::PathBuf,
    arguments: Vec<String>,
    child: Child,
    restarts: u32,
}

impl Process {
    fn start(name: &'static str, program: &Path, arguments: Vec<String>) -> Result<Self, Fault> {
        let child = spawn(name, program, &arguments)?;
        Ok(Self { name, program: program.to_owned(), arguments, child, restarts: 0 })
    }

    /// Starts the process again whenever it was killed; returns when it ended by itself. Cancel-safe.
    async fn keep(&mut self) -> Fault {
        loop {
            let status = match self.child.wait().await {
                Ok(status) => status,
                Err(error) => return Fault::broken(format!("cannot wait for the {}", self.name), &error),
            };
            if !was_killed(status) || self.restarts >= RESTARTS_MAX {
                return Fault {
                    exit: cli::Exit::Broken,
                    code: "",
                    message: format!("the {} ended: {status}", self.name),
                    hint: "its last words are above".to_owned(),
                };
            }
            self.restarts += 1;
            tracing::warn!(process = self.name, %status, "it was killed; starting it again");
            match spawn(self.name, &self.program, &self.arguments) {
                Ok(child) => self.child = child,
                Err(fault) => return fault,
            }
        }
    }

    /// Asks the process to stop, and kills it if it takes too long.
    async fn stop(&mut self) {
        let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) else { return };
        // It may have ended by now; then there is nobody to ask.
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        if tokio::time::timeout(STOP, self.child.wait()).await.is_err() {
            tracing::warn!(process = self.name, "it did not stop in time and is killed");
            let _ = self.child.kill().await;
        }
    }
}

fn spawn(name: &str, program: &Path, arguments: &[String]) -> Result<Child, Fault> {
    Command::new(program)
        .args(arguments)
        // It stops when this pipe closes, however this process ends.
        .stdin(Stdio::piped())
        // Out of our process group: an interrupt at the keyboard reaches us alone, and we stop them in order.
        .process_group(0)
        .kill_on_drop(false)
        .spawn()
        .map_err(|error| Fault::broken(format!("cannot start the {name}"), &error))
}

fn was_killed(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status).is_some()
}
