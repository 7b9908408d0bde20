//! The form in which records are kept. Types inside are not wire types: each version of the form is a module of its own, stays for
//! ever, and is converted by hand.

mod archive;
mod chain;
mod mirror;
mod v1;

use model::{Event, ReleaseSpec};

pub use archive::{ARCHIVE_VERSION, Archived, pack, unpack};
pub use chain::{BrokenChain, Link, NO_HASH, chain, verify_chain};
use mirror::Mirror;

/// The version of the form that is written.
pub const VERSION: u32 = 1;

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It was written in a form that this program does not know.
    #[error("it has form {found}, this program knows up to {VERSION}")]
    Version {
        /// The form's version.
        found: u32,
    },
    /// It is not what its form says.
    #[error("it is not of its form: {0}")]
    Form(String),
}

/// Returns the payload of an event in the newest form.
pub fn write(event: &Event) -> Vec<u8> {
    serde_json::to_vec(&v1::Event::of(event)).expect("BUG: a record's form is always JSON")
}

/// Returns the event of a payload.
pub fn read(version: u32, payload: &[u8]) -> Result<Event, Unreadable> {
    match version {
        1 => parse::<v1::Event>(payload)?.back(),
        found => Err(Unreadable::Version { found }),
    }
}

/// Returns a release in the newest form, for the row of its scope.
pub fn write_release(release: &ReleaseSpec) -> String {
    serde_json::to_string(&v1::ReleaseSpec::of(release)).expect("BUG: a release's form is always JSON")
}

/// Returns the release of a text.
pub fn read_release(text: &str) -> Result<ReleaseSpec, Unreadable> {
    parse::<v1::ReleaseSpec>(text.as_bytes())?.back()
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(bytes).map_err(|error| Unreadable::Form(error.to_string()))
}
