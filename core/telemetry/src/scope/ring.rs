//! The windows of a series that are over.

use std::collections::VecDeque;

use crate::sums::Sums;

/// The windows in which something came, by their place in time: the number of the window since 1970.
#[derive(Debug, Default)]
pub(super) struct Ring {
    windows: VecDeque<(i64, Sums)>,
    numbers: usize,
}

impl Ring {
    /// Adds what was measured in a window.
    pub(super) fn add(&mut self, place: i64, sums: &Sums) {
        match self.windows.binary_search_by_key(&place, |(place, _)| *place) {
            Ok(at) => {
                let known = &mut self.windows[at].1;
                self.numbers -= known.numbers();
                known.add(sums);
                self.numbers += known.numbers();
            }
            Err(at) => {
                self.numbers += sums.numbers();
                self.windows.insert(at, (place, sums.clone()));
            }
        }
    }

    /// Forgets what is before a window.
    pub(super) fn forget_before(&mut self, place: i64) {
        while let Some((_, sums)) = self.windows.pop_front_if(|(oldest, _)| *oldest < place) {
            self.numbers -= sums.numbers();
        }
    }

    /// Returns the windows from one place to another, that one not included.
    pub(super) fn between(&self, from: i64, to: i64) -> impl Iterator<Item = &(i64, Sums)> {
        let first = self.windows.partition_point(|(place, _)| *place < from);
        self.windows.range(first..).take_while(move |(place, _)| *place < to)
    }

    /// Returns the oldest window's place.
    pub(super) fn oldest(&self) -> Option<i64> {
        self.windows.front().map(|(place, _)| *place)
    }

    /// Returns how many numbers all windows take.
    pub(super) fn numbers(&self) -> usize {
        self.numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_kept_in_order_and_forgotten_from_the_oldest_on() {
        let mut ring = Ring::default();
        for place in [5, 3, 4, 3] {
            ring.add(place, &Sums::of_value(place as f64));
        }
        let places = |ring: &Ring, from, to| ring.between(from, to).map(|(place, sums)| (*place, sums.count)).collect::<Vec<_>>();
        assert_eq!(places(&ring, i64::MIN, i64::MAX), [(3, 2), (4, 1), (5, 1)]);
        assert_eq!(places(&ring, 4, 5), [(4, 1)]);
        ring.forget_before(4);
        assert_eq!((ring.oldest(), ring.numbers()), (Some(4), 2 * Sums::of_value(1.0).numbers()));
        ring.forget_before(9);
        assert_eq!((ring.oldest(), ring.numbers()), (None, 0));
    }
}
