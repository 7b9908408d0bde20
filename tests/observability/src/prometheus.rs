//! A Prometheus of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use url::form_urlencoded;

use crate::http;
use crate::process::{Recipe, Server, poll};

/// The Debian package of both programs.
const PACKAGE: &str = "prometheus";

/// A running Prometheus. Stopped when dropped.
pub struct Prometheus {
    server: Server,
    folder: TempDir,
}

/// One sample of a vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// All labels, the name among them.
    pub labels: BTreeMap<String, String>,
    /// The value; not a number where a division had nothing to divide.
    pub value: f64,
}

/// One target that is scraped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The labels of its series.
    pub labels: BTreeMap<String, String>,
    /// `up`, `down`, or `unknown` before the first scrape.
    pub health: String,
    /// Why it is down; empty when it is not.
    pub last_error: String,
}

impl Prometheus {
    /// Starts with a configuration, as YAML.
    ///
    /// # Panics
    ///
    /// When there is no Prometheus on this machine, or it refuses the configuration.
    pub fn start(configuration: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary folder"), configuration)
    }

    /// Starts with samples of the past, in the text format of OpenMetrics with a time at each sample and `# EOF` at the end.
    ///
    /// # Panics
    ///
    /// When they cannot be read, there is no Prometheus on this machine, or it refuses the configuration.
    pub fn start_with_history(configuration: &str, history: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("history");
        fs::write(&file, history).expect("the folder can be written");
        let arguments = ["tsdb", "create-blocks-from", "openmetrics"].map(PathBuf::from);
        let ran = promtool().args(arguments).arg(&file).arg(folder.path().join("data")).output();
        let ran = ran.expect("promtool is not installed; `apt-get install prometheus` brings it");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        Self::start_in(folder, configuration)
    }

    fn start_in(folder: TempDir, configuration: &str) -> Self {
        let file = folder.path().join("prometheus.yaml");
        fs::write(&file, configuration).expect("the folder can be written");
        let recipe = Recipe {
            programs: &["prometheus"],
            package: PACKAGE,
            arguments: vec![
                format!("--config.file={}", file.display()),
                format!("--storage.tsdb.path={}", folder.path().join("data").display()),
                "--web.enable-lifecycle".to_owned(),
            ],
            listen: "--web.listen-address=",
            ready: "/-/ready",
        };
        Self { server: Server::start(&recipe, folder.path()), folder }
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Returns the URL that its API is under.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Replaces the configuration; the data stay.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn reload(&self, configuration: &str) {
        fs::write(self.folder.path().join("prometheus.yaml"), configuration).expect("the folder can be written");
        let answer = http::post(self.address(), "/-/reload", "text/plain", "");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Asks a query about now and returns its vector; a scalar is a vector of one sample without labels.
    ///
    /// # Panics
    ///
    /// When the query is refused.
    pub fn query(&self, promql: &str) -> Vec<Sample> {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("query", promql).finish();
        let answer = http::post(self.address(), "/api/v1/query", "application/x-www-form-urlencoded", &query);
        assert_eq!(answer.status, 200, "{promql}: {}", answer.body);
        let data = answer.json()["data"].take();
        match data["resultType"].as_str() {
            Some("scalar") => vec![Sample { labels: BTreeMap::new(), value: value(&data["result"]) }],
            Some("vector") => {
                let result = data["result"].as_array().into_iter().flatten();
                result.map(|found| Sample { labels: labels(&found["metric"]), value: value(&found["value"]) }).collect()
            }
            other => panic!("{promql} gives {other:?}; expected a vector"),
        }
    }

    /// Asks a query again and again until its vector is as it should be, and returns it.
    ///
    /// # Panics
    ///
    /// When it does not become so within a minute.
    pub fn query_until(&self, promql: &str, fits: impl Fn(&[Sample]) -> bool) -> Vec<Sample> {
        let mut last = Vec::new();
        let found = poll(|| {
            last = self.query(promql);
            fits(&last).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("{promql} stays at {last:#?}; targets: {:#?}", self.targets()))
    }

    /// Returns what is scraped.
    pub fn targets(&self) -> Vec<Target> {
        let data = http::get(self.address(), "/api/v1/targets?state=active").json()["data"].take();
        let target = |found: &Value| Target {
            labels: labels(&found["labels"]),
            health: text(&found["health"]),
            last_error: text(&found["lastError"]),
        };
        data["activeTargets"].as_array().into_iter().flatten().map(target).collect()
    }

    /// Makes it hang: connections are taken, and nobody answers.
    pub fn pause(&self) {
        self.server.pause();
    }

    /// Ends [`Prometheus::pause`].
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

/// Has Prometheus' own tool look at a configuration.
///
/// # Panics
///
/// When there is no such tool on this machine.
pub fn check_config(file: &Path) -> Result<(), String> {
    let ran = promtool().args(["check", "config"]).arg(file).output();
    said(&ran.expect("promtool is not installed; `apt-get install prometheus` brings it"))
}

/// Has Prometheus' own tool look at metrics in its text format: whether they can be read, and whether their names keep its rules.
///
/// # Panics
///
/// When there is no such tool on this machine.
pub fn check_metrics(text: &str) -> Result<(), String> {
    let mut tool = promtool();
    tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = tool.spawn().expect("promtool is not installed; `apt-get install prometheus` brings it");
    // It may have seen enough before the end.
    let _ = tool.stdin.take().expect("a pipe").write_all(text.as_bytes());
    said(&tool.wait_with_output().expect("our own child can be waited for"))
}

fn said(ran: &Output) -> Result<(), String> {
    let said = [&ran.stdout, &ran.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    if ran.status.success() { Ok(()) } else { Err(said) }
}

fn promtool() -> Command {
    Command::new("promtool")
}

fn labels(metric: &Value) -> BTreeMap<String, String> {
    metric.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// Values are pairs of a time and a number as text.
fn value(pair: &Value) -> f64 {
    text(&pair[1]).parse().unwrap_or_else(|error| panic!("{pair}: {error}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
