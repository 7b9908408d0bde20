//! Randomness. A component has none of its own.

/// The most bytes that one call gives.
pub const BYTES_MAX: u32 = 4096;

/// Returns so many random bytes, [`BYTES_MAX`] at most, fit for keys.
pub fn bytes(length: u32) -> Vec<u8> {
    ask!(random::bytes => random_bytes(length))
}
