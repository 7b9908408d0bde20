//! A PostgreSQL of its own for a test: started from the machine's programs on a free port, gone afterwards.
//!
//! What goes wrong here ends the test with what was found, as tests do.
#![forbid(unsafe_code)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, chown, geteuid};
use tempfile::TempDir;

/// The one user of the server, and what it proves itself with.
pub const USER: &str = "towpath";
/// The password of [`USER`].
pub const PASSWORD: &str = "not-a-secret";

/// Looks at a server that starts, 50 ms apart: one that replays a log takes seconds on a busy machine.
const LOOKS_MAX: u32 = 1_200;

/// Settings of every server: loopback only, small, and as durable as in earnest.
const SETTINGS: [&str; 3] = ["listen_addresses=127.0.0.1", "max_connections=60", "shared_buffers=32MB"];

/// A running server. Stopped when dropped.
pub struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    child: Child,
    databases: AtomicU32,
    /// Kept as long as the server runs.
    certificates: Option<TempDir>,
}

impl Server {
    /// Starts a server with an empty cluster.
    ///
    /// # Panics
    ///
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with settings such as `fsync=off`.
    ///
    /// # Panics
    ///
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub fn start_with(settings: &[&str]) -> Self {
        Self::start_in(&std::env::temp_dir(), settings)
    }

    /// Starts a server that can encrypt, and proves itself by a certificate; both are PEM.
    ///
    /// # Panics
    ///
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub fn start_encrypted(certificate: &str, key: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = [("ssl_cert_file", certificate), ("ssl_key_file", key)].map(|(setting, pem)| {
            let path = folder.path().join(setting);
            fs::write(&path, pem).expect("the temporary folder can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("our own file");
            own(&path);
            format!("{setting}={}", path.display())
        });
        own(folder.path());
        let mut server = Self::start_with(&["ssl=on", &files[0], &files[1]]);
        server.certificates = Some(folder);
        server
    }

    /// Starts a server with its data in a new folder inside of one, for those to whom it matters on which disk it is.
    ///
    /// # Panics
    ///
    /// When there is no PostgreSQL on this machine, or it does not start.
    pub fn start_in(parent: &Path, settings: &[&str]) -> Self {
        let programs = programs();
        let folder = tempfile::tempdir_in(parent).expect("a temporary folder");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).expect("the temporary folder can be written");
        own(folder.path());
        own(&password);
        let made = as_postgres(&programs.join("initdb"))
            .args(["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--username", USER, "--pwfile"])
            .arg(&password)
            .arg("-D")
            .arg(folder.path().join("data"))
            .output()
            .expect("initdb can be run");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let child = spawn(&programs, folder.path(), port, settings);
        let server = Self { programs, folder, port, child, databases: AtomicU32::new(0), certificates: None };
        server.wait_until_ready();
        server
    }

    /// Returns the URL of a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// Returns the URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs statements in a database and returns what they print, one row per line.
    ///
    /// # Panics
    ///
    /// When one of them fails.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let ran = Command::new(self.programs.join("psql"))
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                sql,
                &self.url(database),
            ])
            .output()
            .expect("psql can be run");
        assert!(ran.status.success(), "{sql}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).trim().to_owned()
    }

    /// Copies a schema of a database into a new one, with the tools that come with the server; returns the new one's URL.
    ///
    /// # Panics
    ///
    /// When one of the tools fails.
    pub fn copy(&self, database: &str, schema: &str) -> String {
        let to = self.database();
        let dump = self.folder.path().join(format!("{database}.dump"));
        let run = |program: &str, arguments: &[&str]| {
            let ran = Command::new(self.programs.join(program)).args(arguments).output().expect("the tool can be run");
            assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
        };
        let file = dump.to_string_lossy();
        run("pg_dump", &["--format=custom", &format!("--schema={schema}"), &format!("--file={file}"), &self.url(database)]);
        run("pg_restore", &["--exit-on-error", "--single-transaction", &format!("--dbname={to}"), &file]);
        to
    }

    /// Ends every session but its own, as a broken network does.
    pub fn cut_connections(&self) {
        let others =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL";
        self.sql("postgres", others);
    }

    /// Kills it as a loss of power does: no farewell, and the log is replayed at the next start.
    pub fn kill(&mut self) {
        // SIGQUIT is the server's own "end at once without a check-point"; it takes its children with it.
        self.end(Signal::SIGQUIT);
    }

    /// Stops it in order.
    pub fn stop(&mut self) {
        self.end(Signal::SIGINT);
    }

    /// Starts it again on the same port and data.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.programs, self.folder.path(), self.port, &[]);
        self.wait_until_ready();
    }

    fn end(&mut self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are small"));
        // It may have ended by now.
        let _ = kill(id, signal);
        self.child.wait().expect("our own child can be waited for");
    }

    fn wait_until_ready(&self) {
        for _ in 0..LOOKS_MAX {
            let port = self.port.to_string();
            let mut asked = Command::new(self.programs.join("pg_isready"));
            asked.args(["--quiet", "--host=127.0.0.1", "--port", &port]);
            if asked.status().expect("pg_isready can be run").success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("PostgreSQL did not start: {log}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Signal::SIGQUIT);
    }
}

/// Returns the folder of the newest PostgreSQL's programs.
fn programs() -> PathBuf {
    let version = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = installed.filter(|folder| folder.join("bin/initdb").is_file()).max_by_key(|folder| version(folder));
    newest.expect("PostgreSQL is not installed; `apt-get install postgresql` brings it").join("bin")
}

fn spawn(programs: &Path, folder: &Path, port: u16, settings: &[&str]) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("the folder can be written");
    let mut server = as_postgres(&programs.join("postgres"));
    server.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string(), "-k"]).arg(folder);
    for setting in SETTINGS.iter().chain(settings) {
        server.args(["-c", setting]);
    }
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("postgres can be run")
}

/// PostgreSQL does not run as root; then it runs as its own user.
fn postgres_user() -> Option<User> {
    geteuid().is_root().then(|| User::from_name("postgres").ok().flatten().expect("the user postgres comes with PostgreSQL"))
}

fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C");
    if let Some(user) = postgres_user() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

fn own(path: &Path) {
    if let Some(user) = postgres_user() {
        chown(path, Some(user.uid), Some(user.gid)).expect("root may give a file away");
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
