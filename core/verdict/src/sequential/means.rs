//! The mean of measurements that have bounds (a share of memory, a score, a time with a deadline), against stable's or against a limit.
//!
//! A bet of a share of one's coins on each value: I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting",
//! Journal of the Royal Statistical Society B 86 (2024), with the mixture over a grid of bets of their section on diversified betting. Values
//! outside of the bounds count as the bound.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::rank::Interval;
use crate::special::ln_mean;

/// The shares of one's coins that are bet. Small ones win on small differences, large ones on large differences, sooner.
const STAKES: [f64; 8] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9];

/// So many values of each side are averaged before they are compared: the mean of few has less spread, and so wins more.
const BLOCK_MIN: usize = 4;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct MeanDesign {
    /// The least value that can be.
    pub low: f64,
    /// The greatest value that can be; above `low`.
    pub high: f64,
    /// Against stable: the candidate is worse when its mean is more than this above stable's. Against a limit: above this.
    pub tolerance: f64,
    /// Against stable: it is good enough when its mean is less than this above stable's. Against a limit: below this.
    pub margin: f64,
    /// Whether values of stable are the yardstick; otherwise a limit is.
    pub against_stable: bool,
}

/// A test of means.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct MeanTest {
    /// What is asked.
    pub design: MeanDesign,
    /// The sum and the number of the candidate's values, from 0 to 1.
    candidate: (f64, u64),
    /// The sum and the number of stable's values, from 0 to 1.
    stable: (f64, u64),
    open: ((f64, usize), (f64, usize)),
    worse: [f64; STAKES.len()],
    good: [f64; STAKES.len()],
}

impl MeanTest {
    /// Starts a test that has seen nothing.
    pub const fn new(design: MeanDesign) -> Self {
        Self {
            design,
            candidate: (0.0, 0),
            stable: (0.0, 0),
            open: ((0.0, 0), (0.0, 0)),
            worse: [0.0; STAKES.len()],
            good: [0.0; STAKES.len()],
        }
    }

    /// Takes what came since the last look, in the order in which it came; values that are not finite are left out.
    pub fn observe(&mut self, candidate: &[f64], stable: &[f64]) {
        let MeanDesign { low, high, .. } = self.design;
        let scaled = |values: &[f64]| -> Vec<f64> {
            values.iter().filter(|value| value.is_finite()).map(|value| ((value - low) / (high - low)).clamp(0.0, 1.0)).collect()
        };
        let (candidate, stable) = (scaled(candidate), scaled(stable));
        for (total, values) in [(&mut self.candidate, &candidate), (&mut self.stable, &stable)] {
            total.0 += values.iter().sum::<f64>();
            total.1 += values.len() as u64;
        }
        if self.design.against_stable { self.observe_pairs(&candidate, &stable) } else { self.observe_alone(&candidate) }
    }

    /// Returns what both bets have come to.
    pub fn evidence(&self) -> Evidence {
        Evidence { worse: ln_mean(&self.worse), good: ln_mean(&self.good) }
    }

    /// Returns how many values each side had.
    pub const fn seen(&self) -> (u64, u64) {
        (self.candidate.1, self.stable.1)
    }

    /// Returns the means of both sides, in the unit of the values; `None` for a side without values.
    pub fn means(&self) -> (Option<f64>, Option<f64>) {
        let MeanDesign { low, high, .. } = self.design;
        let mean = |total: (f64, u64)| (total.1 > 0).then(|| low + (high - low) * total.0 / total.1 as f64);
        (mean(self.candidate), mean(self.stable))
    }

    /// Returns an interval of the candidate's mean that holds at all looks at once: the normal mixture of S. R. Howard, A. Ramdas, J. McAuliffe,
    /// J. Sekhon, Annals of Statistics 49 (2021), with the variance that a bounded value has at most. Wide, and true without conditions.
    pub fn interval(&self, confidence: f64) -> Interval {
        /// The mixture is tightest after about so many values.
        const TIGHT_AT: f64 = 250.0;
        let MeanDesign { low, high, .. } = self.design;
        let (sum, n) = (self.candidate.0, self.candidate.1 as f64);
        if n == 0.0 {
            return Interval { low, high, confidence };
        }
        let (variance, prior) = (n / 4.0, TIGHT_AT / 4.0);
        let level = 1.0 - confidence;
        let reach = ((variance + prior) * ((variance + prior) / (level * level * prior)).ln()).sqrt() / n;
        let end = |share: f64| low + (high - low) * share.clamp(0.0, 1.0);
        Interval { low: end(sum / n - reach), high: end(sum / n + reach), confidence }
    }

    fn observe_pairs(&mut self, candidate: &[f64], stable: &[f64]) {
        let fewer = (self.open.0.1 + candidate.len()).min(self.open.1.1 + stable.len());
        // What does not fill a block stays open; what fills several is dealt to them evenly.
        let blocks = (fewer / BLOCK_MIN).max(1);
        for place in 0..blocks {
            add(&mut self.open.0, portion(candidate, place, blocks));
            add(&mut self.open.1, portion(stable, place, blocks));
            if self.open.0.1 < BLOCK_MIN || self.open.1.1 < BLOCK_MIN {
                continue;
            }
            let difference = self.open.0.0 / self.open.0.1 as f64 - self.open.1.0 / self.open.1.1 as f64;
            self.open = ((0.0, 0), (0.0, 0));
            let width = self.design.high - self.design.low;
            let (tolerance, margin) = (self.design.tolerance / width, self.design.margin / width);
            self.bet((difference - tolerance) / (1.0 + tolerance), (margin - difference) / (1.0 - margin));
        }
    }

    fn observe_alone(&mut self, candidate: &[f64]) {
        let width = self.design.high - self.design.low;
        let share = |limit: f64| ((limit - self.design.low) / width).clamp(1e-9, 1.0 - 1e-9);
        let (limit, margin) = (share(self.design.tolerance), share(self.design.margin));
        for value in candidate {
            self.bet((value - limit) / limit, (margin - value) / (1.0 - margin));
        }
    }

    /// Bets on two differences, each of at least -1 and of at most 0 on average if its hypothesis is true.
    fn bet(&mut self, worse: f64, good: f64) {
        for (place, stake) in STAKES.iter().enumerate() {
            self.worse[place] += (stake * worse).ln_1p();
            self.good[place] += (stake * good).ln_1p();
        }
    }
}

fn portion(values: &[f64], place: usize, of: usize) -> &[f64] {
    &values[values.len() * place / of..values.len() * (place + 1) / of]
}

fn add(open: &mut (f64, usize), values: &[f64]) {
    open.0 += values.iter().sum::<f64>();
    open.1 += values.len();
}
