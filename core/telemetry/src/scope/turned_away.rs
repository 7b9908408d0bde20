//! Which series were turned away: told apart, because a service that is told "no" sends the same ones again and again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::limits::TURNED_AWAY_KNOWN_MAX;

/// The series that were turned away, as hashes, and when they came last, in Unix milliseconds.
#[derive(Debug, Default)]
pub(super) struct TurnedAway {
    seen: HashMap<u64, i64>,
    hasher: RandomState,
}

impl TurnedAway {
    /// Remembers a series. Above the limit, further ones are not told apart: the number is then "at least".
    pub(super) fn remember(&mut self, series: &impl std::hash::Hash, now_ms: i64) {
        let hash = self.hasher.hash_one(series);
        if self.seen.len() < TURNED_AWAY_KNOWN_MAX || self.seen.contains_key(&hash) {
            self.seen.insert(hash, now_ms);
        }
    }

    /// Forgets those that did not come since an instant.
    pub(super) fn forget_before(&mut self, instant_ms: i64) {
        self.seen.retain(|_, seen_ms| *seen_ms >= instant_ms);
    }

    /// Returns how many there are.
    pub(super) fn number(&self) -> u32 {
        u32::try_from(self.seen.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_counted_once_and_forgotten_in_time() {
        let mut away = TurnedAway::default();
        away.remember(&"a", 1);
        away.remember(&"a", 5);
        away.remember(&"b", 2);
        assert_eq!(away.number(), 2);
        away.forget_before(3);
        assert_eq!(away.number(), 1);
    }

    #[test]
    fn no_more_are_told_apart_than_can_be_remembered() {
        let mut away = TurnedAway::default();
        (0..2 * TURNED_AWAY_KNOWN_MAX).for_each(|series| away.remember(&series, 1));
        assert_eq!(away.number() as usize, TURNED_AWAY_KNOWN_MAX);
    }
}
