//! The store's clock: leases run by it.

use std::time::{SystemTime, UNIX_EPOCH};

use model::Timestamp;

/// Returns the wall-clock time.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the store owns the clock that leases run by")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
