//! The candidate's values against stable's by ranks, in blocks: whether they tend to be greater.
//!
//! In a block of m candidate and n stable values that come from one law, every order is as likely as any other, whatever the law is, so that the
//! law of Mann-Whitney's U is known exactly, and with it the mean of q^U: the Gaussian binomial coefficient divided by the binomial one (H. B.
//! Mann, D. R. Whitney, Annals of Mathematical Statistics 18, 1947). Hence q^U divided by that mean is a fair bet for q above 1, and
//! loses where the candidate's values are smaller. Ties count as lost pairs, which makes the bet smaller still. A conditional e-variable as
//! in M. F. Pérez-Ortiz, T. Lardy, R. de Heide, P. Grünwald, "E-statistics, group invariance and anytime-valid testing", Annals of Statistics
//! 52 (2024), with an exponential tilt in place of a model.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::special::ln_mean;

/// The shares of pairs in which the candidate's value is the greater one that are bet on. 0.55 is a time one tenth longer.
const GREATER: [f64; 5] = [0.53, 0.56, 0.61, 0.7, 0.85];

/// A block ends when each side has so many values.
const BLOCK_MIN: usize = 4;

/// So many values wait for the other side at most. Which are dropped depends on how many there are alone.
const OPEN_MAX: usize = 512;

/// A test of one direction: that the candidate's values are greater.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct RankSequence {
    open: (Vec<f64>, Vec<f64>),
    logs: [f64; GREATER.len()],
}

impl RankSequence {
    /// Takes what came since the last look; NaN is left out, infinity is the greatest value.
    pub fn observe(&mut self, candidate: &[f64], stable: &[f64]) {
        add(&mut self.open.0, candidate);
        add(&mut self.open.1, stable);
        if self.open.0.len() >= BLOCK_MIN && self.open.1.len() >= BLOCK_MIN {
            let (x, y) = (core::mem::take(&mut self.open.0), core::mem::take(&mut self.open.1));
            self.bet(x, y);
        }
        self.open.0.truncate(OPEN_MAX);
        self.open.1.truncate(OPEN_MAX);
    }

    /// Returns what the bet against "the candidate's values are not greater" has come to.
    pub fn worse(&self) -> f64 {
        ln_mean(&self.logs)
    }

    fn bet(&mut self, mut x: Vec<f64>, mut y: Vec<f64>) {
        x.sort_by(f64::total_cmp);
        y.sort_by(f64::total_cmp);
        let mut below = 0;
        let mut wins = 0_u64;
        for value in &x {
            while below < y.len() && y[below] < *value {
                below += 1;
            }
            wins += below as u64;
        }
        for (log, greater) in self.logs.iter_mut().zip(GREATER) {
            // The tilt under which U has the mean that the share says, as far as U is normal.
            let tilt = 12.0 * (greater - 0.5) / (x.len() + y.len() + 1) as f64;
            *log += tilt * wins as f64 - ln_mean_of_power(tilt, x.len(), y.len());
        }
    }
}

/// Returns the logarithm of the mean of exp(tilt U) where every order of m and n values is as likely as any other.
fn ln_mean_of_power(tilt: f64, m: usize, n: usize) -> f64 {
    let (fewer, more) = (m.min(n), m.max(n));
    (1..=fewer)
        .map(|i| {
            let sum = (more + i) as f64;
            let i = i as f64;
            (((tilt * sum).exp_m1() / sum) / ((tilt * i).exp_m1() / i)).ln()
        })
        .sum()
}

fn add(open: &mut Vec<f64>, values: &[f64]) {
    // The greatest number stands for infinity: a file of text knows none.
    open.extend(values.iter().filter(|value| !value.is_nan()).map(|value| value.clamp(f64::MIN, f64::MAX)));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean over all orders, by going through them.
    #[test]
    fn the_mean_of_a_power_of_u_is_that_over_all_orders() {
        let (m, n, tilt) = (3_u32, 5_u32, 0.2_f64);
        let (mut sum, mut count) = (0.0, 0.0);
        for order in 0_u32..1 << (m + n) {
            if order.count_ones() != m {
                continue;
            }
            let wins: u32 =
                (0..m + n).filter(|place| order >> place & 1 == 1).map(|place| (!order & ((1 << place) - 1)).count_ones()).sum();
            sum += (tilt * f64::from(wins)).exp();
            count += 1.0;
        }
        assert!((ln_mean_of_power(tilt, 3, 5) - f64::ln(sum / count)).abs() < 1e-12);
        assert!((ln_mean_of_power(tilt, 5, 3) - f64::ln(sum / count)).abs() < 1e-12);
    }
}
