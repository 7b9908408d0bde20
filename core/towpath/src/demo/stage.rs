//! The stage: a data folder, server and runtime, the service's files and its three releases.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::commands::{Deployed, Watching, ask};
use crate::args::{Common, DemoOptions};
use crate::data::DataDir;
use crate::failure::Failure;
use crate::up;

/// How long server and runtime may take to be there: the first start compiles the plugins.
const START: Duration = Duration::from_secs(60);

/// How long one deployment of the demo may take; it is meant to take some ten seconds.
const DEPLOYMENT: Duration = Duration::from_secs(180);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// The files that a platform team and a product team would write.
const FILES: [(&str, &str); 3] = [
    ("path.yaml", include_str!("../../../../examples/paths/web-canary.yaml")),
    ("environment.yaml", include_str!("../../../../examples/environments/local.yaml")),
    ("service.yaml", include_str!("../../../../examples/services/hello.yaml")),
];

/// The three releases: the knobs that each carries.
const RELEASES: [(&str, &str); 3] = [("v1", ""), ("v2", ""), ("v3", "ERROR_RATE=0.33")];

const SERVICE: &str = "hello";
const ENVIRONMENT: &str = "local";

/// The stage.
pub(crate) struct Stage {
    folder: TempDir,
    data: DataDir,
    up: Child,
    quiet: bool,
    keep: bool,
}

impl Stage {
    /// Sets the stage.
    pub(crate) async fn set(common: &Common, options: &DemoOptions) -> Result<Self, Failure> {
        let service = service_program(options)?;
        let folder = tempfile::Builder::new().prefix("towpath-demo-").tempdir().map_err(|error| Failure::of("TP0401", &error))?;
        let data = DataDir::open(&folder.path().join("data"))?;
        write_files(folder.path(), &service)?;
        let up = start_up(&data)?;
        let stage = Self { folder, data, up, quiet: common.json, keep: false };
        stage.say("starting server and runtime");
        stage.server_answers().await?;
        stage.register().await?;
        Ok(stage)
    }

