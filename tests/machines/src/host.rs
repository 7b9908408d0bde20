//! One host: an sshd and a supervisor.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{Process, free_port, until};

/// The program, which wants its whole path.
const SSHD: &str = "/usr/sbin/sshd";

/// A host. Everything on it ends when it is dropped.
pub struct Host {
    name: String,
    folder: PathBuf,
    port: u16,
    ports: (u16, u16),
    sshd: Option<Process>,
    runit: Option<Process>,
}

impl Host {
    /// Starts a host in a folder, which the key `user.pub` beside that folder may log on to.
    pub(crate) fn start(all: &Path, name: &str) -> Self {
        let folder = all.join(name);
        fs::create_dir_all(folder.join("units")).expect("the folder can be written");
        fs::create_dir_all(folder.join("root")).expect("the folder can be written");
        make_key(&folder.join("key"));
        let (port, ports) = (free_port(), (free_port(), free_port()));
        let mut host = Self { name: name.to_owned(), folder, port, ports, sshd: None, runit: None };
        host.start_sshd();
        host.start_runit();
        host
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the port of its sshd.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the ports of its two slots.
    pub fn ports(&self) -> (u16, u16) {
        self.ports
    }

    /// Returns the folder that the target keeps its things in.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Returns the folder that its runit looks for services in.
    pub fn units(&self) -> PathBuf {
        self.folder.join("units")
    }

    /// Returns its key as `ssh-keyscan` writes it.
    pub fn public_key(&self) -> String {
        fs::read_to_string(self.folder.join("key.pub")).expect("a key").trim().to_owned()
    }

    /// Returns it as the target's settings name it.
    pub fn settings(&self) -> Value {
        let (a, b) = self.ports;
        json!({ "name": self.name, "root": self.root(), "units": self.units(), "ports": { "a": a, "b": b } })
    }

    /// Gives it another key, as after somebody else took its address. It must be pinned anew, or is refused.
    ///
    /// # Panics
    ///
    /// When there is no ssh-keygen on this machine.
    pub fn change_key(&mut self) {
        self.kill_sshd();
        for file in ["key", "key.pub"] {
            fs::remove_file(self.folder.join(file)).expect("it was there");
        }
        make_key(&self.folder.join("key"));
        self.start_sshd();
    }

    /// Ends its sshd with all connections.
    pub fn kill_sshd(&mut self) {
        self.sshd = None;
    }

    /// Starts its sshd at the same port.
    ///
    /// # Panics
    ///
    /// When there is no sshd on this machine.
    pub fn start_sshd(&mut self) {
        assert!(Path::new(SSHD).exists(), "there is no {SSHD}; `apt-get install openssh-server` brings it");
        let (place, port) = (self.folder.display(), self.port);
        let all = self.folder.parent().expect("it is in the fleet's folder").display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/key\nAuthorizedKeysFile {all}/user.pub\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nMaxStartups 200\n"
        );
        fs::write(self.folder.join("sshd.conf"), config).expect("the folder can be written");
        if nix::unistd::geteuid().is_root() {
            // Where the server of the system itself would separate its privileges.
            fs::create_dir_all("/run/sshd").expect("root may");
        }
        let mut command = Command::new(SSHD);
        command.args(["-D", "-e", "-f"]).arg(self.folder.join("sshd.conf"));
        self.sshd = Some(Process::start(&mut command, "openssh-server", &self.folder.join("sshd.log")));
        until("sshd listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    }

    /// Takes its power away and gives it back: nothing runs any more, and what its supervisor knew is gone.
    ///
    /// # Panics
    ///
    /// When its folder cannot be written.
    pub fn reboot(&mut self) {
        self.kill_sshd();
        self.runit = None;
        fs::remove_dir_all(self.units()).expect("it was there");
        fs::create_dir(self.units()).expect("the folder can be written");
        self.start_runit();
        self.start_sshd();
    }

    fn start_runit(&mut self) {
        let mut command = Command::new("runsvdir");
        command.arg(self.units());
        self.runit = Some(Process::start(&mut command, "runit", &self.folder.join("runit.log")));
    }
}

/// Makes a key pair.
pub(crate) fn make_key(file: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(file).status();
    assert!(made.expect("ssh-keygen is not installed; `apt-get install openssh-client` brings it").success());
}
