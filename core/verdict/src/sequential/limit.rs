//! The candidate's share against a limit that somebody set: "at most 1 % of the requests may fail".

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Evidence, FACTORS, from_odds, odds};
use crate::rank::Interval;
use crate::sample::Counts;
use crate::special::{ln_beta, ln_mean};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct LimitDesign {
    /// The share from which on the candidate is worse, in (0, 1).
    pub limit: f64,
    /// The share below which it is good enough; the limit itself where no margin is given.
    pub good_below: f64,
}

/// A test of one share against a limit. It needs the sums alone, so that its state is two numbers.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct LimitTest {
    /// What is asked.
    pub design: LimitDesign,
    /// What was seen.
    pub seen: Counts,
}

impl LimitTest {
    /// Starts a test that has seen nothing.
    pub const fn new(design: LimitDesign) -> Self {
        Self { design, seen: Counts { events: 0, trials: 0 } }
    }

    /// Takes what came since the last look. Events beyond the trials are not counted.
    pub fn observe(&mut self, more: Counts) {
        self.seen = self.seen.and(more.bounded());
    }

    /// Returns what both bets have come to.
    pub fn evidence(&self) -> Evidence {
        Evidence { worse: above(self.seen, self.design.limit), good: below(self.seen, self.design.good_below) }
    }
}

/// Returns the bet against "the share is at most `limit`": the mean of the likelihood ratios of greater shares (H. Robbins, "Statistical
/// methods related to the law of the iterated logarithm", Annals of Mathematical Statistics 41, 1970; with a mixture over points).
pub(crate) fn above(seen: Counts, limit: f64) -> f64 {
    mixture(seen, limit, |factor| factor)
}

/// Returns the bet against "the share is at least `limit`".
pub(crate) fn below(seen: Counts, limit: f64) -> f64 {
    mixture(seen, limit, |factor| 1.0 / factor)
}

fn mixture(seen: Counts, limit: f64, odds_factor: impl Fn(f64) -> f64) -> f64 {
    let (events, others) = (seen.events as f64, seen.trials.saturating_sub(seen.events) as f64);
    let logs = FACTORS.map(|factor| {
        let share = from_odds(odds(limit) * odds_factor(factor));
        events * (share / limit).ln() + others * ((1.0 - share) / (1.0 - limit)).ln()
    });
    ln_mean(&logs)
}

/// Returns an interval of a share that holds at all looks at once: the shares against which a bet on all others, spread by Jeffreys' prior,
/// has not won `1 / (1 - confidence)` coins. Robbins' beta-binomial mixture, as in S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon,
/// "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49 (2021).
pub fn share_interval(seen: Counts, confidence: f64) -> Interval {
    let (events, others) = (seen.events as f64, seen.trials.saturating_sub(seen.events) as f64);
    let Some(middle) = seen.share() else { return Interval { low: 0.0, high: 1.0, confidence } };
    let spread = ln_beta(events + 0.5, others + 0.5) - ln_beta(0.5, 0.5);
    let ln_power = |base: f64, power: f64| if power == 0.0 { 0.0 } else { power * base.ln() };
    let refuted = |share: f64| spread - ln_power(share, events) - ln_power(1.0 - share, others) >= -(1.0 - confidence).ln();
    // The bet grows on both sides of the share that was seen. The ends are on the side that is refuted.
    let end = |mut outside: f64| {
        let mut inside = middle;
        for _ in 0..60 {
            let between = f64::midpoint(inside, outside);
            if refuted(between) { outside = between } else { inside = between }
        }
        outside
    };
    Interval { low: end(0.0), high: end(1.0), confidence }
}
