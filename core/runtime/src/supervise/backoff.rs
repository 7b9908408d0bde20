//! How long to wait before a crashed instance is started again.

use std::time::Duration;

use crate::limits::{RESTART_DELAY_FIRST, RESTART_DELAY_MAX, STABLE_RUN};

/// The memory of one instance's crashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backoff {
    crashes_in_a_row: u32,
}

impl Backoff {
    /// Notes that an instance stopped by itself after `ran`, and returns how long to wait. A long run forgives earlier crashes.
    pub(crate) fn crashed_after(&mut self, ran: Duration) -> Duration {
        if ran >= STABLE_RUN {
            self.crashes_in_a_row = 0;
        }
        let factor = 2_u32.saturating_pow(self.crashes_in_a_row);
        self.crashes_in_a_row = self.crashes_in_a_row.saturating_add(1);
        RESTART_DELAY_FIRST.saturating_mul(factor).min(RESTART_DELAY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_a_limit_and_a_stable_run_resets_it() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u64> = (0..10).map(|_| backoff.crashed_after(Duration::ZERO).as_millis() as u64).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!(backoff.crashed_after(STABLE_RUN), RESTART_DELAY_FIRST);
    }
}
