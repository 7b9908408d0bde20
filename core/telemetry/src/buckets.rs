//! The buckets of a histogram, and how two with different bounds become one without a guess.
//!
//! **The rule.** A bound can be kept in the sum (or difference) of two histograms when each of them says exactly how many values lie below
//! it: it is one of its own bounds, or lies in a bucket of its own that is empty. All other bounds go, and their buckets are joined. So
//! counts stay exact, only resolution is lost; the order in which histograms are joined makes no difference.

use std::sync::Arc;

use crate::limits::{BOUNDS_MAX, COUNT_MAX};

/// How many values lie between which bounds. Each bucket holds its upper bound and not its lower one; above the last bound is one
/// bucket more.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    bounds: Arc<[f64]>,
    counts: Box<[u64]>,
}

impl Buckets {
    /// Returns buckets, or why these are none: as a fragment of a sentence.
    pub fn new(bounds: &[f64], counts: &[u64]) -> Result<Self, String> {
        if bounds.len() > BOUNDS_MAX {
            return Err(format!("it has {} bounds, at most {BOUNDS_MAX} are kept", bounds.len()));
        }
        if counts.len() != bounds.len() + 1 {
            return Err(format!("{} bounds make {} buckets, it has {}", bounds.len(), bounds.len() + 1, counts.len()));
        }
        if let Some(bound) = bounds.iter().find(|bound| !bound.is_finite()) {
            return Err(format!("its bound {bound} is no number to compare with"));
        }
        if let Some(pair) = bounds.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(format!("its bounds must grow, {} comes before {}", pair[0], pair[1]));
        }
        if total(counts).is_none_or(|total| total > COUNT_MAX) {
            return Err(format!("its buckets hold more than {COUNT_MAX} values"));
        }
        // One zero only: as bounds the two are equal.
        let bounds = bounds.iter().map(|bound| bound + 0.0).collect();
        Ok(Self { bounds, counts: counts.into() })
    }

    /// Returns a histogram of which only the number of values is known.
    pub fn unbounded(count: u64) -> Self {
        Self { bounds: Arc::default(), counts: [count].into() }
    }

    /// Returns the growing upper bounds.
    pub fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    /// Returns how many values each bucket holds: one number more than there are bounds.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Returns how many values there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |total, count| total.saturating_add(*count))
    }

    /// Returns how many numbers it takes to keep.
    pub(crate) fn numbers(&self) -> usize {
        self.bounds.len() + self.counts.len()
    }

    /// Shares the bounds with others that are equal, so that they are kept once.
    pub(crate) fn share_bounds(&mut self, known: &mut Arc<[f64]>) {
        match *self.bounds == **known {
            true => self.bounds = Arc::clone(known),
            false => *known = Arc::clone(&self.bounds),
        }
    }

    /// Adds another histogram.
    pub fn add(&mut self, other: &Self) {
        if self.bounds != other.bounds {
            let bounds = self.common_bounds(other);
            (self.counts, self.bounds) = (self.counts_between(&bounds), Arc::clone(&bounds));
            let others = other.counts_between(&bounds);
            return self.add_counts(&others);
        }
        self.add_counts(&other.counts);
    }

    /// Returns what came since an earlier reading of the same histogram, or `None` where it holds less than then.
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        let bounds = match self.bounds == earlier.bounds {
            true => Arc::clone(&self.bounds),
            false => self.common_bounds(earlier),
        };
        let (ours, theirs) = (self.counts_between(&bounds), earlier.counts_between(&bounds));
        let counts = ours.iter().zip(&theirs).map(|(now, then)| now.checked_sub(*then)).collect::<Option<_>>()?;
        Some(Self { bounds, counts })
    }

    fn add_counts(&mut self, others: &[u64]) {
        for (count, other) in self.counts.iter_mut().zip(others) {
            *count = count.saturating_add(*other);
        }
    }

    /// Returns the bounds below which both know how many values lie.
    fn common_bounds(&self, other: &Self) -> Arc<[f64]> {
        let mut bounds: Vec<f64> = self.bounds.iter().chain(&*other.bounds).copied().collect();
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        bounds.retain(|bound| self.knows(*bound) && other.knows(*bound));
        while bounds.len() > BOUNDS_MAX {
            let mut at = 0;
            bounds.retain(|_| {
                at += 1;
                at % 2 == 0
            });
        }
        bounds.into()
    }

    fn knows(&self, bound: f64) -> bool {
        let at = self.bounds.partition_point(|own| *own < bound);
        self.bounds.get(at) == Some(&bound) || self.counts[at] == 0
    }

    /// Returns the counts between other bounds, all of which are known.
    fn counts_between(&self, bounds: &[f64]) -> Box<[u64]> {
        let mut counts = vec![0_u64; bounds.len() + 1];
        for (at, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            // The first bound that is not below ours: none lies inside of a bucket that is not empty.
            let place = self.bounds.get(at).map_or(bounds.len(), |upper| bounds.partition_point(|bound| bound < upper));
            counts[place] = counts[place].saturating_add(*count);
        }
        counts.into()
    }
}

