//! Several hosts with a balancer.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::haproxy::Lines;
use crate::host::{Supervisor, make_key};
use crate::meter::{Counted, Meter};
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
    /// What looks after services on the hosts, as the settings name it.
    supervisor: &'static str,
    /// Who logs on at the hosts; none: the user of this process.
    user: Option<&'static str>,
    meter: Option<Meter>,
}

/// The user of the machines' tree, who may become root.
const MACHINE_USER: &str = "deploy";

impl Fleet {
    /// Starts so many hosts.
    ///
    /// # Panics
    ///
    /// When the programs are not on this machine.
    pub fn start(hosts: usize) -> Self {
        Self::start_balanced(hosts, BALANCE)
    }

    /// Starts so many hosts with s6 in the place of runit.
    ///
    /// # Panics
    ///
    /// When the programs are not on this machine.
    pub fn start_s6(hosts: usize) -> Self {
        let lines = Lines { balance: BALANCE, cookie: None };
        let start = |all: &Path, name: &str| Host::start_with(all, name, Supervisor::S6);
        Self { supervisor: "s6", ..Self::with("web", hosts, lines, start) }
    }

    /// Starts so many hosts behind a balancer with another algorithm.
    ///
    /// # Panics
    ///
    /// When the programs are not on this machine.
    pub fn start_balanced(hosts: usize, balance: &str) -> Self {
        Self::of("web", hosts, Lines { balance, cookie: None })
    }

    /// Starts so many hosts behind a balancer that keeps callers on a server by a cookie of this name.
    ///
    /// # Panics
    ///
    /// When the programs are not on this machine.
    pub fn start_sticky(hosts: usize, cookie: &str) -> Self {
        Self::of("web", hosts, Lines { balance: BALANCE, cookie: Some(cookie) })
    }

    /// Starts so many hosts for a service of this name; the others are for `web`.
    ///
    /// # Panics
    ///
    /// When the programs are not on this machine.
    pub fn start_for(service: &str, hosts: usize) -> Self {
        Self::of(service, hosts, Lines { balance: BALANCE, cookie: None })
    }

    /// Boots so many machines with systemd from a tree that `tests/machines/tree` made. HAProxy's host is none of them.
    ///
    /// # Panics
    ///
    /// When this process is not root, or there is no systemd-nspawn on this machine.
    pub fn boot(hosts: usize, tree: &Path) -> Self {
        let lines = Lines { balance: BALANCE, cookie: None };
        Self {
            user: Some(MACHINE_USER),
            supervisor: "systemd",
            ..Self::with("web", hosts, lines, |all, name| Host::boot(all, name, tree))
        }
    }

    /// Has everything over ssh counted from now on, for those who are granted it from now on.
    pub fn count(&mut self) {
        let hosts: Vec<_> = self.hosts.iter().chain([&self.balancer]).collect();
        self.meter = Some(Meter::start(self.folder.path(), &hosts));
    }

    /// Returns what was counted so far.
    ///
    /// # Panics
    ///
    /// When nothing is counted.
    pub fn counted(&self) -> Counted {
        self.meter.as_ref().expect("it was asked to count").read()
    }

    /// Starts one more host, which HAProxy's configuration knows nothing of.
    pub fn add_host(&mut self) {
        let host = Host::start(self.folder.path(), &format!("web-{}", self.hosts.len() + 1));
        self.pinned.insert(self.hosts.len(), host.public_key());
        self.hosts.push(host);
    }

    fn of(service: &str, hosts: usize, lines: Lines<'_>) -> Self {
        Self::with(service, hosts, lines, Host::start)
    }

    fn with(service: &str, hosts: usize, lines: Lines<'_>, start: impl Fn(&Path, &str) -> Host) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        make_key(&folder.path().join("user"));
        let hosts: Vec<_> = (1..=hosts).map(|number| start(folder.path(), &format!("web-{number}"))).collect();
        let balancer = Host::start(folder.path(), BALANCER);
        let haproxy = Haproxy::start(&folder.path().join("haproxy"), service, &hosts, lines);
        let pinned = hosts.iter().chain([&balancer]).map(Host::public_key).collect();
        Self { hosts, balancer, haproxy, pinned, folder, supervisor: "runit", user: None, meter: None }
    }

    /// Returns the target's settings for them.
    pub fn settings(&self) -> Value {
        let mut settings = json!({
            "hosts": self.hosts.iter().map(Host::settings).collect::<Vec<_>>(),
            "supervisor": { self.supervisor: {} },
            "freeMib": 1,
            "retryAfterMs": 200,
            "publicEndpoint": self.haproxy.address().to_string(),
            "balancer": { "haproxy": {
                "hosts": [BALANCER], "socket": self.haproxy.socket(), "backend": "{service}", "root": self.balancer.root(),
                "stateFile": self.haproxy.state_file(), "newServer": self.haproxy.new_server(),
            } },
        });
        if let Some(cookie) = self.haproxy.cookie() {
            settings["balancer"]["haproxy"]["cookie"] = json!(cookie);
        }
        settings
    }

    /// Returns what the target must be granted, with the keys that the hosts had when they were started.
    ///
    /// # Panics
    ///
    /// When the user of this process has no name.
    pub fn grants(&self) -> Value {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("users are known").expect("ours is").name;
        let key: PathBuf = self.folder.path().join("user");
        let hosts = self.hosts.iter().chain([&self.balancer]);
        let ports: Vec<_> = match &self.meter {
            Some(meter) => meter.ports().to_vec(),
            None => hosts.clone().map(Host::port).collect(),
        };
        let host = |((host, pinned), port): ((&Host, &String), u16)| {
            let user = self.user.filter(|_| host.name() != BALANCER).unwrap_or(&user);
            json!({
                "name": host.name(), "address": host.address(), "port": port, "user": user, "hostKeys": [pinned], "keyFile": key,
                "commands": ["sh -s -- act", "sudo -n sh -s -- act"], "reading": ["sh -s -- look", "sudo -n sh -s -- look"],
                "paths": [host.own_root()],
            })
        };
        let hosts: Vec<_> = hosts.zip(&self.pinned).zip(ports).map(host).collect();
        json!({ "artifact": true, "ssh": { "hosts": hosts } })
    }
}
