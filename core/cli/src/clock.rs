//! The one place here that reads a clock: how long ago something was, for people.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the wall-clock time in Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "elapsed times are shown to people; nothing is decided by them")]
pub(crate) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