fn total(counts: &[u64]) -> Option<u64> {
    counts.iter().try_fold(0_u64, |total, count| total.checked_add(*count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(bounds: &[f64], counts: &[u64]) -> Buckets {
        Buckets::new(bounds, counts).unwrap()
    }

    fn sum(one: &Buckets, other: &Buckets) -> Buckets {
        let mut sum = one.clone();
        sum.add(other);
        sum
    }

    #[test]
    fn what_is_no_histogram_is_refused_with_both_values() {
        let refused = |bounds: &[f64], counts: &[u64]| Buckets::new(bounds, counts).unwrap_err();
        assert_eq!(refused(&[1.0, 2.0], &[1, 2]), "2 bounds make 3 buckets, it has 2");
        assert_eq!(refused(&[2.0, 1.0], &[0, 0, 0]), "its bounds must grow, 2 comes before 1");
        assert_eq!(refused(&[1.0, 1.0], &[0, 0, 0]), "its bounds must grow, 1 comes before 1");
        assert_eq!(refused(&[f64::NAN], &[0, 0]), "its bound NaN is no number to compare with");
        assert_eq!(refused(&[f64::INFINITY], &[0, 0]), "its bound inf is no number to compare with");
        assert!(refused(&vec![0.0; BOUNDS_MAX + 1], &[]).contains("201 bounds, at most 200"));
        assert!(refused(&[1.0], &[u64::MAX, 1]).contains("more than"));
    }

    #[test]
    fn equal_bounds_are_added_bucket_by_bucket() {
        let both = sum(&buckets(&[1.0, 2.0], &[1, 2, 3]), &buckets(&[1.0, 2.0], &[4, 0, 6]));
        assert_eq!(both, buckets(&[1.0, 2.0], &[5, 2, 9]));
    }

    #[test]
    fn only_bounds_that_both_know_are_kept() {
        let both = sum(&buckets(&[1.0, 2.0, 5.0], &[1, 2, 3, 4]), &buckets(&[1.0, 5.0, 10.0], &[1, 1, 1, 1]));
        assert_eq!(both, buckets(&[1.0, 5.0], &[2, 6, 6]), "2 lies inside of values of the other, 10 inside of ours");
        let none = sum(&buckets(&[1.0], &[1, 1]), &buckets(&[2.0], &[1, 1]));
        assert_eq!(none, Buckets::unbounded(4));
    }

    #[test]
    fn an_empty_bucket_can_be_cut_anywhere() {
        let apart = sum(&buckets(&[1.0, 2.0], &[0, 7, 0]), &buckets(&[100.0, 200.0], &[0, 5, 0]));
        assert_eq!(apart, buckets(&[1.0, 2.0, 100.0, 200.0], &[0, 7, 0, 5, 0]));
    }

    #[test]
    fn the_order_of_joining_makes_no_difference() {
        let some = [
            buckets(&[1.0, 2.0, 3.0], &[0, 0, 4, 1]),
            buckets(&[1.0, 3.0], &[2, 1, 0]),
            buckets(&[1.5, 3.0, 9.0], &[0, 1, 0, 2]),
            buckets(&[0.5, 20.0], &[0, 0, 0]),
            Buckets::unbounded(0),
        ];
        for one in &some {
            for other in &some {
                assert_eq!(sum(one, other), sum(other, one));
                for third in &some {
                    assert_eq!(sum(&sum(one, other), third), sum(one, &sum(other, third)), "{one:?} {other:?} {third:?}");
                }
            }
        }
    }

    #[test]
    fn a_sum_has_no_more_bounds_than_are_kept() {
        let grid = |shift: f64| (0..BOUNDS_MAX).map(|at| at as f64 + shift).collect::<Vec<f64>>();
        let empty = vec![0; BOUNDS_MAX + 1];
        let both = sum(&buckets(&grid(0.0), &empty), &buckets(&grid(0.5), &empty));
        assert!(both.bounds().len() <= BOUNDS_MAX);
    }

    #[test]
    fn the_difference_of_two_readings_is_exact_or_none() {
        let earlier = buckets(&[1.0, 2.0, 4.0], &[1, 0, 2, 0]);
        let later = buckets(&[1.0, 2.0, 4.0], &[1, 3, 2, 1]);
        assert_eq!(later.since(&earlier), Some(buckets(&[1.0, 2.0, 4.0], &[0, 3, 0, 1])));
        assert_eq!(earlier.since(&later), None);
        let coarser = buckets(&[1.0, 4.0], &[1, 5, 1]);
        assert_eq!(coarser.since(&earlier), Some(buckets(&[1.0, 4.0], &[0, 3, 1])));
    }
}
