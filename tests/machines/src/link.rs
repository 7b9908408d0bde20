//! A machine's own place in a network: a cable between this host and it, with an address at each end. It is gone when the machine is.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

/// The network that addresses are taken from: 198.18.0.0/15, which nobody has but who measures networks (RFC 2544).
const NETWORK: u32 = u32::from_be_bytes([198, 18, 0, 0]);

/// How many networks of four addresses there are in it.
const NETWORKS: u32 = 1 << 15;

/// What the machine calls its end.
const INSIDE: &str = "eth0";

/// The cable of one machine.
pub(crate) struct Link {
    name: String,
    ours: Ipv4Addr,
    address: Ipv4Addr,
}

impl Link {
    /// Returns the one of a machine that is known by a number that no other machine has.
    pub(crate) fn of(number: u16) -> Self {
        let network = NETWORK + 4 * (u32::from(number) % NETWORKS);
        Self { name: format!("machine{number}"), ours: Ipv4Addr::from(network + 1), address: Ipv4Addr::from(network + 2) }
    }

    /// Returns the machine's address.
    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Returns the argument with which systemd-nspawn gives a machine a network of its own, and this cable.
    pub(crate) fn argument(&self) -> String {
        format!("--network-veth-extra={}:{INSIDE}", self.name)
    }

    /// Returns whether it is still there: the system takes a moment to take it away behind a machine that ended.
    pub(crate) fn is_there(&self) -> bool {
        Path::new("/sys/class/net").join(&self.name).exists()
    }

    /// Gives both ends their addresses, as soon as the machine whose first process this is has its end; an error says what is missing.
    pub(crate) fn connect(&self, leader: &str) -> Result<(), String> {
        run("ip", &["address", "replace", &format!("{}/30", self.ours), "dev", &self.name])?;
        run("ip", &["link", "set", &self.name, "up"])?;
        inside(leader, &["address", "replace", &format!("{}/30", self.address), "dev", INSIDE])?;
        inside(leader, &["link", "set", "lo", "up"])?;
        Self::set(leader, "up")
    }

    /// Pulls the cable out at the machine whose first process this is, or plugs it in again: `down` or `up`.
    pub(crate) fn set(leader: &str, state: &str) -> Result<(), String> {
        inside(leader, &["link", "set", INSIDE, state])
    }
}

fn inside(leader: &str, arguments: &[&str]) -> Result<(), String> {
    run("nsenter", &[&["-t", leader, "-n", "ip"], arguments].concat())
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let ran = Command::new(program).args(arguments).output();
    let ran =
        ran.map_err(|error| format!("{program} cannot be run ({error}); `apt-get install iproute2 util-linux` brings it"))?;
    match ran.status.success() {
        true => Ok(()),
        false => Err(format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&ran.stderr).trim())),
    }
}
