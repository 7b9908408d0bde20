//! A clock that follows the runtime's paused time: it moves when everybody waits, and then at once.

use engine::Clock;
use model::Timestamp;
use tokio::time::Instant;

/// The time at which every test begins.
const START: Timestamp = Timestamp(1_700_000_000_000);

#[derive(Clone, Copy)]
pub(crate) struct PausedClock(Instant);

impl PausedClock {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp(START.0 + i64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}
