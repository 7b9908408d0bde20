//! The candidate's share against stable's, while both take traffic.
//!
//! What came between two looks is a block: so many requests and so many errors on each side. Given all four sums of a block but one, the
//! candidate's errors follow R. A. Fisher's noncentral hypergeometric law, which knows the ratio of the odds and nothing else. So neither
//! the error rate itself, nor a change of it that meets both sides, nor a change of the traffic's split between looks can deceive the test. The
//! likelihood ratio of a block is a fair bet, and the product over blocks an e-process: the 2x2 design of R. J. Turner, A. Ly, P. Grünwald,
//! "Generic e-variables for exact sequential k-sample tests that allow for optional stopping", Journal of Statistical Planning and
//! Inference 230 (2024), with each block's margins held fixed in place of an estimate of the common rate.
//!
//! Where a block ends may depend on how many requests came, never on what came of them.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Evidence, FACTORS, limit};
use crate::sample::Counts;
use crate::special::{ln_choose, ln_mean};

/// A block ends when each side has so many requests. With fewer, a block whose outcomes are all equal says nothing, and many are.
const BLOCK_MIN: u64 = 4;

/// What is so small beside a sum changes no bit of it, nor does all that follows.
const NOTHING: f64 = 1e-20;

/// Logarithms of more steps than this are not added one by one.
const STEPS_EXACT_MAX: u64 = 10_000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct SharesDesign {
    /// The candidate is worse when its odds are more than so many times stable's; 1 for any difference.
    pub tolerance: f64,
    /// It is good enough when its odds are less than so many times stable's; above `tolerance`.
    pub margin: f64,
    /// It is good enough also when its share is below this one, whatever stable's is; 0 for no such floor. Where both sides have no errors,
    /// nothing else can prove anything.
    pub floor: f64,
}

impl Default for SharesDesign {
    fn default() -> Self {
        Self { tolerance: 1.0, margin: 2.0, floor: 0.005 }
    }
}

/// A test of two shares.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct SharesTest {
    /// What is asked.
    pub design: SharesDesign,
    /// What was seen of the candidate.
    pub candidate: Counts,
    /// What was seen of stable.
    pub stable: Counts,
    /// What was seen and is in no block yet.
    open: (Counts, Counts),
    worse: [f64; FACTORS.len()],
    good: [f64; FACTORS.len()],
}

impl SharesTest {
    /// Starts a test that has seen nothing.
    pub fn new(design: SharesDesign) -> Self {
        Self {
            design,
            candidate: Counts::default(),
            stable: Counts::default(),
            open: (Counts::default(), Counts::default()),
            worse: [0.0; FACTORS.len()],
            good: [0.0; FACTORS.len()],
        }
    }

    /// Takes what came since the last look. Events beyond the trials are not counted.
    pub fn observe(&mut self, candidate: Counts, stable: Counts) {
        let (candidate, stable) = (candidate.bounded(), stable.bounded());
        self.candidate = self.candidate.and(candidate);
        self.stable = self.stable.and(stable);
        self.open = (self.open.0.and(candidate), self.open.1.and(stable));
        if self.open.0.trials < BLOCK_MIN || self.open.1.trials < BLOCK_MIN {
            return;
        }
        let block = Block::new(self.open.0, self.open.1);
        self.open = (Counts::default(), Counts::default());
        let SharesDesign { tolerance, margin, .. } = self.design;
        let (at_tolerance, at_margin) = (block.likelihood(tolerance), block.likelihood(margin));
        for (place, factor) in FACTORS.iter().enumerate() {
            self.worse[place] += block.likelihood(tolerance * factor) - at_tolerance;
            self.good[place] += block.likelihood(margin / factor) - at_margin;
        }
    }

    /// Returns what both bets have come to.
    ///
    /// That the candidate is good enough is a bet against two things together (the odds reach the margin, and the share reaches the floor). A
    /// bet against either is one against both, and so is the mean of the two bets.
    pub fn evidence(&self) -> Evidence {
        let by_odds = ln_mean(&self.good);
        let good =
            if self.design.floor > 0.0 { ln_mean(&[by_odds, limit::below(self.candidate, self.design.floor)]) } else { by_odds };
        Evidence { worse: ln_mean(&self.worse), good }
    }
}

