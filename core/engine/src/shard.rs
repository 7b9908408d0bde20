//! How scopes are spread over shards, and shards over replicas.

use journal::Shard;
use model::Scope;
use sha2::{Digest, Sha256};

/// Parts into which all scopes are divided. Enough that a few replicas get about the same each, and few enough to be renewed in one
/// statement. All replicas of a store must agree on it.
pub(crate) const SHARDS: u16 = 32;

/// Replicas at most. Each one holds a seat beside its shards: a lease on a shard in which there is nothing, which says that it is there.
const SEATS: u16 = 64;

/// Where the seats begin. Some way behind the shards, so that there may be more of these one day.
const FIRST_SEAT: u16 = 4_096;

/// Returns the shard of a scope: the first bytes of its hash, so that it is the same for every replica and release.
pub(crate) fn of(scope: &Scope) -> Shard {
    let hash = Sha256::digest(scope.to_string());
    Shard(u16::from_be_bytes([hash[0], hash[1]]) % SHARDS)
}

/// Returns all shards that hold scopes.
pub(crate) fn all() -> impl Iterator<Item = Shard> + Clone {
    (0..SHARDS).map(Shard)
}

/// Returns all seats.
pub(crate) fn seats() -> impl Iterator<Item = Shard> {
    (FIRST_SEAT..FIRST_SEAT + SEATS).map(Shard)
}

pub(crate) fn is_seat(shard: Shard) -> bool {
    shard.0 >= FIRST_SEAT
}

/// Returns how many shards a replica should have when so many are there: rounded up, so that no shard is left over.
pub(crate) fn share(replicas: usize) -> usize {
    usize::from(SHARDS).div_ceil(replicas.max(1))
}
