//! The comparison of two samples by ranks: Mann-Whitney's test, the Hodges-Lehmann estimate of the shift with its interval, and the
//! common-language effect size.
//!
//! Estimate and interval are exact: they are differences that occur between a candidate's and a stable point (or the mean of the two in the
//! middle), found by selection, never the approximate root of a step function. Peers that look for a root report its residue as a
//! shift: 3.5e-5 where the true limit is 0, which then counts as "above 0".

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::sample;
use crate::special::{normal_cdf, normal_quantile};

/// Fewer points on a side than this say nothing: the smallest p-value that three against three can reach is one in ten.
pub const POINTS_MIN: usize = 4;

/// What the test found.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct RankTest {
    /// In how many pairs the candidate's point is the greater one; a tie is half a pair.
    pub u: f64,
    /// The standardised statistic, corrected for ties and continuity.
    pub z: f64,
    /// The probability of a difference at least so large, in either direction, if both sides are alike.
    pub p: f64,
    /// The Hodges-Lehmann estimate: the median of all differences between a candidate's and a stable point.
    pub shift: f64,
    /// The interval of the shift.
    pub interval: Interval,
    /// The share of pairs in which the candidate's point is the greater one (Vargha and Delaney's A): 0.5 is no difference.
    pub greater: f64,
    /// Points of the candidate.
    pub candidate: usize,
    /// Points of stable.
    pub stable: usize,
}

/// An interval with the confidence that it was made for.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How surely the truth lies between them, in (0, 1).
    pub confidence: f64,
}

/// Why two samples cannot be compared by ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRanks {
    /// A side has too few finite points.
    TooFew {
        /// Finite points of the candidate.
        candidate: usize,
        /// Finite points of stable.
        stable: usize,
    },
    /// Every point of both sides has one value: there is nothing to rank.
    AllTied,
}

impl core::fmt::Display for NoRanks {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooFew { candidate, stable } => write!(
                formatter,
                "a comparison by ranks needs {POINTS_MIN} points on each side, found {candidate} of the candidate and {stable} of stable"
            ),
            Self::AllTied => formatter.write_str("all points of both sides are equal, there is nothing to rank"),
        }
    }
}

impl core::error::Error for NoRanks {}

/// Compares two samples; points that are not finite are left out. Takes O((m + n) log(m + n)) time and O(m + n) memory.
///
/// The normal approximation with ties and continuity correction, as R's `wilcox.test(exact = FALSE)`: H. B. Mann, D. R. Whitney, Annals
/// of Mathematical Statistics 18 (1947); the interval is D. F. Bauer's, Journal of the American Statistical Association 67 (1972).
///
/// # Errors
/// When a side has fewer than [`POINTS_MIN`] points, or all points of both are equal.
pub fn compare(candidate: &[f64], stable: &[f64], confidence: f64) -> Result<RankTest, NoRanks> {
    let (x, y) = (sample::sorted(candidate), sample::sorted(stable));
    if x.len() < POINTS_MIN || y.len() < POINTS_MIN {
        return Err(NoRanks::TooFew { candidate: x.len(), stable: y.len() });
    }
    if x[0] == x[x.len() - 1] && y[0] == y[y.len() - 1] && x[0] == y[0] {
        return Err(NoRanks::AllTied);
    }
    let u = wins(&x, &y);
    let pairs = x.len() as f64 * y.len() as f64;
    let centred = u - pairs / 2.0;
    // The points are not all equal, so that at least one rank differs from another and the deviation is above 0.
    let z = (centred - 0.5 * sign(centred)) / deviation(&x, &y, true);
    Ok(RankTest {
        u,
        z,
        p: (2.0 * normal_cdf(-z.abs())).min(1.0),
        shift: shift(&x, &y),
        interval: interval(&x, &y, confidence),
        greater: u / pairs,
        candidate: x.len(),
        stable: y.len(),
    })
}

/// Returns the share of pairs in which the candidate's point is the greater one, a tie being half a pair; `None` where a side is empty.
pub fn greater_share(candidate: &[f64], stable: &[f64]) -> Option<f64> {
    let (x, y) = (sample::sorted(candidate), sample::sorted(stable));
    (!x.is_empty() && !y.is_empty()).then(|| wins(&x, &y) / (x.len() as f64 * y.len() as f64))
}

