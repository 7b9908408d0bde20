//! Virtual machines for a test, without machines: each host is a real sshd on a port of its own and a real runit or s6 in a folder of its own,
//! and before them stands a real HAProxy, nginx or Envoy. What differs from a fleet is that all of them share one kernel and one user.
//!
//! All calls block. What goes wrong here ends the test with what was found, as tests do.
#![forbid(unsafe_code)]

mod callers;
mod envoy;
mod fleet;
mod haproxy;
mod host;
mod link;
mod meter;
mod nginx;
mod process;

pub use callers::{Callers, FAILED, answers, get};
pub use envoy::Envoy;
pub use fleet::Fleet;
pub use haproxy::Haproxy;
pub use host::Host;
pub use meter::Counted;
pub use nginx::Nginx;
pub use process::{free_port, until};
