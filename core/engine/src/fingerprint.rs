//! Tells whether a repeated request id asks for the same thing.

use sha2::{Digest, Sha256};

/// Returns a hash of what was asked. Stable over restarts; compared only with others made by the same version of the words.
pub(crate) fn of(asked: &str) -> String {
    hex::encode(&Sha256::digest(asked.as_bytes())[..16])
}
