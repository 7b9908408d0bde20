//! What was learnt in one hour of the week: mean and spread of its minutes, in which old weeks fade.
//!
//! The mean and the sum of squared deviations are updated value by value with weights, by the recurrences of D. H. D. West, "Updating mean
//! and variance estimates: an improved method", Communications of the ACM 22 (1979), which lose no digits where values are large and
//! alike. Before a value of a later week is taken, all weights so far are halved once for every half-life that has passed. The variance
//! is the unbiased one for weights that say how much a value is worth: S / (W - W₂/W), where S is the weighted sum of squared
//! deviations, W the sum of weights and W₂ the sum of their squares.

use crate::limits::HALF_LIFE_WEEKS;

/// What was learnt in an hour of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Hour {
    /// The week in which it was learnt last: see [`crate::usual::week`].
    pub(crate) week: i64,
    /// The sum of weights: how many minutes, older ones in part.
    pub(crate) weight: f64,
    /// The sum of squared weights.
    pub(crate) squared_weight: f64,
    /// The mean.
    pub(crate) mean: f64,
    /// The weighted sum of squared deviations from it.
    pub(crate) deviations: f64,
}

impl Hour {
    /// Learns a value that is worth so many minutes.
    pub(crate) fn learn(&mut self, value: f64, minutes: f64, week: i64) {
        *self = self.faded(week);
        let weight = self.weight + minutes;
        let away = value - self.mean;
        let moved = away * minutes / weight;
        self.mean += moved;
        self.deviations += self.weight * away * moved;
        self.weight = weight;
        self.squared_weight += minutes * minutes;
    }

    /// Returns what is left of it in a later week. In an earlier one nothing has faded.
    pub(crate) fn faded(&self, week: i64) -> Self {
        let weeks = (week - self.week).max(0) as f64;
        let left = (-weeks / HALF_LIFE_WEEKS).exp2();
        Self {
            week: self.week.max(week),
            weight: self.weight * left,
            squared_weight: self.squared_weight * left * left,
            mean: self.mean,
            deviations: self.deviations * left,
        }
    }

    /// Returns the standard deviation of a minute; 0 where there was only one.
    pub(crate) fn deviation(&self) -> f64 {
        let free = self.weight - self.squared_weight / self.weight;
        // With one value, nothing but rounding is left.
        if free > 1e-9 * self.weight { (self.deviations.max(0.0) / free).sqrt() } else { 0.0 }
    }

    /// Returns whether anything is known.
    pub(crate) fn is_known(&self) -> bool {
        self.weight > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
    }

    #[test]
    fn within_a_week_it_is_the_plain_mean_and_deviation() {
        let mut hour = Hour::default();
        [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].iter().for_each(|value| hour.learn(*value, 1.0, 0));
        near(hour.mean, 5.0);
        near(hour.deviation(), (32.0_f64 / 7.0).sqrt());
        near(hour.weight, 8.0);
    }

    #[test]
    fn large_values_that_are_alike_keep_their_spread() {
        let mut hour = Hour::default();
        [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0].iter().for_each(|value| hour.learn(*value, 1.0, 0));
        near(hour.deviation(), 30.0_f64.sqrt());
    }

    #[test]
    fn one_value_has_no_spread() {
        let mut hour = Hour::default();
        hour.learn(3.7, 1.0, 5);
        near(hour.mean, 3.7);
        near(hour.deviation(), 0.0);
        near(hour.faded(50).deviation(), 0.0);
    }

    #[test]
    fn after_a_half_life_a_week_counts_half() {
        let mut hour = Hour::default();
        hour.learn(1.0, 60.0, 0);
        hour.learn(4.0, 60.0, 4);
        near(hour.weight, 90.0);
        near(hour.mean, (30.0 * 1.0 + 60.0 * 4.0) / 90.0);
        let (w, squared) = (90.0, 30.0 * 30.0 + 60.0 * 60.0);
        let deviations = 30.0 * (1.0 - hour.mean).powi(2) + 60.0 * (4.0 - hour.mean).powi(2);
        near(hour.deviation(), (deviations / (w - squared / w)).sqrt());
    }

    #[test]
    fn a_level_that_lasts_is_learnt_in_weeks() {
        let mut hour = Hour::default();
        (0..8).for_each(|week| (0..60).for_each(|_| hour.learn(1.0, 1.0, week)));
        (8..16).for_each(|week| (0..60).for_each(|_| hour.learn(2.0, 1.0, week)));
        assert!((1.75..1.85).contains(&hour.mean), "{}", hour.mean);
    }
}
