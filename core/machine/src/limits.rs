//! The machine's limits, each with its reason.

use model::{Fence, Millis};

/// The first pause before a failed attempt is repeated: long enough for a connection to come back, short enough not to be felt.
pub const RETRY_FIRST: Millis = Millis(200);

/// The longest such pause: a way back must notice within seconds that its target answers again.
pub const RETRY_MAX: Millis = Millis::seconds(10);

/// The shortest time before a plugin that said "not yet" is called again, whatever it asked for: no hot loops.
pub const AGAIN_MIN: Millis = Millis(20);

/// The longest: a plugin cannot put a deployment to sleep past its deadline.
pub const AGAIN_MAX: Millis = Millis::minutes(5);

/// The shortest time between two looks of one check, whatever the path says: a look costs a journal record.
pub const LOOK_MIN: Millis = Millis(100);

/// The longest a look may be open: more than whoever performs it allows, so that it is only reached when that one's own limit fails.
pub const LOOK_MAX: Millis = Millis::seconds(30);

/// The pause before the way back claims a target again that somebody else claimed: a rival must not become a race.
pub const CLAIM_AGAIN: Millis = Millis::seconds(1);

/// The highest fence that a plugin is believed to have seen: no scope takes that many, and above it counting would end.
pub const FENCE_PLAUSIBLE_MAX: Fence = Fence(1 << 62);

/// How many times its deadline a step may last by making progress: a candidate that comes up and goes down again and again
/// makes some each time.
pub const PROGRESS_EXTENDS_MAX: u64 = 10;

/// Returns the pause before the next attempt: doubled with each failure in a row, bounded.
pub fn backoff(failures: u32) -> Millis {
    let doubled = RETRY_FIRST.0.saturating_mul(1_u64.checked_shl(failures.saturating_sub(1).min(16)).unwrap_or(u64::MAX));
    Millis(doubled.min(RETRY_MAX.0))
}

/// Returns when a plugin that asked for `wish_ms` is called again.
pub fn again_after(wish_ms: u64) -> Millis {
    Millis(wish_ms.clamp(AGAIN_MIN.0, AGAIN_MAX.0))
}
