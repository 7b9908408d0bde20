//! A real Alertmanager, started from the machine's program on a free loopback port and gone afterwards.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Takes every alert and tells nobody.
const CONFIGURATION: &str = "
route: { receiver: nobody }
receivers: [{ name: nobody }]
";

/// Looks at a condition before a test gives up: a minute, for a busy machine.
const LOOKS_MAX: u32 = 1_200;

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A running Alertmanager. Stopped when dropped.
pub(crate) struct Alertmanager {
    address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts one and waits until it is ready.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("alertmanager.yaml");
        fs::write(&file, CONFIGURATION).expect("the folder can be written");
        let address = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let child = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            // No cluster: it would listen on every address of the machine.
            .arg("--cluster.listen-address=")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus-alertmanager is not installed; `apt-get install prometheus-alertmanager` brings it");
        let started = Self { address, child, _folder: folder };
        started.wait_until_ready();
        started
    }

    fn wait_until_ready(&self) {
        for _ in 0..LOOKS_MAX {
            if self.ask("GET", "/-/ready", "").is_some_and(|(status, _)| status == 200) {
                return;
            }
            std::thread::sleep(PAUSE); // tidy: between two looks at the condition
        }
        panic!("the Alertmanager at {} is not ready", self.address);
    }

    /// Returns the URL that its API is under.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the port that it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Has an alert with these labels fire for an hour, since a second ago.
    pub(crate) fn fire(&self, labels: &[(&str, &str)]) {
        self.post_alert(labels, Timestamp::now() + SignedDuration::from_hours(1));
    }

    /// Ends the alert with these labels.
    pub(crate) fn resolve(&self, labels: &[(&str, &str)]) {
        self.post_alert(labels, Timestamp::now());
    }

    fn post_alert(&self, labels: &[(&str, &str)], ends_at: Timestamp) {
        let labels: serde_json::Map<String, Value> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let starts_at = (Timestamp::now() - SignedDuration::from_secs(1)).to_string();
        let alert = json!([{ "labels": labels, "startsAt": starts_at, "endsAt": ends_at.to_string() }]).to_string();
        assert_eq!(self.ask("POST", "/api/v2/alerts", &alert).map(|(status, _)| status), Some(200));
    }

    /// Silences alerts with these labels for an hour.
    pub(crate) fn silence(&self, labels: &[(&str, &str)]) {
        let matcher = |(name, value): &(&str, &str)| json!({ "name": name, "value": value, "isRegex": false, "isEqual": true });
        let now = Timestamp::now();
        let silence = json!({
            "matchers": labels.iter().map(matcher).collect::<Vec<_>>(), "startsAt": now.to_string(),
            "endsAt": (now + SignedDuration::from_hours(1)).to_string(), "createdBy": "a test", "comment": "a test",
        });
        assert_eq!(self.ask("POST", "/api/v2/silences", &silence.to_string()).map(|(status, _)| status), Some(200));
    }

    /// Makes it hang: connections are taken, and nobody answers.
    pub(crate) fn pause(&self) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are small"));
        kill(id, Signal::SIGSTOP).expect("our own child, which nobody waited for");
    }

    /// Ends it as a crash does; nobody listens at its address then.
    pub(crate) fn kill(&mut self) {
        // It may have ended by now.
        let _ = self.child.kill();
        self.child.wait().expect("our own child can be waited for");
    }

    /// Asks it; `None` while nobody answers.
    fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut connection = TcpStream::connect(self.address).ok()?;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}"
        );
        write!(connection, "{head}\r\n\r\n{body}").ok()?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer))
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.kill();
    }
}
