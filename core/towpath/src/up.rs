//! `towpath up`: runtime and server as two processes under one, for a laptop.
//!
//! They are two processes so that the server can die while services go on serving. One that was killed, or says that it has to be
//! started again, is started again; one that ended in any other way had a reason, and everything stops.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStdin, Command};

use crate::args::{Common, UpArgs};
use crate::data::DataDir;
use crate::failure::{Failure, START_AGAIN};
use crate::{settings, signals};

/// How often a killed process is started again before it is taken for a sign of something worse.
const RESTARTS_MAX: u32 = 10;

/// How long a process may take to stop before it is killed: the runtime lets requests in flight finish.
const STOP: Duration = Duration::from_secs(30);

/// Runs both until one ends by itself or this process shall stop.
pub(crate) async fn run(data_dir: &Path, args: &UpArgs, common: &Common) -> Result<(), Failure> {
    let data = DataDir::open(data_dir)?;
    let program = own_program()?;
    let mut shared = vec!["--data-dir".to_owned(), data.path().display().to_string(), "--log".to_owned(), common.log.clone()];
    if common.log_json {
        shared.push("--log-json".to_owned());
    }
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).chain(shared.clone()).collect::<Vec<_>>();
    let mut server = words(&["server", "--stop-with-stdin", "--listen", &args.server.listen.to_string()]);
    server.extend(args.server.groups.iter().map(|group| format!("--group={group}")));
    let files = [
        ("--grants", &args.server.grants),
        ("--plugin-registries", &args.server.plugin_registries),
        ("--plugin-trust", &args.server.plugin_trust),
        ("--ca-file", &args.server.ca_file),
    ];
    let named = files.into_iter().filter_map(|(flag, file)| Some(format!("{flag}={}", file.as_ref()?.display())));
    server.extend(named);
    if args.server.insecure_local {
        server.push("--insecure-local".to_owned());
    }
    let mut runtime = words(&["runtime", "--stop-with-stdin"]);
    runtime.extend(args.watched.metrics_listen.map(|address| format!("--metrics-listen={address}")));
    runtime.extend(args.watched.otlp_endpoint.as_ref().map(|endpoint| format!("--otlp-endpoint={endpoint}")));
    let mut runtime = Process::start("runtime", &program, runtime, None)?;
    let mut server = match Process::start("server", &program, server, settings::store(args.server.store.as_ref())) {
        Ok(server) => server,
        Err(failure) => {
            runtime.stop().await;
            return Err(failure);
        }
    };
    let ended = tokio::select! {
        stopped = signals::stop(args.server.stop_with_stdin) => stopped,
        failure = server.keep() => Err(failure),
        failure = runtime.keep() => Err(failure),
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
    program: PathBuf,
    arguments: Vec<String>,
    /// The journal's database: told by the environment, because arguments are for everybody to see.
    store: Option<String>,
    child: Child,
    /// Kept open here: a child that is waited for would have it closed, and stop.
    life_line: Option<ChildStdin>,
    restarts: u32,
}

impl Process {
    fn start(name: &'static str, program: &Path, arguments: Vec<String>, store: Option<String>) -> Result<Self, Failure> {
        let mut child = spawn(name, program, &arguments, store.as_deref())?;
        let life_line = child.stdin.take();
        Ok(Self { name, program: program.to_owned(), arguments, store, child, life_line, restarts: 0 })
    }

    /// Starts the process again where that is of use; returns when it is not. Cancel-safe.
    async fn keep(&mut self) -> Failure {
        loop {
            let status = match self.child.wait().await {
                Ok(status) => status,
                Err(error) => return Failure::new("TP0405", format!("cannot wait for the {}: {error}", self.name)),
            };
            if !is_worth_a_start(status) || self.restarts >= RESTARTS_MAX {
                return Failure::new("TP0405", format!("the {} ended: {status}", self.name)).hint("its last words are above");
            }
            self.restarts += 1;
            tracing::warn!(process = self.name, %status, "it ended; starting it again");
            match spawn(self.name, &self.program, &self.arguments, self.store.as_deref()) {
                Ok(mut child) => {
                    self.life_line = child.stdin.take();
                    self.child = child;
                }
                Err(failure) => return failure,
            }
        }
    }

    async fn stop(&mut self) {
        stop(&mut self.child).await;
    }
}

/// Returns this program, to be started once more.
pub(crate) fn own_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::new("TP0405", format!("cannot find this program: {error}")))
}

/// Ends a process that was started as `towpath up`.
pub(crate) async fn end(mut up: Child) {
    stop(&mut up).await;
}

/// Asks a process to stop, and kills it if it takes too long.
async fn stop(child: &mut Child) {
    let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) else { return };
    // It may have ended by now; then there is nobody to ask.
    let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    if tokio::time::timeout(STOP, child.wait()).await.is_err() {
        tracing::warn!(process = id, "it did not stop in time and is killed");
        let _ = child.kill().await;
    }
}

fn spawn(name: &str, program: &Path, arguments: &[String], store: Option<&str>) -> Result<Child, Failure> {
    Command::new(program)
        .args(arguments)
        .envs(store.map(|store| (settings::STORE, store)))
        // It stops when this pipe closes, however this process ends.
        .stdin(Stdio::piped())
        // Out of our process group: an interrupt at the keyboard reaches us alone, and we stop them in order.
        .process_group(0)
        .kill_on_drop(false)
        .spawn()
        .map_err(|error| Failure::new("TP0405", format!("cannot start the {name}: {error}")))
}

/// Returns whether a new process may do better: this one was killed, or says so itself.
fn is_worth_a_start(status: ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(&status).is_some() || status.code() == Some(i32::from(START_AGAIN))
}
