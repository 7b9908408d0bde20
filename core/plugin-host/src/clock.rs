//! The one place of this room that reads the wall clock: plugins are told the time, and deadlines are absolute.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the time, in Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "plugins get the time from the host, and absolute deadlines are compared here")]
pub(crate) fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
