//! What the tests share.

use std::time::{SystemTime, UNIX_EPOCH};

use test_plugins::Workshop;

/// Returns where things are.
pub(crate) fn workshop() -> Workshop {
    Workshop::at(env!("CARGO_TARGET_TMPDIR"))
}

/// Returns the time now, in Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "deadlines are absolute")]
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("a time of our age")
}

/// Returns a first-party component.
pub(crate) fn bundled(name: &str) -> Vec<u8> {
    bundled_plugins::all().iter().find(|bundled| bundled.name == name).expect("it is carried").component.to_vec()
}