/// The sums of a block.
struct Block {
    candidate: u64,
    stable: u64,
    events: u64,
    of_candidate: u64,
}

impl Block {
    const fn new(candidate: Counts, stable: Counts) -> Self {
        Self {
            candidate: candidate.trials,
            stable: stable.trials,
            events: candidate.events + stable.events,
            of_candidate: candidate.events,
        }
    }

    /// Returns the logarithm of the probability of what the candidate had, given the sums, at a ratio of the odds; up to a term that is the
    /// same for all ratios.
    fn likelihood(&self, ratio: f64) -> f64 {
        // All probabilities relative to the greatest one, outwards from it until they add nothing: a large block has a long range, of which
        // a small part counts.
        let mode = self.mode(ratio);
        let (mut sum, mut term) = (1.0_f64, 1.0_f64);
        for x in mode..self.most() {
            term *= self.step(x) * ratio;
            sum += term;
            if term < sum * NOTHING {
                break;
            }
        }
        term = 1.0;
        for x in (self.least()..mode).rev() {
            term /= self.step(x) * ratio;
            sum += term;
            if term < sum * NOTHING {
                break;
            }
        }
        (self.of_candidate as f64 - mode as f64) * ratio.ln() - self.ln_ways(mode) - sum.ln()
    }

    const fn least(&self) -> u64 {
        self.events.saturating_sub(self.stable)
    }

    fn most(&self) -> u64 {
        self.events.min(self.candidate)
    }

    /// By what the number of ways grows from `x` events of the candidate to one more.
    fn step(&self, x: u64) -> f64 {
        let others = self.events - x;
        (self.candidate - x) as f64 * others as f64 / ((x + 1) as f64 * (self.stable + 1 - others) as f64)
    }

    /// The most likely count: the steps fall, so that it is the first from which the next one is not above 1.
    fn mode(&self, ratio: f64) -> u64 {
        let (mut low, mut high) = (self.least(), self.most());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.step(middle) * ratio > 1.0 { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The logarithm of the number of ways in which the candidate can have `x` of the events, relative to what it had.
    fn ln_ways(&self, x: u64) -> f64 {
        let (from, to) = (self.of_candidate.min(x), self.of_candidate.max(x));
        let ln = if to - from <= STEPS_EXACT_MAX {
            (from..to).map(|x| self.step(x).ln()).sum()
        } else {
            let ways =
                |x: u64| ln_choose(self.candidate as f64, x as f64) + ln_choose(self.stable as f64, (self.events - x) as f64);
            ways(to) - ways(from)
        };
        if x >= self.of_candidate { ln } else { -ln }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_of_likelihoods_is_that_of_the_sums_in_full() {
        for (candidate, stable) in
            [((0, 4), (0, 9)), ((4, 4), (9, 9)), ((3, 10), (5, 90)), ((700, 900), (2_000, 4_000)), ((2, 5_000), (4_900, 5_000))]
        {
            let of = |pair: (u64, u64)| Counts { events: pair.0, trials: pair.1 };
            let block = Block::new(of(candidate), of(stable));
            let logs = |ratio: f64| {
                let ways = |x: u64| {
                    let (m, n) = (block.candidate as f64, block.stable as f64);
                    ln_choose(m, x as f64) + ln_choose(n, (block.events - x) as f64) + x as f64 * ratio.ln()
                };
                let all: Vec<f64> = (block.least()..=block.most()).map(ways).collect();
                ways(block.of_candidate) - ln_mean(&all) - (all.len() as f64).ln()
            };
            for ratio in [0.05, 0.5, 1.15, 3.0, 40.0] {
                let (found, expected) = (block.likelihood(ratio) - block.likelihood(1.0), logs(ratio) - logs(1.0));
                assert!(
                    (found - expected).abs() < 1e-8 * expected.abs().max(1.0),
                    "{candidate:?} {stable:?} {ratio}: {found} {expected}"
                );
            }
        }
    }
}
