//! The wall clock: read here, and handed to everybody who needs the time.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;

/// The system's wall clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl engine::Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(now_ms())
    }
}

/// Returns the wall-clock time in Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "the binary owns the clock that others get as a port")]
pub(crate) fn now_ms() -> i64 {
    // A clock before 1970 is not set; zero is as good as anything it could say.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
