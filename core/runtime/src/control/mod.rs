//! The control interface: HTTP and JSON over a Unix socket that only our own user can reach.
//!
//! Authentication is twofold: the socket has mode 0600 in a folder of mode 0700, and the kernel must say that the other end belongs to
//! our user. What it is not: it has no users, roles or tokens, and it is never reachable over a network.

mod answer;
pub(crate) mod check;
mod server;
mod socket;

pub(crate) use server::{Control, Directory};
pub(crate) use socket::open;
