//! HAProxy before the hosts.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Host;
use crate::process::{Process, free_port, until};

/// How often it looks at a server.
const CHECK: &str = "check inter 200ms rise 1 fall 3";

/// What a test has otherwise in the backend.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    /// The algorithm.
    pub(crate) balance: &'a str,
    /// The cookie that keeps callers on a server.
    pub(crate) cookie: Option<&'a str>,
}

/// A running HAProxy with one backend, in which each host has the servers `NAME-a` and `NAME-b`, all of them closed. Ended when dropped.
pub struct Haproxy {
    folder: PathBuf,
    port: u16,
    socket: u16,
    backend: String,
    cookie: Option<String>,
    process: Option<Process>,
}

impl Haproxy {
    pub(crate) fn start(folder: &Path, backend: &str, hosts: &[Host], lines: Lines<'_>) -> Self {
        fs::create_dir_all(folder).expect("the folder can be written");
        let (port, socket) = (free_port(), free_port());
        let servers = hosts.iter().map(|host| {
            let ((a, b), name, address) = (host.ports(), host.name(), host.address());
            let server = |slot: &str, port: u16| {
                let cookie = lines.cookie.map_or_else(String::new, |_| format!(" cookie {name}-{slot}"));
                format!("    server {name}-{slot} {address}:{port} disabled{cookie}\n")
            };
            server("a", a) + &server("b", b)
        });
        let cookie = lines.cookie.map_or_else(String::new, |cookie| format!("    cookie {cookie} insert indirect nocache\n"));
        let state = folder.join("state");
        let config = format!(
            "global\n    stats socket ipv4@127.0.0.1:{socket} level admin\n    server-state-file {}\n\
             defaults\n    mode http\n    log stdout format raw local0 info\n    option httplog\n    option dontlog-normal\n    timeout connect 2s\n    timeout client 60s\n    timeout server 60s\n    option redispatch\n    \
             load-server-state-from-file global\n\
             frontend all\n    bind 127.0.0.1:{port}\n    default_backend {backend}\n\
             backend {backend}\n    balance {}\n{cookie}    option httpchk GET /healthz\n    default-server {CHECK}\n{}",
            state.display(),
            lines.balance,
            servers.collect::<String>(),
        );
        fs::write(folder.join("haproxy.cfg"), config).expect("the folder can be written");
        let mut haproxy = Self {
            folder: folder.to_owned(),
            port,
            socket,
            backend: backend.to_owned(),
            cookie: lines.cookie.map(str::to_owned),
            process: None,
        };
        haproxy.start_again();
        haproxy
    }

    /// Returns where callers come in.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Returns its stats socket.
    pub fn socket(&self) -> String {
        format!("127.0.0.1:{}", self.socket)
    }

    /// Returns the file that it reads its servers' state from when it starts.
    pub fn state_file(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// Returns the words of a server that it is told of while it runs.
    pub(crate) fn new_server(&self) -> &str {
        CHECK
    }

    /// Returns the cookie that it keeps callers by.
    pub(crate) fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Ends it as a crash does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again with the same configuration.
    ///
    /// # Panics
    ///
    /// When there is no HAProxy on this machine.
    pub fn start_again(&mut self) {
        let mut command = Command::new("haproxy");
        command.args(["-db", "-f"]).arg(self.folder.join("haproxy.cfg"));
        self.process = Some(Process::start(&mut command, "haproxy", &self.folder.join("haproxy.log")));
        until("HAProxy listens", || TcpStream::connect(self.address()).ok());
    }

    /// Returns how connections to a server ended that did not end well, in the letters of its log: `KD--` where it was told to close one that sent.
    pub fn ends(&self, server: &str) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("haproxy.log")).unwrap_or_default();
        let end = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            let at = words.windows(2).position(|two| two[0] == "all" && two[1].ends_with(&format!("/{server}")))? + 1;
            // Behind the server stand times, status, bytes and two cookies.
            Some((*words.get(at + 6)?).to_owned())
        };
        log.lines().filter_map(end).collect()
    }

    /// Asks its runtime API.
    ///
    /// # Panics
    ///
    /// When nobody answers.
    pub fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.socket)).expect("it listens");
        stream.write_all(format!("{command}\n").as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    /// Returns a server's status and weight, as `show stat` has them.
    ///
    /// # Panics
    ///
    /// When it has no such server.
    pub fn server(&self, name: &str) -> (String, u32) {
        self.find(name).unwrap_or_else(|| panic!("there is no server {name}"))
    }

    /// Returns the same, if it has such a server.
    pub fn find(&self, name: &str) -> Option<(String, u32)> {
        let rows = self.ask(&format!("show stat {} 6 -1", self.backend));
        let row = rows.lines().map(|row| row.split(',').collect::<Vec<_>>()).find(|row| row.get(1) == Some(&name))?;
        Some((row[17].to_owned(), row[18].parse().expect("a weight")))
    }
}
