//! Times, by the share of requests that take longer than stable's quantiles did before the candidate came, and by ranks.
//!
//! A mean of times says what the slowest few did, and has no bound. A share above a threshold is a proportion, with the test of
//! [`super::shares`]. Several thresholds see a change of the tail alone, and ranks a small shift of everything. The thresholds must be fixed before the data that is
//! judged: from stable's own earlier requests, or from an objective.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::ranks::RankSequence;
use super::shares::{SharesDesign, SharesTest};
use super::{Evidence, needed};
use crate::sample::{self, Counts};
use crate::special::ln_mean;

/// A threshold needs so many earlier points above it, or it is a guess.
const POINTS_ABOVE_MIN: f64 = 5.0;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct ExceedanceDesign {
    /// The thresholds, in the unit of the values; all that can be judged by.
    pub thresholds: Vec<f64>,
    /// What is asked of the share above each. Ranks are asked too where the tolerance is 1, which is all that they can ask. The floor is of no use where stable itself is above in one request of two.
    pub shares: SharesDesign,
}

impl ExceedanceDesign {
    /// The quantiles that are taken where nobody says which.
    pub const QUANTILES: [f64; 4] = [0.5, 0.75, 0.9, 0.99];

    /// Takes thresholds from stable's earlier values: its quantiles at `shares` (as 0.5, 0.9, 0.99), without those that too few points
    /// lie above. None may be left: then there is nothing to judge by yet.
    pub fn from_baseline(earlier: &[f64], shares: &[f64]) -> Self {
        let ordered = sample::sorted(earlier);
        let known = shares.iter().filter(|share| ordered.len() as f64 * (1.0 - **share) >= POINTS_ABOVE_MIN);
        let mut thresholds: Vec<f64> = known.filter_map(|share| sample::percentile(&ordered, *share)).collect();
        thresholds.dedup();
        Self { thresholds, shares: SharesDesign { floor: 0.0, ..SharesDesign::default() } }
    }
}

/// A test of times.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Exceedance {
    thresholds: Vec<f64>,
    tests: Vec<SharesTest>,
    ranks: Option<RankSequence>,
}

impl Exceedance {
    /// Starts a test that has seen nothing.
    pub fn new(design: &ExceedanceDesign) -> Self {
        let tests = design.thresholds.iter().map(|_| SharesTest::new(design.shares)).collect();
        let ranks = (design.shares.tolerance <= 1.0).then(RankSequence::default);
        Self { thresholds: design.thresholds.clone(), tests, ranks }
    }

    /// Takes what came since the last look; NaN is left out, infinity is a request that never ended.
    pub fn observe(&mut self, candidate: &[f64], stable: &[f64]) {
        for (threshold, test) in self.thresholds.iter().zip(&mut self.tests) {
            test.observe(counts(candidate, *threshold), counts(stable, *threshold));
        }
        if let Some(ranks) = &mut self.ranks {
            ranks.observe(candidate, stable);
        }
    }

    /// Returns what both bets have come to. That it is worse is bet on with half of the coins by ranks and with half by the thresholds, each
    /// alike; that it is good enough must be proven at all thresholds.
    pub fn evidence(&self) -> Evidence {
        let all: Vec<Evidence> = self.tests.iter().map(SharesTest::evidence).collect();
        if all.is_empty() {
            return Evidence::NONE;
        }
        let worse: Vec<f64> = all.iter().map(|evidence| evidence.worse).collect();
        let by_thresholds = ln_mean(&worse);
        let worse = self.ranks.as_ref().map_or(by_thresholds, |ranks| ln_mean(&[by_thresholds, ranks.worse()]));
        Evidence { worse, good: all.iter().map(|evidence| evidence.good).fold(f64::INFINITY, f64::min) }
    }

    /// Returns the threshold that says most about the candidate at a level, and its test: the one with the most evidence that it is worse,
    /// or once that it is good is proven, the one with the least. `None` without thresholds.
    pub fn telling(&self, level: f64) -> Option<(f64, &SharesTest)> {
        let good = self.evidence().good >= needed(level);
        let key = |test: &SharesTest| if good { -test.evidence().good } else { test.evidence().worse };
        let pairs = self.thresholds.iter().copied().zip(&self.tests);
        pairs.max_by(|(_, a), (_, b)| key(a).total_cmp(&key(b)))
    }
}

fn counts(values: &[f64], threshold: f64) -> Counts {
    let trials = values.iter().filter(|value| !value.is_nan()).count() as u64;
    Counts { events: values.iter().filter(|value| **value > threshold).count() as u64, trials }
}
