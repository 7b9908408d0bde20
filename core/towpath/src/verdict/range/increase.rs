//! What was added to counters from one instant to the next, over all of their series.

use std::collections::BTreeMap;

use prometheus::{Labels, Series};
use verdict::sample::Counter;

/// What was added, by instant.
pub(super) struct Increase {
    /// Where the range begins: what stood there was counted before.
    from_ms: i64,
    counters: BTreeMap<Labels, Counter>,
    added: BTreeMap<i64, u64>,
}

impl Increase {
    pub(super) fn from(from_ms: i64) -> Self {
        Self { from_ms, counters: BTreeMap::new(), added: BTreeMap::new() }
    }

    /// Takes the readings of one series; the next part of it may come later.
    ///
    /// A series that appears after the beginning was born in between, and all that it counts is new: counters of failures often appear
    /// with the first one, which must not be missed.
    pub(super) fn take(&mut self, series: Series) {
        let from_ms = self.from_ms;
        let counter = self.counters.entry(series.labels).or_insert_with(|| {
            let mut counter = Counter::default();
            if series.points.first().is_some_and(|first| first.at_ms > from_ms) {
                counter.read(0.0);
            }
            counter
        });
        for point in series.points {
            let added = counter.read(point.value);
            if point.at_ms > from_ms {
                let sum = self.added.entry(point.at_ms).or_default();
                *sum = sum.saturating_add(added);
            }
        }
    }

    /// Returns what was added until an instant, since the one before.
    pub(super) fn at(&self, at_ms: i64) -> u64 {
        self.added.get(&at_ms).copied().unwrap_or(0)
    }
}

impl IntoIterator for Increase {
    type Item = (i64, u64);
    type IntoIter = std::collections::btree_map::IntoIter<i64, u64>;

    fn into_iter(self) -> Self::IntoIter {
        self.added.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Point;

    use super::*;

    fn series(instance: &str, readings: &[(i64, f64)]) -> Series {
        let labels = Labels([("instance".to_owned(), instance.to_owned())].into());
        Series { labels, points: readings.iter().map(|(at_ms, value)| Point { at_ms: *at_ms, value: *value }).collect() }
    }

    #[test]
    fn what_is_added_survives_restarts_births_gaps_and_parts() {
        let mut increase = Increase::from(0);
        increase.take(series("a", &[(0, 100.0), (1, 104.0), (2, 3.0)]));
        increase.take(series("b", &[(1, 7.0), (2, 9.0), (3, f64::NAN), (4, 11.0)]));
        increase.take(series("a", &[(4, 5.0)]));
        // At 1: 4 of a, and all of b, which was born. At 2: a began anew. At 3 nothing is known, and nothing is lost.
        assert_eq!(increase.into_iter().collect::<Vec<_>>(), [(1, 11), (2, 5), (3, 0), (4, 4)]);
    }
}
