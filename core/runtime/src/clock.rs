//! The only place of this room that reads clocks: supervision and latency are measurements, not decisions.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Returns a point in time that only grows; for durations and deadlines within one run.
#[expect(clippy::disallowed_methods, reason = "the runtime measures latency and times its own back-off")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Returns the wall clock in milliseconds since 1970; for log lines and for people, never for decisions.
#[expect(clippy::disallowed_methods, reason = "log lines carry the time of day")]
pub(crate) fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}
