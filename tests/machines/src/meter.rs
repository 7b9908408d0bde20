//! What goes to the hosts and comes from them over ssh, counted on the way.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::Host;
use crate::process::{Process, free_port, until};

/// An HAProxy before the hosts' sshds, which hands on bytes and counts them. Ended when dropped.
pub(crate) struct Meter {
    ports: Vec<u16>,
    socket: u16,
    _process: Process,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Connections.
    pub connections: u64,
    /// Bytes to the hosts, encrypted as they are.
    pub sent: u64,
    /// Bytes from the hosts.
    pub received: u64,
}

impl Meter {
    /// Starts one in a folder.
    pub(crate) fn start(folder: &Path, hosts: &[&Host]) -> Self {
        let (socket, ports) = (free_port(), hosts.iter().map(|_| free_port()).collect::<Vec<_>>());
        let listeners = hosts.iter().zip(&ports).map(|(host, port)| {
            format!("listen {}\n    bind 127.0.0.1:{port}\n    server sshd 127.0.0.1:{}\n", host.name(), host.port())
        });
        let config = format!(
            "global\n    stats socket ipv4@127.0.0.1:{socket} level user\n\
             defaults\n    mode tcp\n    timeout connect 2s\n    timeout client 60s\n    timeout server 60s\n{}",
            listeners.collect::<String>()
        );
        let file = folder.join("meter.cfg");
        std::fs::write(&file, config).expect("the folder can be written");
        let mut command = Command::new("haproxy");
        command.args(["-db", "-f"]).arg(file);
        let process = Process::start(&mut command, "haproxy", &folder.join("meter.log"));
        until("the meter listens", || TcpStream::connect(("127.0.0.1", socket)).ok());
        Self { ports, socket, _process: process }
    }

    /// Returns the port before each host.
    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Returns what was counted so far, of connections that have ended.
    pub(crate) fn read(&self) -> Counted {
        let mut stream = TcpStream::connect(("127.0.0.1", self.socket)).expect("it listens");
        // Frontends alone: number, kind and server of what is shown.
        stream.write_all(b"show stat -1 1 -1\n").expect("it reads");
        let mut rows = String::new();
        stream.read_to_string(&mut rows).expect("it answers");
        let mut counted = Counted::default();
        for row in rows.lines().filter(|row| !row.starts_with('#') && !row.is_empty()) {
            let fields: Vec<_> = row.split(',').collect();
            let number = |at: usize| fields[at].parse::<u64>().expect("a number");
            counted.connections += number(7);
            counted.sent += number(8);
            counted.received += number(9);
        }
        counted
    }
}
