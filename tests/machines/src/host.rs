//! One host: an sshd and a supervisor; in a folder beside others, or a machine with an operating system of its own.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::link::Link;
use crate::process::{Process, free_port, until, until_well};

/// The program, which wants its whole path.
const SSHD: &str = "/usr/sbin/sshd";

/// Where a machine finds the target's folder.
const MACHINE_ROOT: &str = "/srv/towpath";

/// A host. Everything on it ends when it is dropped.
pub struct Host {
    name: String,
    folder: PathBuf,
    port: u16,
    ports: (u16, u16),
    kind: Kind,
    /// By how many seconds each of its commands is delayed.
    delay_seconds: u32,
    sshd: Option<Process>,
    supervisor: Option<Process>,
}

/// What looks after services on a host that is a folder.
#[derive(Clone, Copy)]
pub(crate) enum Supervisor {
    /// runit.
    Runit,
    /// s6.
    S6,
}

/// What a host is.
enum Kind {
    /// An sshd and a supervisor of their own.
    Folder(Supervisor),
    /// A machine with systemd and a network of its own, which boots from this tree.
    Machine(PathBuf),
}

impl Host {
    /// Starts a host in a folder, which the key `user.pub` beside that folder may log on to.
    pub(crate) fn start(all: &Path, name: &str) -> Self {
        Self::start_with(all, name, Supervisor::Runit)
    }

    /// The same with another supervisor.
    pub(crate) fn start_with(all: &Path, name: &str, supervisor: Supervisor) -> Self {
        let mut host = Self::new(all, name, Kind::Folder(supervisor));
        host.start_sshd();
        host.start_supervisor();
        host
    }

    /// Boots a machine from a tree, with a folder for what it keeps. What it writes elsewhere is gone when it ends.
    pub(crate) fn boot(all: &Path, name: &str, tree: &Path) -> Self {
        let mut host = Self::new(all, name, Kind::Machine(tree.to_owned()));
        host.write_config("/etc/machine/key", "/etc/machine/authorized");
        fs::copy(all.join("user.pub"), host.folder.join("authorized")).expect("the folder can be written");
        host.start_supervisor();
        host
    }

    fn new(all: &Path, name: &str, kind: Kind) -> Self {
        let folder = all.join(name);
        fs::create_dir_all(folder.join("units")).expect("the folder can be written");
        fs::create_dir_all(folder.join("root")).expect("the folder can be written");
        make_key(&folder.join("key"));
        let (port, ports) = (free_port(), (free_port(), free_port()));
        Self { name: name.to_owned(), folder, port, ports, kind, delay_seconds: 0, sshd: None, supervisor: None }
    }

    /// Returns its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the port of its sshd.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address that it is reached at.
    pub fn address(&self) -> Ipv4Addr {
        match self.kind {
            Kind::Folder(_) => Ipv4Addr::LOCALHOST,
            Kind::Machine(_) => self.link().address(),
        }
    }

    /// Returns the ports of its two slots.
    pub fn ports(&self) -> (u16, u16) {
        self.ports
    }

    /// Returns the folder that the target keeps its things in.
    pub fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// Returns the folder that its supervisor looks for services in.
    pub fn units(&self) -> PathBuf {
        self.folder.join("units")
    }

    /// Returns the same folder, as the host names it.
    pub fn own_root(&self) -> PathBuf {
        match self.kind {
            Kind::Folder(_) => self.root(),
            Kind::Machine(_) => PathBuf::from(MACHINE_ROOT),
        }
    }

    /// Returns its key as `ssh-keyscan` writes it.
    pub fn public_key(&self) -> String {
        fs::read_to_string(self.folder.join("key.pub")).expect("a key").trim().to_owned()
    }