fn sign(value: f64) -> f64 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// Counts pairs with x > y, ties as half: one walk along both sorted samples.
pub(crate) fn wins(x: &[f64], y: &[f64]) -> f64 {
    let (mut below, mut up_to, mut doubled) = (0, 0, 0_u64);
    for &value in x {
        while below < y.len() && y[below] < value {
            below += 1;
        }
        up_to = up_to.max(below);
        while up_to < y.len() && y[up_to] <= value {
            up_to += 1;
        }
        doubled += (below + up_to) as u64;
    }
    doubled as f64 / 2.0
}

/// Returns the standard deviation of the number of wins, with the correction for ties. `across` says whether a tie between the samples
/// counts: it does for the test itself, and does not for a shift that equals no difference, where the samples have no value in common.
pub(crate) fn deviation(x: &[f64], y: &[f64], across: bool) -> f64 {
    let (m, n) = (x.len() as f64, y.len() as f64);
    let ties = if across {
        let mut all: Vec<f64> = x.iter().chain(y).copied().collect();
        all.sort_by(f64::total_cmp);
        ties(&all)
    } else {
        ties(x) + ties(y)
    };
    let total = m + n;
    (m * n / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)))).max(0.0).sqrt()
}

/// Sums t^3 - t over the groups of equal values.
fn ties(sorted: &[f64]) -> f64 {
    sorted
        .chunk_by(|a, b| a == b)
        .map(|group| {
            let size = group.len() as f64;
            size * size * size - size
        })
        .sum()
}

/// Returns the median of all differences.
fn shift(x: &[f64], y: &[f64]) -> f64 {
    let pairs = x.len() as u64 * y.len() as u64;
    let lower = difference(x, y, pairs.div_ceil(2));
    if pairs % 2 == 1 { lower } else { lower.midpoint(difference(x, y, pairs / 2 + 1)) }
}

/// Returns the differences where the corrected statistic of the shifted samples crosses the normal quantile: the first one above which
/// fewer than `mn/2 + 1/2 + z sigma` differences lie, and its mirror image.
fn interval(x: &[f64], y: &[f64], confidence: f64) -> Interval {
    let pairs = x.len() as u64 * y.len() as u64;
    let reach = normal_quantile(f64::midpoint(1.0, confidence)) * deviation(x, y, false) + 0.5;
    // The greatest whole number that is less than mn/2 + reach.
    let above = (pairs as f64 / 2.0 + reach).ceil() as u64 - 1;
    let low_rank = pairs.saturating_sub(above).max(1);
    Interval { low: difference(x, y, low_rank), high: difference(x, y, pairs + 1 - low_rank), confidence }
}

/// Returns the `rank`th smallest of all differences x - y, from 1 to mn, without making them.
///
/// Rounded subtraction never decreases when x grows or y falls, so that the differences that are at most `t` are counted in one walk
/// along both sorted samples. The answer is the least number with enough differences at or below it, and numbers in their order are whole
/// numbers in theirs: at most 64 halvings find it to the last bit.
fn difference(x: &[f64], y: &[f64], rank: u64) -> f64 {
    let (mut low, mut high) = (ordinal(x[0] - y[y.len() - 1]), ordinal(x[x.len() - 1] - y[0]));
    while low < high {
        let middle = low + (high - low) / 2;
        if at_most(x, y, number(middle)) >= rank {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    // A negative zero orders below zero; a person would not.
    number(low) + 0.0
}

fn at_most(x: &[f64], y: &[f64], limit: f64) -> u64 {
    let mut first = 0;
    let mut count = 0;
    for &value in x {
        while first < y.len() && value - y[first] > limit {
            first += 1;
        }
        count += (y.len() - first) as u64;
    }
    count
}

/// The place of a number among all numbers, so that numbers compare as their places do.
fn ordinal(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn number(ordinal: u64) -> f64 {
    f64::from_bits(if ordinal >> 63 == 1 { ordinal & !(1 << 63) } else { !ordinal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_numbers_are_inverse_and_in_order() {
        let values = [f64::MIN, -2.5, -1e-300, 0.0, 1e-300, 1.0, f64::MAX];
        for pair in values.windows(2) {
            assert!(ordinal(pair[0]) < ordinal(pair[1]));
        }
        for value in values {
            assert_eq!(number(ordinal(value)), value);
        }
    }

    #[test]
    fn selection_equals_sorting_all_differences() {
        let x = [0.1, 0.2, 0.2, 3.0, 7.5];
        let y = [-1.0, 0.2, 0.3, 9.0];
        let mut all: Vec<f64> = x.iter().flat_map(|x| y.iter().map(move |y| x - y)).collect();
        all.sort_by(f64::total_cmp);
        for (place, expected) in all.iter().enumerate() {
            assert_eq!(difference(&x, &y, place as u64 + 1), *expected);
        }
    }
}
