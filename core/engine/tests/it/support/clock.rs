//! A clock that follows the runtime's paused time: it moves when everybody waits, and then at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use engine::Clock;
use model::Timestamp;
use tokio::time::Instant;

/// The time at which every test begins.
const START: Timestamp = Timestamp(1_700_000_000_000);

/// A clock. Clones are the same clock.
#[derive(Clone)]
pub(crate) struct PausedClock {
    began: Instant,
    wrong_by: Arc<AtomicI64>,
}

impl PausedClock {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), wrong_by: Arc::default() }
    }

    /// Returns another clock, which is right.
    pub(crate) fn another(&self) -> Self {
        Self { began: self.began, wrong_by: Arc::default() }
    }

    /// Sets the clock so that it is so many milliseconds ahead of the time, or behind.
    pub(crate) fn set_wrong_by(&self, millis: i64) {
        self.wrong_by.store(millis, Ordering::Relaxed);
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        Timestamp(START.0 + elapsed + self.wrong_by.load(Ordering::Relaxed))
    }
}
