//! Kayenta's Mann-Whitney interval: R's `wilcox.test(exact = FALSE, conf.int = TRUE)`, by root finding.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::zeroin;
use crate::rank::{Interval, deviation, wins};
use crate::sample;
use crate::special::normal_quantile;

/// The estimate of the shift and its interval, as the judge sees them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Shift {
    /// The Hodges-Lehmann estimate, with the root finder's residue.
    pub estimate: f64,
    /// The interval, likewise.
    pub interval: Interval,
}

/// Two samples, sorted.
#[derive(Debug, Clone)]
pub struct Shifted {
    experiment: Vec<f64>,
    control: Vec<f64>,
}

impl Shifted {
    /// Takes two samples; `None` where a side has no points.
    pub fn new(experiment: &[f64], control: &[f64]) -> Option<Self> {
        let (experiment, control) = (sample::sorted(experiment), sample::sorted(control));
        (!experiment.is_empty() && !control.is_empty()).then_some(Self { experiment, control })
    }

    /// Returns the standardised statistic after `shift` is taken from the experiment, less `quantile`; `None` when all points are tied.
    pub fn statistic(&self, shift: f64, quantile: f64) -> Option<f64> {
        let moved: Vec<f64> = self.experiment.iter().map(|value| value - shift).collect();
        let centred = wins(&moved, &self.control) - (moved.len() * self.control.len()) as f64 / 2.0;
        let deviation = deviation(&moved, &self.control, true);
        let correction = if centred == 0.0 { 0.0 } else { 0.5_f64.copysign(centred) };
        (deviation > 0.0).then(|| (centred - correction) / deviation - quantile)
    }

    /// Returns the least and the greatest shift that the samples allow.
    pub fn range(&self) -> (f64, f64) {
        let (x, y) = (&self.experiment, &self.control);
        (x[0] - y[y.len() - 1], x[x.len() - 1] - y[0])
    }

    /// Returns the estimate and its interval; `None` where the statistic cannot be computed, for which the judge throws.
    ///
    /// Two different constants have one possible shift. The judge adds noise of 1e-5 of their size to come to the same; we do not.
    pub fn solve(&self, confidence: f64) -> Option<Shift> {
        let (least, greatest) = self.range();
        if least == greatest && self.constant() {
            return (least != 0.0)
                .then_some(Shift { estimate: least, interval: Interval { low: least, high: greatest, confidence } });
        }
        let quantile = normal_quantile((1.0 - confidence) / 2.0);
        let limit = |quantile: f64| {
            let (at_least, at_greatest) = (self.statistic(least, quantile)?, self.statistic(greatest, quantile)?);
            Some(if at_least <= 0.0 {
                least
            } else if at_greatest >= 0.0 {
                greatest
            } else {
                self.crossing(quantile)
            })
        };
        let interval = Interval { low: limit(-quantile)?, high: limit(quantile)?, confidence };
        Some(Shift { estimate: self.crossing(0.0), interval })
    }

    fn constant(&self) -> bool {
        let constant = |values: &[f64]| values[0] == values[values.len() - 1];
        constant(&self.experiment) && constant(&self.control)
    }

    fn crossing(&self, quantile: f64) -> f64 {
        let (least, greatest) = self.range();
        // In between, all points can be tied only if both sides are constant, which has its own answer.
        zeroin::root(|shift| self.statistic(shift, quantile).unwrap_or(0.0), least, greatest)
    }
}
