//! `ssh`: hosts that the operator named, each with the key that it must show.
//!
//! The operator's own key stays on the server: the host signs with it, the guest never sees it. A host that shows another key than the
//! pinned ones is hung up on before anything is sent. What may be run is a list of command lines; what a rule leaves open (a `*` at its
//! end) takes plain and quoted words alone, so that no second command can follow. A file is written beside its place, counted, and
//! moved there whole.
//!
//! Commands have an effect unless the grant lists them as reading, and so have files: both happen in a reconcile alone. A connection
//! serves one use and is closed when its time is over or the call ends; what the other side does with a command that runs by then is
//! not known. Keys are of the kinds ed25519 and ecdsa.
//!
//! A guest that looks after many hosts asks them at once: each host has its own connection, for as long as its turn takes, and a host that
//! does not answer holds up nobody but itself. Large files are sent in pieces that end before their time does.

pub(crate) mod grant;

mod guest;
mod many;
mod session;
#[cfg(test)]
mod tests;
