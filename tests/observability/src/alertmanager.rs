//! An Alertmanager of its own.

use std::fs;
use std::net::SocketAddr;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http;
use crate::process::{Recipe, Server};

/// Takes every alert and tells nobody.
const CONFIGURATION: &str = "
route: { receiver: nobody }
receivers: [{ name: nobody }]
";

/// Longer than any test.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A running Alertmanager. Stopped when dropped.
pub struct Alertmanager {
    server: Server,
    _folder: TempDir,
}

impl Alertmanager {
    /// Starts one that takes every alert and tells nobody.
    ///
    /// # Panics
    ///
    /// When there is no Alertmanager on this machine, or it does not start.
    pub fn start() -> Self {
        Self::start_with(CONFIGURATION)
    }

    /// Starts one with a configuration, as YAML.
    ///
    /// # Panics
    ///
    /// When there is no Alertmanager on this machine, or it refuses the configuration.
    pub fn start_with(configuration: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("alertmanager.yaml");
        fs::write(&file, configuration).expect("the folder can be written");
        let recipe = Recipe {
            // As Debian calls it, and as others do.
            programs: &["prometheus-alertmanager", "alertmanager"],
            package: "prometheus-alertmanager",
            arguments: vec![
                format!("--config.file={}", file.display()),
                format!("--storage.path={}", folder.path().join("data").display()),
                // No cluster: it would listen on every address of the machine.
                "--cluster.listen-address=".to_owned(),
            ],
            listen: "--web.listen-address=",
            ready: "/-/ready",
        };
        Self { server: Server::start(&recipe, folder.path()), _folder: folder }
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Returns the URL that its API is under.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Has an alert with these labels fire for an hour.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn fire(&self, labels: &[(&str, &str)]) {
        self.post_alert(labels, Timestamp::now() + HOUR);
    }

    /// Ends the alert with these labels.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn resolve(&self, labels: &[(&str, &str)]) {
        self.post_alert(labels, Timestamp::now());
    }

    fn post_alert(&self, labels: &[(&str, &str)], ends_at: Timestamp) {
        let labels: serde_json::Map<String, Value> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let starts_at = (Timestamp::now() - SignedDuration::from_secs(1)).to_string();
        let alert = json!([{ "labels": labels, "startsAt": starts_at, "endsAt": ends_at.to_string() }]);
        let answer = http::post(self.address(), "/api/v2/alerts", "application/json", &alert.to_string());
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Silences alerts with these labels for an hour, and returns the silence's id.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn silence(&self, labels: &[(&str, &str)]) -> String {
        let matcher = |(name, value): &(&str, &str)| json!({ "name": name, "value": value, "isRegex": false, "isEqual": true });
        let now = Timestamp::now();
        let silence = json!({
            "matchers": labels.iter().map(matcher).collect::<Vec<_>>(),
            "startsAt": now.to_string(),
            "endsAt": (now + HOUR).to_string(),
            "createdBy": "a test",
            "comment": "a test",
        });
        let answer = http::post(self.address(), "/api/v2/silences", "application/json", &silence.to_string());
        answer.json()["silenceID"].as_str().expect("a silence has an id").to_owned()
    }

    /// Ends a silence.
    ///
    /// # Panics
    ///
    /// When there is no such silence.
    pub fn expire(&self, silence: &str) {
        let answer = http::ask(self.address(), ::http::Method::DELETE, &format!("/api/v2/silence/{silence}"), &[], Vec::new());
        assert_eq!(answer.map(|answer| answer.status), Ok(200), "{silence}");
    }

    /// Returns the alerts that it has, silenced ones among them, as its API says them.
    pub fn alerts(&self) -> Vec<Value> {
        let found = http::get(self.address(), "/api/v2/alerts").json();
        found.as_array().expect("a list of alerts").clone()
    }

    /// Makes it hang: connections are taken, and nobody answers.
    pub fn pause(&self) {
        self.server.pause();
    }

    /// Ends [`Alertmanager::pause`].
    pub fn resume(&self) {
        self.server.resume();
    }

    /// Ends it as a crash does; nobody listens at its address then.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again at the same address with the same data.
    pub fn start_again(&mut self) {
        self.server.start_again();
    }
}
