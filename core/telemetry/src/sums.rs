//! What is kept of values: how many, their sum, the smallest, the largest, and how they lie between bounds.

use crate::buckets::Buckets;

/// What is known of some values. Of a counter, `sum` alone is used: what was added.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Sums {
    /// How many values.
    pub count: u64,
    /// Their sum; NaN where a histogram came without one.
    pub sum: f64,
    /// The smallest, where that is known.
    pub min: Option<f64>,
    /// The largest, where that is known.
    pub max: Option<f64>,
    /// How they lie, of a histogram.
    pub buckets: Option<Buckets>,
}

impl Sums {
    /// Returns what is known of one value.
    pub fn of_value(value: f64) -> Self {
        Self { count: 1, sum: value, min: Some(value), max: Some(value), buckets: None }
    }

    /// Returns what a counter was raised by.
    pub fn of_increase(increase: f64) -> Self {
        Self { sum: increase, ..Self::default() }
    }

    /// Adds what is known of other values. The smallest and largest are known when they are known of both.
    pub fn add(&mut self, other: &Self) {
        self.min = known_of_both((self.min, self.count), (other.min, other.count), f64::min);
        self.max = known_of_both((self.max, self.count), (other.max, other.count), f64::max);
        match (&mut self.buckets, &other.buckets) {
            (Some(ours), Some(theirs)) => ours.add(theirs),
            (None, theirs) if self.count == 0 => self.buckets.clone_from(theirs),
            (Some(_), None) if other.count == 0 => {}
            (Some(_) | None, _) => self.buckets = None,
        }
        self.count = self.count.saturating_add(other.count);
        self.sum += other.sum;
    }

    /// Returns what came since an earlier total of the same, or `None` where it fell: whoever counts has begun again.
    pub(crate) fn since(&self, earlier: &Self) -> Option<Self> {
        let buckets = match (&self.buckets, &earlier.buckets) {
            (Some(now), Some(then)) => Some(now.since(then)?),
            (None, None) if self.sum < earlier.sum => return None,
            (None, _) | (_, None) => None,
        };
        let count = self.count.checked_sub(earlier.count)?;
        Some(Self { count, sum: self.sum - earlier.sum, min: None, max: None, buckets })
    }

    /// Returns how many numbers it takes to keep, with its place in time.
    pub(crate) fn numbers(&self) -> usize {
        // Count, sum, smallest and largest with their marks, place, and the two pointers of buckets.
        const ALWAYS: usize = 12;
        ALWAYS + self.buckets.as_ref().map_or(0, Buckets::numbers)
    }
}

fn known_of_both(one: (Option<f64>, u64), other: (Option<f64>, u64), pick: fn(f64, f64) -> f64) -> Option<f64> {
    match (one.1, other.1) {
        (0, _) => other.0,
        (_, 0) => one.0,
        (_, _) => one.0.zip(other.0).map(|(one, other)| pick(one, other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_summed() {
        let mut sums = Sums::default();
        for value in [3.0, -1.0, 2.0] {
            sums.add(&Sums::of_value(value));
        }
        assert_eq!(sums, Sums { count: 3, sum: 4.0, min: Some(-1.0), max: Some(3.0), buckets: None });
    }

    #[test]
    fn the_smallest_is_known_when_it_is_known_of_all() {
        let unknown = Sums { count: 2, sum: 5.0, ..Sums::default() };
        let mut sums = Sums::of_value(1.0);
        sums.add(&unknown);
        assert_eq!((sums.count, sums.min, sums.max), (3, None, None));
        sums.add(&Sums::of_value(0.0));
        assert_eq!((sums.count, sums.min), (4, None), "what was unknown stays so");
    }

    #[test]
    fn a_histogram_and_values_without_buckets_have_none_together() {
        let histogram = Sums { count: 2, sum: 3.0, buckets: Some(Buckets::new(&[1.0], &[1, 1]).unwrap()), ..Sums::default() };
        let mut sums = Sums::default();
        sums.add(&histogram);
        assert_eq!(sums.buckets, histogram.buckets);
        sums.add(&Sums::of_value(1.0));
        assert_eq!((sums.count, sums.buckets), (3, None));
    }

    #[test]
    fn a_sum_that_is_not_known_stays_unknown() {
        let mut sums = Sums { count: 1, sum: f64::NAN, ..Sums::default() };
        sums.add(&Sums::of_value(1.0));
        assert!(sums.sum.is_nan());
    }

    #[test]
    fn a_total_that_fell_began_again() {
        let total = Sums::of_increase;
        assert_eq!(total(7.0).since(&total(5.0)), Some(total(2.0)));
        assert_eq!(total(1.0).since(&total(5.0)), None);
        let histogram = |count| Sums { count, sum: 1.0, buckets: Some(Buckets::unbounded(count)), ..Sums::default() };
        assert_eq!(histogram(3).since(&histogram(2)).map(|since| since.count), Some(1));
        assert_eq!(histogram(1).since(&histogram(2)), None);
    }
}
