//! The content-addressed store of release folders: digest, import, verify, read.
//!
//! An artifact is a folder (or one file) that was built once. Its digest covers everything that can change what runs: paths, kinds,
//! executable bits, links and contents. Importing copies it into the store under its digest and makes it read-only; whoever runs it
//! verifies it first, so that what runs is what was registered.
//!
//! What this room is not: it knows no release, no service and no process, and it fetches nothing over a network. Its calls block on
//! the file system; asynchronous callers put them on a blocking thread.

mod digest;
mod error;
mod store;
mod walk;

pub use digest::digest_of;
pub use error::Error;
pub use model::Digest;
pub use store::{Imported, Store, Stored};
pub use walk::{ARTIFACT_BYTES_MAX, ARTIFACT_ENTRIES_MAX, PATH_BYTES_MAX};
