//! Digests as registries write them: `sha256:` and 64 hexadecimal digits.

use sha2::{Digest as _, Sha256};

use crate::error::Error;

const PREFIX: &str = "sha256:";

/// Returns the digest of bytes.
pub fn digest_of(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", hex::encode(Sha256::digest(bytes)))
}

/// Returns the hexadecimal digits of a digest, or nothing where it is none.
pub(crate) fn digits(digest: &str) -> Option<&str> {
    let digits = digest.strip_prefix(PREFIX)?;
    let proper = digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    proper.then_some(digits)
}

/// Checks that bytes are what was asked for.
pub(crate) fn check(what: &str, place: &str, expected: &str, bytes: &[u8]) -> Result<(), Error> {
    let found = digest_of(bytes);
    match found == expected {
        true => Ok(()),
        false => Err(Error::Digest { place: place.to_owned(), what: what.to_owned(), expected: expected.to_owned(), found }),
    }
}
