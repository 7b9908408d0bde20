//! Ports for instances: free ones on the loopback address, none handed out twice.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

/// How many ports are tried before giving up; the system picks among tens of thousands, so the first is nearly always good.
const ATTEMPTS_MAX: usize = 64;

/// The ports of all instances that have one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports {
    claimed: Arc<Mutex<BTreeSet<u16>>>,
}

/// A port that no other instance gets while this exists.
#[derive(Debug)]
pub(crate) struct ClaimedPort {
    port: u16,
    ports: Ports,
}

impl Ports {
    /// Returns a port on which nothing listens now.
    ///
    /// The process binds it later by itself. Remembering what was handed out matters: two instances with one port would mean that the
    /// probe of one is answered by the other, which may be another release.
    pub(crate) fn claim(&self) -> io::Result<ClaimedPort> {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ATTEMPTS_MAX {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            if claimed.insert(port) {
                return Ok(ClaimedPort { port, ports: self.clone() });
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, format!("no free port after {ATTEMPTS_MAX} attempts")))
    }
}

impl ClaimedPort {
    /// Returns the address that an instance with this port is reached at.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }
}

impl Drop for ClaimedPort {
    fn drop(&mut self) {
        self.ports.claimed.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.port);
    }
}
