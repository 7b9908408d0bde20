//! How guests that compute for long share the processor: they get a part of it together, and the rest is for calls that are short.
//!
//! What it is: every guest gives way at every tick, and every tick counts for its plugin. A plugin that went on for many ticks, in one
//! call or in many, has heavy guests, and heavy guests rest between their ticks, the longer the more of them there are. Without it,
//! twenty endless loops stand before every short call.
//!
//! What it is not: a limit. The call's deadline ends it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::time::Instant;
use wasmtime::UpdateDeadline;

use crate::engine::TICK;

/// Ticks that a plugin computes at a stretch before its guests are heavy: 100 ms, in which an interpreter starts and a schema is read.
const LIGHT_TICKS: f64 = 50.0;

/// Ticks that a plugin may compute in a second for ever and not be heavy: an eighth of a processor. Calls that end before their first
/// tick are not counted, as many as there may be.
const LIGHT_TICKS_PER_SECOND: f64 = 62.5;

/// How many guests are heavy now, and how many of them may compute at once.
pub(crate) struct Pace {
    heavy: AtomicU32,
    at_once: u32,
}

/// What the calls of one plugin have computed lately: a bucket that leaks.
#[derive(Default)]
pub(crate) struct Spent {
    level: Mutex<Option<Level>>,
}

#[derive(Clone, Copy)]
struct Level {
    ticks: f64,
    at: Instant,
}

/// What one call computes.
pub(crate) struct Effort {
    pace: Arc<Pace>,
    spent: Arc<Spent>,
    heavy: bool,
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

impl Spent {
    /// Counts a tick, and returns whether it was one too many.
    fn add(&self, now: Instant) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let leaked =
            |before: Level| before.ticks - now.saturating_duration_since(before.at).as_secs_f64() * LIGHT_TICKS_PER_SECOND;
        // What is over the brim is not remembered: who stops computing is light again within a second.
        let ticks = (level.map_or(0.0, leaked).max(0.0) + 1.0).min(LIGHT_TICKS + 1.0);
        *level = Some(Level { ticks, at: now });
        ticks > LIGHT_TICKS
    }
}

impl Effort {
    pub(crate) fn new(pace: &Arc<Pace>, spent: &Arc<Spent>) -> Self {
        Self { pace: Arc::clone(pace), spent: Arc::clone(spent), heavy: false }
    }

    /// Counts a tick and says how the guest gives way.
    pub(crate) fn tick(&mut self) -> UpdateDeadline {
        if self.spent.add(Instant::now()) && !self.heavy {
            self.heavy = true;
            self.pace.heavy.fetch_add(1, Ordering::Relaxed);
        }
        match if self.heavy { self.pace.rest() } else { 0 } {
            0 => UpdateDeadline::Yield(1),
            ticks => UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(TICK * ticks))),
        }
    }
}

impl Drop for Effort {
    fn drop(&mut self) {
        if self.heavy {
            self.pace.heavy.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pace() -> Arc<Pace> {
        Arc::new(Pace { heavy: AtomicU32::new(0), at_once: 1 })
    }

    fn tick_until_heavy(effort: &mut Effort) {
        (0..=LIGHT_TICKS as u32).for_each(|_| drop(effort.tick()));
        assert!(effort.heavy);
    }

    #[tokio::test(start_paused = true)]
    async fn heavy_guests_rest_the_longer_the_more_there_are_and_light_ones_never() {
        let pace = pace();
        let mut light = Effort::new(&pace, &Arc::default());
        let mut heavy: Vec<_> = (0..8).map(|_| Effort::new(&pace, &Arc::default())).collect();
        heavy.iter_mut().for_each(tick_until_heavy);
        assert_eq!(pace.rest(), 7);
        assert!(matches!(light.tick(), UpdateDeadline::Yield(1)));
        assert!(matches!(heavy[0].tick(), UpdateDeadline::YieldCustom(1, _)));
        heavy.truncate(1);
        assert!(matches!(heavy[0].tick(), UpdateDeadline::Yield(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn many_short_calls_of_one_plugin_are_as_heavy_as_a_long_one_until_it_has_rested() {
        let (pace, spent) = (pace(), Arc::default());
        for _ in 0..LIGHT_TICKS as u32 {
            let mut call = Effort::new(&pace, &spent);
            drop(call.tick());
            assert!(!call.heavy);
        }
        let mut next = Effort::new(&pace, &spent);
        drop(next.tick());
        assert!(next.heavy);
        drop(next);
        assert_eq!(pace.heavy.load(Ordering::Relaxed), 0);
        tokio::time::advance(Duration::from_secs(1)).await;
        let mut rested = Effort::new(&pace, &spent);
        drop(rested.tick());
        assert!(!rested.heavy);
    }
}
