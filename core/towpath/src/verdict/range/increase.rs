//! What was added to counters from one instant to the next, over all of their series.

use std::collections::BTreeMap;

use prometheus::{Labels, Series};
use verdict::sample::Counter;

/// What was added, by instant.
pub(super) struct Increase {
    /// Where the range begins: what stood there was counted before.
    from_ms: i64,
    /// Whether Prometheus was looking then.
    was_looking: bool,
    counters: BTreeMap<Labels, Counter>,
    added: BTreeMap<i64, u64>,
}

impl Increase {
    /// Returns that of a range that begins here. `was_looking` says that Prometheus has something of that instant.
    pub(super) fn from(from_ms: i64, was_looking: bool) -> Self {
        Self { from_ms, was_looking, counters: BTreeMap::new(), added: BTreeMap::new() }
    }

    /// Returns whether Prometheus was looking when the range began.
    pub(super) fn was_looking(&self) -> bool {
        self.was_looking
    }

    /// Takes all series of a part of the range; the next part may come later.
    ///
    /// A series that appears after the beginning is new, and all that it counts is, if Prometheus was looking before: counters of
    /// failures often appear with the first one, which must not be missed. If it was not, counting begins at the first reading.
    pub(super) fn take(&mut self, all: Vec<Series>) {
        let from_ms = self.from_ms;
        let is_known = |series: &Series| series.points.first().is_some_and(|first| first.at_ms <= from_ms);
        self.was_looking = self.was_looking || all.iter().any(is_known);
        for series in all {
            let is_born = self.was_looking && !is_known(&series);
            let counter = self.counters.entry(series.labels).or_insert_with(|| {
                let mut counter = Counter::default();
                if is_born {
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

    fn added(was_looking: bool, parts: &[&[Series]]) -> Vec<(i64, u64)> {
        let mut increase = Increase::from(0, was_looking);
        parts.iter().for_each(|part| increase.take(part.to_vec()));
        increase.into_iter().collect()
    }

    #[test]
    fn what_is_added_survives_restarts_births_gaps_and_parts() {
        let first =
            [series("a", &[(0, 100.0), (1, 104.0), (2, 3.0)]), series("b", &[(1, 7.0), (2, 9.0), (3, f64::NAN), (4, 11.0)])];
        let second = [series("a", &[(4, 5.0)])];
        // At 1: 4 of a, and all of b, which was born. At 2: a began anew. At 3 nothing is known, and nothing is lost.
        assert_eq!(added(false, &[&first, &second]), [(1, 11), (2, 5), (3, 0), (4, 4)]);
    }

    #[test]
    fn where_nobody_was_looking_counting_begins_at_the_first_reading() {
        let late = [series("a", &[(2, 700.0), (3, 701.0)])];
        assert_eq!(added(false, &[&late]), [(2, 0), (3, 1)]);
        assert_eq!(added(true, &[&late]), [(2, 700), (3, 1)]);
    }
}