    /// Tells people what happens; programs get the report only.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            // Where standard error is gone nobody listens.
            let _ = writeln!(std::io::stderr(), "demo: {line}");
        }
    }

    /// Keeps the folder for whoever looks for what went wrong.
    pub(crate) fn keep_traces(&mut self) {
        self.keep = true;
    }

    /// Stops everything and removes the folder.
    pub(crate) async fn clear(self) {
        let Self { folder, up, keep, .. } = self;
        up::end(up).await;
        if keep {
            let kept = folder.keep();
            let _ = writeln!(std::io::stderr(), "demo: everything it left is in {}", kept.display());
            return;
        }
        // Stored releases are read-only folders; only who may write may remove.
        make_writable(folder.path());
    }

    async fn server_answers(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + START;
        loop {
            match ask(self.data.path(), &["plugin", "list"]).await {
                Ok(_) => return Ok(()),
                Err(failure) if Instant::now() > deadline => return Err(failure),
                Err(_) => sleep(LOOK).await,
            }
        }
    }

    async fn register(&self) -> Result<(), Failure> {
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        for (kind, verb, name) in
            [("path", "publish", "path.yaml"), ("environment", "apply", "environment.yaml"), ("service", "apply", "service.yaml")]
        {
            self.say(&format!("towpath {kind} {verb} {name}"));
            ask(self.data.path(), &[kind, verb, &file(name)]).await?;
        }
        for (label, _) in RELEASES {
            self.say(&format!("towpath release create --service {SERVICE} --label {label} --artifact {label}"));
            let artifact = file(label);
            ask(self.data.path(), &["release", "create", "--service", SERVICE, "--label", label, "--artifact", &artifact])
                .await?;
        }
        Ok(())
    }

    /// Deploys a release and follows it to its end.
    pub(crate) async fn deploy(&self, label: &str) -> Result<Deployed, Failure> {
        let mut watching = self.start(label).await?;
        self.follow(label, &mut watching, None).await
    }

    /// The same, with the engine killed once the candidate has traffic.
    pub(crate) async fn deploy_with_a_crash(&self, label: &str) -> Result<Deployed, Failure> {
        let mut watching = self.start(label).await?;
        self.follow(label, &mut watching, Some(2_500)).await
    }

    async fn start(&self, label: &str) -> Result<Watching, Failure> {
        self.say(&format!("towpath deploy {SERVICE} {ENVIRONMENT} --release {label} --yes"));
        let started = ask(self.data.path(), &["deploy", SERVICE, ENVIRONMENT, "--release", label, "--yes"]).await?;
        let id = started.get("deployment_id").and_then(|id| id.as_str());
        let id = id.ok_or_else(|| Failure::new("TP0400", format!("the answer names no deployment: {started}")))?;
        Watching::start(self.data.path(), id)
    }

    /// Follows a deployment; with `kill_at` it kills the engine once when the candidate's weight has reached that many basis points.
    async fn follow(&self, label: &str, watching: &mut Watching, mut kill_at: Option<u32>) -> Result<Deployed, Failure> {
        let mut deployed = Deployed { release: label.to_owned(), ..Deployed::default() };
        let mut last = String::new();
        let followed = async {
            while let Some(update) = watching.next().await? {
                deployed.see(&update);
                let weight = update.deployment.traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points);
                let line = format!("{label} is {} (candidate {} %): {}", update.deployment.phase, weight / 100, update.sentence);
                if update.event != "operation-intended" && line != last {
                    self.say(&line);
                    last = line;
                }
                if kill_at.is_some_and(|at| weight >= at) {
                    kill_at = None;
                    self.kill_engine()?;
                }
            }
            Ok(())
        };
        match timeout(DEPLOYMENT, followed).await {
            Ok(followed) => followed.map(|()| deployed),
            Err(_) => Err(Failure::new("TP0400", format!("{label} did not end within {} s", DEPLOYMENT.as_secs()))),
        }
    }

    fn kill_engine(&self) -> Result<(), Failure> {
        let server = self.data.announced().ok_or_else(|| Failure::new("TP0303", "the server has said nothing of itself"))?;
        self.say(&format!("kill -9 {} (the engine); `towpath up` starts it again", server.pid));
        let id = i32::try_from(server.pid).map_err(|error| Failure::of("TP0400", &error))?;
        kill(Pid::from_raw(id), Signal::SIGKILL).map_err(|error| Failure::of("TP0400", &error))
    }

    /// Returns where callers reach the service.
    pub(crate) async fn public_address(&self) -> Result<String, Failure> {
        let shown = ask(self.data.path(), &["show", SERVICE, ENVIRONMENT]).await?;
        let address = shown.get("public_endpoint").and_then(|address| address.as_str()).filter(|address| !address.is_empty());
        address.map(str::to_owned).ok_or_else(|| Failure::new("TP0400", format!("the deployment names no address: {shown}")))
    }
}

fn service_program(options: &DemoOptions) -> Result<PathBuf, Failure> {
    if let Some(file) = &options.service {
        return Ok(file.clone());
    }
    let beside = up::own_program()?.with_file_name("hello-service");
    match beside.is_file() {
        true => Ok(beside),
        false => Err(Failure::new("TP0202", format!("the demo's service {} is not there", beside.display()))
            .hint("build it with `cargo build -p hello-service`, or name one with --service FILE")),
    }
}

fn write_files(folder: &Path, service: &Path) -> Result<(), Failure> {
    let written = || -> std::io::Result<()> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        for (name, text) in FILES {
            // The example's port may be taken on this machine; any other will do.
            fs::write(folder.join(name), text.replace("port: 8080", &format!("port: {port}")))?;
        }
        for (label, knobs) in RELEASES {
            let release = folder.join(label);
            fs::create_dir(&release)?;
            fs::copy(service, release.join("hello-service"))?;
            fs::write(release.join("hello.env"), format!("VERSION={label}\n{knobs}\n"))?;
        }
        Ok(())
    };
    written().map_err(|error| Failure::new("TP0401", format!("the demo's files cannot be written: {error}")))
}

fn start_up(data: &DataDir) -> Result<Child, Failure> {
    let started = || -> std::io::Result<Child> {
        fs::create_dir_all(data.logs())?;
        let log = fs::File::create(data.logs().join("up.log"))?;
        let program = std::env::current_exe()?;
        Command::new(program)
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
    };
    started().map_err(|error| Failure::new("TP0400", format!("`towpath up` could not be started: {error}")))
}

fn make_writable(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            make_writable(&entry.path());
        }
    }
}
