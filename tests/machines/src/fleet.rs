//! Several hosts with a balancer.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::host::make_key;
use crate::{Haproxy, Host};

/// The name of the balancer's host.
const BALANCER: &str = "lb-1";

/// The algorithm of a balancer that is set up well.
const BALANCE: &str = "roundrobin";

/// Hosts `web-1`, `web-2` and so on, and HAProxy on a host of its own. Everything ends when it is dropped.
pub struct Fleet {
    /// The hosts.
    pub hosts: Vec<Host>,
    /// The host that HAProxy is looked after on.
    pub balancer: Host,
    /// HAProxy.
    pub haproxy: Haproxy,
    pinned: Vec<String>,
    folder: TempDir,
}

impl Fleet {
    /// Starts so many hosts.
    ///
    /// # Panics
    ///
    /// When the programs are not on this machine.
    pub fn start(hosts: usize) -> Self {
        Self::start_balanced(hosts, BALANCE)
    }

    /// Starts so many hosts behind a balancer with another algorithm.
    ///
    /// # Panics
    ///
    /// When the programs are not on this machine.
    pub fn start_balanced(hosts: usize, balance: &str) -> Self {
        Self::of("web", hosts, balance)
    }

    /// Starts so many hosts for a service of this name; the others are for `web`.
    ///
    /// # Panics
    ///
    /// When the programs are not on this machine.
    pub fn start_for(service: &str, hosts: usize) -> Self {
        Self::of(service, hosts, BALANCE)
    }

    fn of(service: &str, hosts: usize, balance: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        make_key(&folder.path().join("user"));
        let hosts: Vec<_> = (1..=hosts).map(|number| Host::start(folder.path(), &format!("web-{number}"))).collect();
        let balancer = Host::start(folder.path(), BALANCER);
        let haproxy = Haproxy::start(&folder.path().join("haproxy"), service, &hosts, balance);
        let pinned = hosts.iter().chain([&balancer]).map(Host::public_key).collect();
        Self { hosts, balancer, haproxy, pinned, folder }
    }

    /// Returns the target's settings for them.
    pub fn settings(&self) -> Value {
        json!({
            "hosts": self.hosts.iter().map(Host::settings).collect::<Vec<_>>(),
            "supervisor": { "runit": {} },
            "freeMib": 1,
            "retryAfterMs": 200,
            "publicEndpoint": self.haproxy.address().to_string(),
            "balancer": { "haproxy": {
                "hosts": [BALANCER], "socket": self.haproxy.socket(), "backend": "{service}", "root": self.balancer.root(),
                "stateFile": self.haproxy.state_file(),
            } },
        })
    }

    /// Returns what the target must be granted, with the keys that the hosts had when they were started.
    ///
    /// # Panics
    ///
    /// When the user of this process has no name.
    pub fn grants(&self) -> Value {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("users are known").expect("ours is").name;
        let key: PathBuf = self.folder.path().join("user");
        let host = |(host, pinned): (&Host, &String)| {
            json!({
                "name": host.name(), "address": "127.0.0.1", "port": host.port(), "user": user, "hostKeys": [pinned], "keyFile": key,
                "commands": ["sh -s -- act"], "reading": ["sh -s -- look"], "paths": [host.root()],
            })
        };
        let hosts: Vec<_> = self.hosts.iter().chain([&self.balancer]).zip(&self.pinned).map(host).collect();
        json!({ "artifact": true, "ssh": { "hosts": hosts } })
    }
}
