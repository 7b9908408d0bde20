//! Envoy before the hosts.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::callers::get;
use crate::process::{Process, free_port, until};

/// How it is set up.
const EXAMPLE: &str = include_str!("../../../examples/vm/envoy.yaml");

/// The policy that honours weights.
const POLICY: &str = "ROUND_ROBIN";

/// A running Envoy with a cluster, those of its two sides, and routes, all of which are read from files: without servers at first. Ended when
/// dropped.
pub struct Envoy {
    folder: PathBuf,
    program: PathBuf,
    cluster: String,
    port: u16,
    admin: u16,
    process: Option<Process>,
}

impl Envoy {
    /// Starts one in a folder, from cargo's target folder, with a cluster of this name.
    ///
    /// # Panics
    ///
    /// When Envoy is not in the target folder.
    pub fn start(folder: &Path, target: &Path, cluster: &str) -> Self {
        Self::start_with(folder, target, cluster, POLICY)
    }

    /// Starts one whose cluster divides requests by another policy.
    ///
    /// # Panics
    ///
    /// When Envoy is not in the target folder.
    pub fn start_with(folder: &Path, target: &Path, cluster: &str, policy: &str) -> Self {
        fs::create_dir_all(folder).expect("the folder can be written");
        let mut envoy = Self {
            folder: folder.to_owned(),
            program: program(target),
            cluster: cluster.to_owned(),
            port: free_port(),
            admin: free_port(),
            process: None,
        };
        envoy.configure(policy);
        let nobody = r#"{"resources":[]}"#;
        for name in [cluster.to_owned(), format!("{cluster}-stable"), format!("{cluster}-candidate")] {
            fs::write(envoy.file(&name), nobody).expect("the folder can be written");
        }
        let everything = json!([{ "match": { "prefix": "/" }, "route": { "cluster": cluster } }]);
        let routes = json!({ "resources": [{
            "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
            "name": cluster, "virtual_hosts": [{ "name": cluster, "domains": ["*"], "routes": everything }],
        }] });
        fs::write(envoy.file(&format!("{cluster}-routes")), routes.to_string()).expect("the folder can be written");
        envoy.start_again();
        envoy
    }

    /// Writes its own configuration: the example's, with this one's places, and looks at servers more often.
    fn configure(&self, policy: &str) {
        let mut config = EXAMPLE.to_owned();
        for (example, ours) in [
            ("hello", self.cluster.as_str()),
            ("/etc/envoy/towpath", &self.folder.display().to_string()),
            ("0.0.0.0, port_value: 80 ", &format!("127.0.0.1, port_value: {} ", self.port)),
            ("port_value: 9901", &format!("port_value: {}", self.admin)),
            ("interval: 1s", "interval: 0.2s"),
            ("lb_policy: ROUND_ROBIN", &format!("lb_policy: {policy}")),
        ] {
            assert!(config.contains(example), "the example has no {example:?}");
            config = config.replace(example, ours);
        }
        fs::write(self.folder.join("envoy.yaml"), config).expect("the folder can be written");
    }

    /// Returns where callers come in.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Returns its admin interface.
    pub fn admin(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.admin))
    }

    /// Returns a file that it reads.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }

    /// Returns it as the target's settings name it, on this host and with this folder there.
    pub fn settings(&self, host: &str, root: &Path) -> Value {
        json!({ "envoy": {
            "hosts": [host], "admin": self.admin().to_string(), "folder": self.folder, "routes": {}, "root": root,
        } })
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again with the same configuration.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start_again(&mut self) {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.folder.join("envoy.yaml")).args(["--concurrency", "2", "--disable-hot-restart"]);
        self.process = Some(Process::start(&mut command, "no package: `.ci/setup tests`", &self.folder.join("envoy.log")));
        until("Envoy listens", || TcpStream::connect(self.address()).ok());
    }

    /// Asks its admin interface for a path, and returns what it answers, head and all.
    ///
    /// # Panics
    ///
    /// When nobody answers.
    pub fn ask(&self, path: &str) -> String {
        get(self.admin(), path, "Accept: */*")
    }

    /// Returns how many requests the servers of a cluster were given.
    pub fn requests(&self, cluster: &str) -> u64 {
        let rows = self.ask("/clusters");
        let count =
            |row: &str| row.strip_prefix(cluster)?.strip_prefix("::")?.rsplit_once("::rq_total::")?.1.trim().parse::<u64>().ok();
        rows.lines().filter_map(count).sum()
    }
}

/// Finds Envoy's program in cargo's target folder, where `.ci/setup tests` has put it.
fn program(target: &Path) -> PathBuf {
    let library = target.join("envoy/lib");
    let versions = fs::read_dir(&library).into_iter().flatten().flatten();
    let mut programs = versions.map(|version| version.path().join("site-packages/envoy/_bin/envoy"));
    programs
        .find(|program| program.exists())
        .unwrap_or_else(|| panic!("Envoy is not in {}: run `.ci/setup tests`", library.display()))
}