    /// Returns it as the target's settings name it.
    pub fn settings(&self) -> Value {
        let (a, b) = self.ports;
        let ports = json!({ "a": a, "b": b });
        match self.kind {
            Kind::Folder(_) => json!({ "name": self.name, "root": self.root(), "units": self.units(), "ports": ports }),
            Kind::Machine(_) => json!({ "name": self.name, "address": self.address(), "root": MACHINE_ROOT, "ports": ports }),
        }
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

    /// Ends every connection to it, as a switch that fails does; new ones are taken.
    ///
    /// # Panics
    ///
    /// When it has no sshd of its own.
    pub fn cut_connections(&self) {
        self.sshd.as_ref().expect("it has an sshd").kill_children();
    }

    /// Stops its sshd where it stands: connections are taken, and nobody says anything, as from a machine that hangs.
    ///
    /// # Panics
    ///
    /// When it has no sshd of its own.
    pub fn fall_silent(&self) {
        self.sshd.as_ref().expect("it has an sshd").stop();
    }

    /// Has every command on it take so many seconds more.
    ///
    /// # Panics
    ///
    /// When there is no sshd on this machine.
    pub fn slow_down(&mut self, seconds: u32) {
        self.delay_seconds = seconds;
        self.kill_sshd();
        self.start_sshd();
    }

    /// Starts its sshd at the same port.
    ///
    /// # Panics
    ///
    /// When there is no sshd on this machine.
    pub fn start_sshd(&mut self) {
        assert!(Path::new(SSHD).exists(), "there is no {SSHD}; `apt-get install openssh-server` brings it");
        let (key, all) = (self.folder.join("key"), self.folder.parent().expect("it is in the fleet's folder"));
        self.write_config(&key.display().to_string(), &all.join("user.pub").display().to_string());
        if nix::unistd::geteuid().is_root() {
            // Where the server of the system itself would separate its privileges.
            fs::create_dir_all("/run/sshd").expect("root may");
        }
        let mut command = Command::new(SSHD);
        command.args(["-D", "-e", "-f"]).arg(self.folder.join("sshd.conf"));
        self.sshd = Some(Process::start(&mut command, "openssh-server", &self.folder.join("sshd.log")));
        self.until_it_listens();
    }

    fn write_config(&self, key: &str, users: &str) {
        let delay = match self.delay_seconds {
            0 => String::new(),
            seconds => format!("ForceCommand sleep {seconds}; exec sh -c \"$SSH_ORIGINAL_COMMAND\"\n"),
        };
        let (home, listen) = match self.kind {
            // What this process's user has a shell do at every logon is not the host's, and may take as long as it likes.
            Kind::Folder(_) => (format!("SetEnv HOME={}\n", self.folder.display()), Ipv4Addr::LOCALHOST),
            // A machine has its address when it runs already; nobody but this host reaches it.
            Kind::Machine(_) => (String::new(), Ipv4Addr::UNSPECIFIED),
        };
        let config = format!(
            "Port {}\nListenAddress {listen}\nHostKey {key}\nAuthorizedKeysFile {users}\nPidFile none\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nPermitRootLogin yes\nMaxStartups 200\n{home}{delay}",
            self.port
        );
        fs::write(self.folder.join("sshd.conf"), config).expect("the folder can be written");
    }

    fn until_it_listens(&self) {
        until("sshd says who it is", || {
            let mut stream = TcpStream::connect((self.address(), self.port)).ok()?;
            let mut banner = [0; 4];
            stream.read_exact(&mut banner).ok()?;
            (banner == *b"SSH-").then_some(())
        });
    }

    /// Takes its power away and gives it back: nothing runs any more, and what its supervisor knew is gone.
    ///
    /// # Panics
    ///
    /// When its folder cannot be written.
    pub fn reboot(&mut self) {
        self.kill_sshd();
        self.supervisor = None;
        fs::remove_dir_all(self.units()).expect("it was there");
        fs::create_dir(self.units()).expect("the folder can be written");
        self.start_supervisor();
        if matches!(self.kind, Kind::Folder(_)) {
            self.start_sshd();
        }
    }

    /// Returns how many services its supervisor looks after, their logs counted as well.
    pub fn supervised(&self) -> usize {
        self.supervisor.as_ref().map_or(0, Process::count_children)
    }

    /// Runs a command on a machine, as root, and returns what it printed.
    ///
    /// # Panics
    ///
    /// When the host is no machine, or the command fails.
    pub fn run(&self, command: &[&str]) -> String {
        let ran = Command::new("nsenter").args(["-t", &self.leader(), "-a"]).args(command).output().expect("nsenter is there");
        assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    fn leader(&self) -> String {
        // A folder's supervisor is in this machine's own network, which is nobody's to change.
        assert!(matches!(self.kind, Kind::Machine(_)), "{} is no machine", self.name);
        self.supervisor.as_ref().and_then(Process::leader).expect("a machine that runs")
    }

    fn link(&self) -> Link {
        Link::of(self.port)
    }

    /// Takes a machine's power away; `reboot` gives it back.
    ///
    /// # Panics
    ///
    /// When the host is no machine.
    pub fn lose_power(&self) {
        assert!(matches!(self.kind, Kind::Machine(_)), "{} is no machine", self.name);
        self.supervisor.as_ref().expect("it runs").kill_children();
    }

    /// Pulls a machine's cable out: it runs on, and nobody reaches it.
    ///
    /// # Panics
    ///
    /// When the host is no machine.
    pub fn part(&self) {
        Link::set(&self.leader(), "down").expect("a machine has a cable");
    }

    /// Plugs it in again.
    ///
    /// # Panics
    ///
    /// When the host is no machine.
    pub fn rejoin(&self) {
        Link::set(&self.leader(), "up").expect("a machine has a cable");
    }

    fn start_supervisor(&mut self) {
        let log = self.folder.join("supervisor.log");
        match &self.kind {
            Kind::Folder(Supervisor::Runit) => {
                let mut command = Command::new("runsvdir");
                command.arg(self.units());
                self.supervisor = Some(Process::start(&mut command, "runit", &log));
            }
            Kind::Folder(Supervisor::S6) => {
                let mut command = Command::new("s6-svscan");
                command.arg(self.units());
                self.supervisor = Some(Process::start(&mut command, "s6", &log).with_tree());
                let control = self.units().join(".s6-svscan/control");
                until("s6 takes commands", || control.exists().then_some(()));
            }
            Kind::Machine(tree) => {
                let link = self.link();
                // It ends with whoever started it, however that ends.
                let mut command = Command::new("setpriv");
                command.args(["--pdeathsig", "KILL", "--", "systemd-nspawn"]);
                command.args([
                    "--quiet",
                    "--boot",
                    "--volatile=overlay",
                    "--register=no",
                    "--keep-unit",
                    "--console=pipe",
                    "--capability=all",
                ]);
                command.arg("--directory").arg(tree).arg(format!("--machine={}-{}", self.name, self.port));
                command.arg(format!("--bind-ro={}:/etc/machine", self.folder.display()));
                command.arg(format!("--bind={}:{MACHINE_ROOT}", self.root().display()));
                command.arg(link.argument());
                until("the network of the machine before is gone", || (!link.is_there()).then_some(()));
                self.supervisor = Some(Process::start(&mut command, "systemd-container", &log));
                until_well("the machine has its network, which takes root and CAP_NET_ADMIN,", || {
                    let leader = self.supervisor.as_ref().and_then(Process::leader);
                    let log = || fs::read_to_string(&log).unwrap_or_default();
                    link.connect(&leader.ok_or_else(|| format!("it does not run: {}", log()))?)
                });
                self.until_it_listens();
                // Until then it lets nobody on but root.
                until("the machine has booted", || {
                    let leader = self.supervisor.as_ref()?.leader()?;
                    let active = ["systemctl", "is-active", "--quiet", "multi-user.target"];
                    let ran = Command::new("nsenter")
                        .args(["-t", &leader, "-a"])
                        .args(active)
                        .stderr(Stdio::null())
                        .status()
                        .expect("nsenter is there");
                    ran.success().then_some(())
                });
            }
        }
    }
}

/// Makes a key pair.
pub(crate) fn make_key(file: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(file).status();
    assert!(made.expect("ssh-keygen is not installed; `apt-get install openssh-client` brings it").success());
}
