//! A server, a runtime, a service with two releases, and callers.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// How long any condition may take to come true on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program under test.
pub(crate) const TOWPATH: &str = env!("CARGO_BIN_EXE_towpath");

/// The folder of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Waits until a condition holds, and returns what it found.
pub(crate) fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not come true within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20)); // tidy: between two looks at the condition
    }
}

#[expect(clippy::disallowed_methods, reason = "a test bounds how long it waits")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Server and runtime on one data folder.
pub(crate) struct Rig {
    pub(crate) folder: TempDir,
    runtime: Child,
    server: Option<Child>,
    replicas: AtomicU64,
    /// Whom to speak to instead of the server that the data folder names.
    pub(crate) server_address: Option<String>,
}

impl Rig {
    /// Starts both.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts both, the server with more arguments.
    pub(crate) fn start_with(more: &[&str]) -> Self {
        let mut rig = Self::start_runtime();
        rig.start_server_with(more);
        rig
    }

    /// Starts the runtime alone.
    pub(crate) fn start_runtime() -> Self {
        Self::start_runtime_with(&[])
    }

    /// Starts the runtime alone, with more arguments.
    pub(crate) fn start_runtime_with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = spawn(folder.path(), &[&["runtime"], more].concat());
        Self { folder, runtime, server: None, replicas: AtomicU64::new(0), server_address: None }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Waits until the runtime says where metrics can be read, and returns the address.
    pub(crate) fn metrics(&self) -> SocketAddr {
        wait_for("the runtime's address for metrics", || announced_metrics(&self.data()))
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn start_server(&mut self) {
        self.start_server_with(&[]);
    }

    /// Starts the server with more arguments and waits until it answers.
    pub(crate) fn start_server_with(&mut self, more: &[&str]) {
        self.server = Some(spawn(self.folder.path(), &[&["server", "--listen", "127.0.0.1:0"], more].concat()));
        wait_for("the server's answer", || self.run(&["plugin", "list"]).status.success().then_some(()));
    }

    /// Kills the server with SIGKILL.
    pub(crate) fn kill_server(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Starts one more server on this folder, and waits until it is ready.
    pub(crate) fn start_replica(&self, store: &str) -> Replica {
        self.start_replica_in(self.folder.path(), store)
    }

    /// Starts one more server on a data folder of its own, as on another machine, and returns it with that folder. Both have the same
    /// token and artifacts and speak to the one runtime; nothing else is shared. There was a server on the first folder before.
    pub(crate) fn start_replica_apart(&self, store: &str) -> (Replica, PathBuf) {
        let folder = self.folder.path().join("apart");
        fs::create_dir_all(folder.join("data")).unwrap();
        for shared in ["token", "artifacts", "runtime"] {
            std::os::unix::fs::symlink(self.data().join(shared), folder.join("data").join(shared)).unwrap();
        }
        (self.start_replica_in(&folder, store), folder.join("data"))
    }

    fn start_replica_in(&self, folder: &Path, store: &str) -> Replica {
        let number = self.replicas.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("replica-{number}.log"));
        let log = fs::File::create(&path).unwrap();
        let mut started = command(folder, &["server", "--listen", "127.0.0.1:0", "--store", store]);
        let child = started.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let address = wait_for("the replica's address", || {
            let said = fs::read_to_string(&path).ok()?;
            let (_, rest) = said.split_once("server ready on ")?;
            Some(rest.split_once(',')?.0.to_owned())
        });
        Replica { child, address }
    }

    /// Sends the server a signal.
    pub(crate) fn signal_server(&self, signal: Signal) {
        let server = self.server.as_ref().expect("a server");
        nix::sys::signal::kill(Pid::from_raw(i32::try_from(server.id()).unwrap()), signal).unwrap();
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut asked = command(self.folder.path(), arguments);
        if let Some(address) = &self.server_address {
            asked.args(["--server", address]);
        }
        asked.arg("--json").output().unwrap()
    }

    /// Runs a command that must do what it is for, and returns its JSON answer.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "towpath {}: {said}", arguments.join(" "));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Writes a file into the rig's folder and returns its path as text.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Registers the example path and environment, and the service `web` with short watches.
    pub(crate) fn register(&self) {
        self.register_changed(|path| path);
    }

    /// Registers the same with another text of the path.
    pub(crate) fn register_changed(&self, change: impl Fn(String) -> String) {
        let example = |name: &str| workspace().join("examples").join(name).display().to_string();
        let path = fs::read_to_string(example("paths/web-canary.yaml")).unwrap() + PATH_PATIENCE;
        self.ask(&["path", "publish", &self.file("path.yaml", &change(path))]);
        self.ask(&["environment", "apply", &example("environments/local.yaml")]);
        let service = SERVICE.replace("PORT", &free_port().to_string());
        self.ask(&["service", "apply", &self.file("web.yaml", &service)]);
    }

    /// Registers a release of the example service.
    pub(crate) fn release(&self, label: &str, knobs: &str) {
        self.release_with(label, knobs, &[]);
    }

    /// Registers a release of the example service with more arguments.
    pub(crate) fn release_with(&self, label: &str, knobs: &str, more: &[&str]) {
        let folder = self.folder.path().join(label);
        fs::create_dir(&folder).unwrap();
        fs::copy(hello_service(), folder.join("hello-service")).unwrap();
        fs::write(folder.join("hello.env"), format!("VERSION={label}\n{knobs}\n")).unwrap();
        let artifact = folder.display().to_string();
        let arguments = ["release", "create", "--service", "web", "--label", label, "--artifact", &artifact];
        self.ask(&[&arguments, more].concat());
    }

    /// Starts a deployment and returns its id.
    pub(crate) fn deploy(&self, label: &str) -> String {
        let started = self.ask(&["deploy", "web", "local", "--release", label, "--yes"]);
        started["deployment_id"].as_str().unwrap().to_owned()
    }

    /// Waits until a deployment has begun to move traffic.
    pub(crate) fn wait_for_traffic(&self, id: &str) {
        wait_for("the canary's first traffic", || {
            let shown: Value = serde_json::from_slice(&self.run(&["show", id]).stdout).ok()?;
            assert_ne!(shown["ended"], true, "it was over too early to be disturbed");
            (shown["phase"] == "shifting").then_some(())
        });
    }

    /// Waits until a deployment is over and returns it.
    pub(crate) fn wait_for_end(&self, id: &str) -> Value {
        let started = now();
        loop {
            let output = self.run(&["show", id]);
            let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            if shown["ended"].as_bool().unwrap_or(false) {
                return shown;
            }
            assert_ne!(shown["paused"], true, "nobody is there to answer: {}", shown["waiting"]);
            let stands = format!("{} {}: {}", shown["phase"], shown["paused"], shown["waiting"]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(started.elapsed() < PATIENCE, "the deployment did not end within {PATIENCE:?}: {stands} {said}");
            std::thread::sleep(Duration::from_millis(50)); // tidy: between two looks at the deployment
        }
    }
}

/// Returns where metrics can be read, if the data folder says so.
pub(crate) fn announced_metrics(data: &Path) -> Option<SocketAddr> {
    let said: Value = serde_json::from_slice(&fs::read(data.join("metrics.json")).ok()?).ok()?;
    said["address"].as_str()?.parse().ok()
}

/// Names the number of faults of a long run.
const FAULTS: &str = "FAULTS";

/// Returns how many faults a run has: so many, or what a person asked for.
pub(crate) fn faults(usual: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for more faults")]
    std::env::var(FAULTS).map_or(usual, |faults| faults.parse().expect("FAULTS is a number"))
}

/// One of several servers on one journal.
pub(crate) struct Replica {
    child: Child,
    pub(crate) address: String,
}

impl Replica {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        nix::sys::signal::kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        let id = Pid::from_raw(i32::try_from(self.runtime.id()).unwrap());
        let _ = nix::sys::signal::kill(id, Signal::SIGTERM);
        let _ = self.runtime.wait();
        make_writable(self.folder.path());
    }
}

/// The rig's watches are shorter than a server may be dead; what was not seen then is looked at later, and is no doubt.
const PATH_PATIENCE: &str = "\npatience: 30s\n";

pub(crate) const SERVICE: &str = "
apiVersion: towpath.dev/v1
kind: Service
metadata: { name: web, owner: tests }
path: { name: web-canary, version: ^1.0 }
parameters:
  command: [./hello-service]
  port: PORT
  instances: 2
  watch: 500ms
  soak: 500ms
  lookEvery: 100ms
  minRequests: 1
  maxErrorRate: 0.05
  maxLatencyMs: 5000
";

/// Returns a port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(crate) fn hello_service() -> PathBuf {
    let beside = Path::new(TOWPATH).with_file_name("hello-service");
    assert!(beside.is_file(), "{} is missing; build it with `cargo build -p hello-service`", beside.display());
    beside
}

pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(TOWPATH);
    command.args(arguments).args(["--log", "warn", "--data-dir"]).arg(folder.join("data")).env_clear();
    command.stdin(Stdio::null());
    command
}

fn spawn(folder: &Path, arguments: &[&str]) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("processes.log")).unwrap();
    command(folder, arguments).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

pub(crate) fn make_writable(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}

/// Callers that keep calling, each on a connection of its own that is kept alive.
pub(crate) struct Callers(test_machines::Callers);

/// The time between two requests of a caller.
const PACE: Duration = Duration::from_millis(10);

impl Callers {
    pub(crate) fn start(address: &str, count: usize) -> Self {
        Self(test_machines::Callers::start_paced(address.parse().unwrap(), count, PACE))
    }

    /// Stops and returns how many requests were made and how many failed.
    pub(crate) fn stop(self) -> (u64, u64) {
        let answers = self.0.stop();
        let failed = answers.iter().filter(|(answer, _)| answer.starts_with(test_machines::FAILED)).map(|(_, count)| count).sum();
        (answers.values().sum(), failed)
    }
}
