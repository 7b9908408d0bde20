//! A Prometheus of a test's own, and what it scrapes.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Looks at whether it listens, [`PAUSE`] apart, before a test gives up: a minute.
const LOOKS_MAX: u32 = 1_200;

const PAUSE: Duration = Duration::from_millis(50);

/// How often another port is tried, when somebody took the one that was free.
const STARTS_MAX: u32 = 5;

/// A running Prometheus. Stopped when dropped.
pub(super) struct Prometheus {
    pub(super) port: u16,
    pub(super) folder: TempDir,
    child: Child,
}

impl Prometheus {
    /// Starts one that scrapes these ports every second, with this configuration of its web server.
    pub(super) fn start(targets: &[u16], web: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start_in(folder, targets, web)
    }

    /// The same, in a folder that holds what the web server's configuration names.
    pub(super) fn start_in(folder: TempDir, targets: &[u16], web: Option<&str>) -> Self {
        let mut config =
            "global: { scrape_interval: 1s }\nscrape_configs:\n- job_name: test\n  static_configs:\n  - targets:\n".to_owned();
        for port in targets {
            writeln!(config, "    - 127.0.0.1:{port}").expect("a text takes text");
        }
        let config = if targets.is_empty() { "global: {}\n".to_owned() } else { config };
        fs::write(folder.path().join("prometheus.yml"), config).expect("the folder can be written");
        fs::write(folder.path().join("web.yml"), web.unwrap_or_default()).expect("the folder can be written");
        for _ in 0..STARTS_MAX {
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            let port = free.local_addr().expect("an address").port();
            drop(free);
            let mut child = spawn(folder.path(), port);
            if listens(&mut child, port) {
                return Self { port, folder, child };
            }
        }
        panic!("it did not start: {}", fs::read_to_string(folder.path().join("log")).unwrap_or_default());
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes it hang with SIGSTOP, and go on with SIGCONT.
    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are small")), signal).expect("our own child");
    }

    /// Ends it as a crash does.
    pub(super) fn kill(&mut self) {
        // It may have ended by now.
        let _ = self.child.kill();
        self.child.wait().expect("our own child");
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(folder: &Path, port: u16) -> Child {
    let log = fs::File::create(folder.join("log")).expect("the folder can be written");
    let mut command = Command::new("prometheus");
    command.arg("--config.file=prometheus.yml").arg("--storage.tsdb.path=data").arg("--web.config.file=web.yml");
    command.arg(format!("--web.listen-address=127.0.0.1:{port}")).current_dir(folder);
    command.stdin(Stdio::null()).stdout(log.try_clone().expect("an open file")).stderr(log);
    command.spawn().expect("prometheus is not installed; `apt-get install prometheus` brings it")
}

/// Waits until it listens; says no when it ended instead.
fn listens(child: &mut Child, port: u16) -> bool {
    for _ in 0..LOOKS_MAX {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        if child.try_wait().expect("our own child").is_some() {
            return false;
        }
        std::thread::sleep(PAUSE); // tidy: between two looks at the condition
    }
    false
}

/// Counters of four releases, which grow with each scrape: `stable` and `good` fail once in a hundred requests, `bad` once in five,
/// `flawless` never.
pub(super) struct Exporter {
    pub(super) port: u16,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    scrapes: u64,
    silent: bool,
}

impl Exporter {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 4096];
                // A client that goes away early is its own affair.
                let _ = connection.read(&mut request).await;
                let page = shared.lock().expect("nobody panicked").page();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\n\r\n";
                if let Some(page) = page {
                    let _ = connection.write_all(format!("{head}{page}").as_bytes()).await;
                }
            }
        });
        Self { port, state, serving }
    }

    /// Answers nobody any more.
    pub(super) fn fall_silent(&self) {
        self.state.lock().expect("nobody panicked").silent = true;
    }

    /// Counts from zero, as after a restart.
    pub(super) fn begin_anew(&self) {
        self.state.lock().expect("nobody panicked").scrapes = 0;
    }
}

impl State {
    fn page(&mut self) -> Option<String> {
        self.scrapes += 1;
        let mut page = "# TYPE requests_total counter\n".to_owned();
        for (release, failed) in [("stable", 1), ("good", 1), ("bad", 20), ("flawless", 0)] {
            for (code, each) in [("200", 100 - failed), ("500", failed)].into_iter().filter(|(_, each)| *each > 0) {
                writeln!(page, "requests_total{{release=\"{release}\",code=\"{code}\"}} {}", each * self.scrapes)
                    .expect("a text");
            }
        }
        (!self.silent).then_some(page)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A server that gives every request the same answer, and keeps what it was asked.
pub(super) struct Canned {
    pub(super) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Canned {
    pub(super) async fn start(body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let serving = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = vec![0; 64 * 1024];
                let read = connection.read(&mut request).await.unwrap_or_default();
                kept.lock().expect("nobody panicked").push(String::from_utf8_lossy(&request[..read]).into_owned());
                let _ = connection.write_all(head.as_bytes()).await;
                // A client that has read enough closes early.
                let _ = connection.write_all(body.as_bytes()).await;
            }
        });
        Self { port, asked, serving }
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
