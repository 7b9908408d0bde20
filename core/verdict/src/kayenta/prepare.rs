//! What Kayenta does to points before it compares them: missing ones, outliers, descriptions.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::sample;

/// What becomes of missing points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Missing {
    /// They are left out, and no data is "no data".
    #[default]
    Remove,
    /// They count as 0, and no data passes: for counters of rare events.
    Replace,
}

/// What becomes of outliers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Outliers {
    /// They stay.
    #[default]
    Keep,
    /// What lies outside of the fences at so many interquartile ranges, widened to the first and last per cent, is left out.
    Remove {
        /// Kayenta's default is 3.
        factor: f64,
    },
}

/// Min, max, mean, standard deviation of a sample, count; all 0 for no points.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Summary {
    /// The least point.
    pub min: f64,
    /// The greatest point.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation with n - 1 in the denominator; 0 for one point.
    pub deviation: f64,
    /// How many points.
    pub count: usize,
}

impl Summary {
    /// Describes points that are not NaN.
    pub fn of(values: &[f64]) -> Self {
        let Some(mean) = sample::mean(values) else { return Self::default() };
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let deviation = if values.len() > 1 { (squares / (values.len() - 1) as f64).sqrt() } else { 0.0 };
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { min, max, mean, deviation, count: values.len() }
    }
}

/// Applies the rule for missing points.
pub fn without_missing(values: &[f64], rule: Missing) -> Vec<f64> {
    match rule {
        Missing::Remove => values.iter().copied().filter(|value| !value.is_nan()).collect(),
        Missing::Replace => values.iter().map(|value| if value.is_nan() { 0.0 } else { *value }).collect(),
    }
}

/// Says of each point whether it is further than `k` standard deviations from the mean.
pub fn outliers_by_deviation(values: &[f64], k: f64) -> Vec<bool> {
    let summary = Summary::of(values);
    values.iter().map(|value| (value - summary.mean).abs() > summary.deviation * k).collect()
}

/// Says of each point whether it lies outside of the fences: so many interquartile ranges beyond the quartiles, and with `widened` not
/// before the first or last per cent.
pub fn outliers_by_quartiles(values: &[f64], factor: f64, widened: bool) -> Vec<bool> {
    let ordered = sample::sorted(values);
    let at = |share| sample::percentile(&ordered, share).unwrap_or(0.0);
    let (lower, upper) = (at(0.25), at(0.75));
    let reach = factor * (upper - lower);
    let mut fences = (lower - reach, upper + reach);
    if widened {
        fences = (fences.0.min(at(0.01)), fences.1.max(at(0.99)));
    }
    values.iter().map(|value| *value < fences.0 || *value > fences.1).collect()
}

/// Applies the rule for outliers.
pub fn without_outliers(values: &[f64], rule: Outliers) -> Vec<f64> {
    match rule {
        Outliers::Keep => values.to_vec(),
        Outliers::Remove { factor } => {
            let outside = outliers_by_quartiles(values, factor, true);
            values.iter().zip(outside).filter(|(_, outside)| !outside).map(|(value, _)| *value).collect()
        }
    }
}

/// Returns Cohen's d with the pooled standard deviation.
pub fn cohen_d(experiment: &[f64], control: &[f64]) -> f64 {
    let (e, c) = (Summary::of(experiment), Summary::of(control));
    let squares = (e.count as f64 - 1.0) * e.deviation * e.deviation + (c.count as f64 - 1.0) * c.deviation * c.deviation;
    (e.mean - c.mean).abs() / (squares / (e.count as f64 + c.count as f64 - 2.0)).sqrt()
}

/// Returns the ratio of the means, experiment to control; NaN where one of them is 0, as the judge has it.
pub fn mean_ratio(experiment: &[f64], control: &[f64]) -> f64 {
    let (experiment, control) = (Summary::of(experiment).mean, Summary::of(control).mean);
    if experiment == 0.0 || control == 0.0 { f64::NAN } else { experiment / control }
}
