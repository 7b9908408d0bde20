//! The chain: each record's hash covers the one before it, so that a record that was changed, taken out or put in shows.

use model::{DeploymentId, Timestamp};
use sha2::{Digest, Sha256};

/// The hash before a deployment's first record.
pub const NO_HASH: [u8; 32] = [0; 32];

/// A record as a store keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// Its sequence number in the deployment.
    pub seq: u64,
    /// When it was journaled.
    pub at: Timestamp,
    /// The version of its form.
    pub version: u32,
    /// Its content.
    pub payload: &'a [u8],
    /// The hash that was stored with it.
    pub hash: &'a [u8],
}

/// A chain that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// A record is not where it has to be.
    #[error("record {expected} is missing, found {found} in its place")]
    Gap {
        /// The sequence number that had to follow.
        expected: u64,
        /// The one that did.
        found: u64,
    },
    /// A record or one before it is not what was written.
    #[error("record {seq} was changed: its hash is {found}, computed {computed}")]
    Changed {
        /// Its sequence number.
        seq: u64,
        /// The hash that was stored, in hexadecimal.
        found: String,
        /// The hash that it must have, in hexadecimal.
        computed: String,
    },
}

/// Returns the hash that chains a record to the one before it. The hash that the link carries is not looked at.
pub fn chain(before: &[u8; 32], deployment: &DeploymentId, link: &Link<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(before);
    // The length keeps the one field of no fixed size from being read as a part of its neighbour; the payload comes last.
    hash.update((deployment.as_str().len() as u64).to_be_bytes());
    hash.update(deployment.as_str());
    hash.update(link.seq.to_be_bytes());
    hash.update(link.at.0.to_be_bytes());
    hash.update(link.version.to_be_bytes());
    hash.update(link.payload);
    hash.finalize().into()
}

/// Checks all records of a deployment, in order from the first; returns the hash of the last, or [`NO_HASH`] of none.
///
/// That nothing was cut off at the end shows only against a hash that was kept elsewhere; the caller compares it.
pub fn verify_chain<'a>(deployment: &DeploymentId, links: impl IntoIterator<Item = Link<'a>>) -> Result<[u8; 32], BrokenChain> {
    let mut before = NO_HASH;
    for (expected, link) in (1_u64..).zip(links) {
        if link.seq != expected {
            return Err(BrokenChain::Gap { expected, found: link.seq });
        }
        before = chain(&before, deployment, &link);
        if link.hash != before {
            let (found, computed) = (hex::encode(link.hash), hex::encode(before));
            return Err(BrokenChain::Changed { seq: link.seq, found, computed });
        }
    }
    Ok(before)
}
