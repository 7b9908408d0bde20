//! How guests that compute for long share the processor: they get a part of it together, and the rest is for calls that are short.
//!
//! What it is: every guest gives way at every tick; one that went on for many ticks is heavy, and heavy guests rest between their
//! ticks, the longer the more of them there are. Without it, twenty endless loops stand before every short call.
//!
//! What it is not: a limit. The call's deadline ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use wasmtime::UpdateDeadline;

use crate::engine::TICK;

/// Ticks that a guest computes before it is heavy: 100 ms, in which an interpreter starts and a schema is read.
const LIGHT_TICKS: u32 = 50;

/// How many guests are heavy now, and how many of them may compute at once.
pub(crate) struct Pace {
    heavy: AtomicU32,
    at_once: u32,
}

/// What one call has computed.
pub(crate) struct Effort {
    pace: Arc<Pace>,
    ticks: u32,
}

impl Default for Pace {
    /// Half of the processors: the other half is for those that are not heavy.
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, |found| u32::try_from(found.get()).unwrap_or(u32::MAX));
        Self { heavy: AtomicU32::new(0), at_once: (processors / 2).max(1) }
    }
}

impl Pace {
    /// Returns how many ticks of rest follow a tick of work, so that as many as may compute at once do.
    fn rest(&self) -> u32 {
        self.heavy.load(Ordering::Relaxed).saturating_sub(self.at_once) / self.at_once
    }
}

impl Effort {
    pub(crate) fn new(pace: &Arc<Pace>) -> Self {
        Self { pace: Arc::clone(pace), ticks: 0 }
    }

    /// Counts a tick and says how the guest gives way.
    pub(crate) fn tick(&mut self) -> UpdateDeadline {
        self.ticks = self.ticks.saturating_add(1);
        if self.ticks < LIGHT_TICKS {
            return UpdateDeadline::Yield(1);
        }
        if self.ticks == LIGHT_TICKS {
            self.pace.heavy.fetch_add(1, Ordering::Relaxed);
        }
        match self.pace.rest() {
            0 => UpdateDeadline::Yield(1),
            ticks => UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(TICK * ticks))),
        }
    }
}

impl Drop for Effort {
    fn drop(&mut self) {
        if self.ticks >= LIGHT_TICKS {
            self.pace.heavy.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn heavy_guests_rest_the_longer_the_more_there_are_and_light_ones_never() {
        let pace = Arc::new(Pace { heavy: AtomicU32::new(0), at_once: 1 });
        let mut light = Effort::new(&pace);
        let mut heavy: Vec<_> = (0..8).map(|_| Effort::new(&pace)).collect();
        for _ in 0..LIGHT_TICKS {
            heavy.iter_mut().for_each(|effort| drop(effort.tick()));
        }
        assert_eq!(pace.rest(), 7);
        assert!(matches!(light.tick(), UpdateDeadline::Yield(1)));
        assert!(matches!(heavy[0].tick(), UpdateDeadline::YieldCustom(1, _)));
        heavy.truncate(1);
        assert!(matches!(heavy[0].tick(), UpdateDeadline::Yield(1)));
    }
}
