//! The rules of Netflix' and Google's judge Kayenta (`NetflixACAJudge-v1.0`), for those who move from it and want the verdicts they know.
//!
//! It is reproduced as it is, also where it fails open (its README chapter in this crate lists where). Towpath's own policy is
//! [`crate::monitor`].

mod prepare;
mod score;
mod shift;
mod zeroin;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

pub use prepare::{
    Missing, Outliers, Summary, cohen_d, mean_ratio, outliers_by_deviation, outliers_by_quartiles, without_missing,
    without_outliers,
};
pub use score::{GroupScore, Score, ScoreVerdict, Scored, classify_run, classify_score, score};
pub use shift::{Shift, Shifted};

use crate::rank;

/// What the judge calls a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Label {
    /// No difference that counts.
    Pass,
    /// The experiment is higher.
    High,
    /// The experiment is lower.
    Low,
    /// A side has no points.
    NoData,
    /// A side has no points, and the metric must have some.
    NoDataFail,
    /// The statistics could not be computed. The judge leaves such a metric out of the score.
    Error,
}

/// Which differences count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Direction {
    /// Higher is bad.
    Increase,
    /// Lower is bad.
    Decrease,
    /// Both are bad.
    #[default]
    Either,
}

/// How large a difference is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Effect {
    /// The ratio of the means.
    #[default]
    MeanRatio,
    /// The share of pairs in which the experiment is the greater one.
    CommonLanguage,
}

/// How a metric is classified.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Classifier {
    /// The fence: so much of the estimated shift around 0. The judge has 0.25 and lets nobody change it.
    pub tolerance: f64,
    /// The confidence of the interval. The judge has 0.98 and lets nobody change it.
    pub confidence: f64,
    /// Which measure the thresholds mean.
    pub effect: Effect,
    /// Effects between (decrease, increase) are no difference.
    pub allowed: (f64, f64),
    /// Effects outside of (decrease, increase) are critical, for a critical metric.
    pub critical_beyond: (f64, f64),
    /// Which differences count.
    pub direction: Direction,
    /// What becomes of missing points.
    pub missing: Missing,
    /// What becomes of outliers.
    pub outliers: Outliers,
    /// Whether it fails the whole run when it does not pass.
    pub critical: bool,
    /// Whether having no data is a failure of the metric.
    pub must_have_data: bool,
}

impl Default for Classifier {
    fn default() -> Self {
        Self {
            tolerance: 0.25,
            confidence: 0.98,
            effect: Effect::MeanRatio,
            allowed: (1.0, 1.0),
            critical_beyond: (1.0, 1.0),
            direction: Direction::Either,
            missing: Missing::Remove,
            outliers: Outliers::Keep,
            critical: false,
            must_have_data: false,
        }
    }
}

/// How a metric was classified.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Classification {
    /// The label.
    pub label: Label,
    /// Whether it fails the whole run.
    pub critical: bool,
    /// The ratio of the means; NaN where one is 0, 1 where nothing was compared.
    pub deviation: f64,
    /// The shift that was found; `None` where nothing was compared.
    pub shift: Option<Shift>,
    /// One sentence.
    pub reason: String,
}

impl Classifier {
    /// Classifies an experiment against its control.
    pub fn classify(&self, experiment: &[f64], control: &[f64]) -> Classification {
        let experiment = without_outliers(&without_missing(experiment, self.missing), self.outliers);
        let control = without_outliers(&without_missing(control, self.missing), self.outliers);
        if experiment.is_empty() || control.is_empty() {
            return self.no_data(&experiment, &control);
        }
        let in_order = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        let (e, c) = (in_order(&experiment), in_order(&control));
        if e == c {
            return plain(Label::Pass, "both sides have the same points");
        }
        if e[0] == e[e.len() - 1] && c[0] == c[c.len() - 1] && e[0] == c[0] {
            return plain(Label::Pass, "all points of both sides have one value");
        }
        match Shifted::new(&e, &c).and_then(|samples| samples.solve(self.confidence)) {
            None => plain(Label::Error, "the interval of the shift cannot be computed"),
            Some(shift) => self.judge(&e, &c, shift),
        }
    }

    /// Compares means and nothing else: the judge keeps it as a yardstick.
    pub fn classify_means(&self, experiment: &[f64], control: &[f64]) -> Classification {
        let (e, c) = (without_missing(experiment, self.missing), without_missing(control, self.missing));
        if e.is_empty() || c.is_empty() {
            return self.no_data(&e, &c);
        }
        let (experiment, control) = (Summary::of(&e).mean, Summary::of(&c).mean);
        let label = self.in_direction(experiment > control, experiment < control);
        let deviation = if label == Label::Pass { 1.0 } else { experiment / control };
        let critical = self.critical && label != Label::Pass;
        Classification { label, critical, deviation, shift: None, reason: format!("mean {experiment} against {control}") }
    }

    fn judge(&self, experiment: &[f64], control: &[f64], shift: Shift) -> Classification {
        let deviation = mean_ratio(experiment, control);
        let effect = match self.effect {
            Effect::MeanRatio => deviation,
            Effect::CommonLanguage => rank::greater_share(experiment, control).unwrap_or(f64::NAN),
        };
        // An effect that cannot be computed is not asked.
        let at_least = |limit: f64| effect.is_nan() || effect >= limit;
        let at_most = |limit: f64| effect.is_nan() || effect <= limit;
        let fence = self.tolerance * shift.estimate.abs();
        let label = self.in_direction(
            shift.interval.low > fence && at_least(self.allowed.1),
            shift.interval.high < -fence && at_most(self.allowed.0),
        );
        let beyond = match label {
            Label::High => at_least(self.critical_beyond.1),
            Label::Low => at_most(self.critical_beyond.0),
            Label::Pass | Label::NoData | Label::NoDataFail | Label::Error => false,
        };
        let reason = format!(
            "shift {} between {} and {} at confidence {}, fence {fence}, effect {effect}",
            shift.estimate, shift.interval.low, shift.interval.high, self.confidence
        );
        Classification { label, critical: self.critical && beyond, deviation, shift: Some(shift), reason }
    }

    fn in_direction(&self, high: bool, low: bool) -> Label {
        if high && self.direction != Direction::Decrease {
            Label::High
        } else if low && self.direction != Direction::Increase {
            Label::Low
        } else {
            Label::Pass
        }
    }

    fn no_data(&self, experiment: &[f64], control: &[f64]) -> Classification {
        let found = format!("{} points of the experiment and {} of the control", experiment.len(), control.len());
        match self.missing {
            Missing::Replace => plain(Label::Pass, &format!("{found}; the rule for missing points makes that a pass")),
            Missing::Remove if self.must_have_data && !self.critical => plain(Label::NoDataFail, &found),
            Missing::Remove => Classification { critical: self.critical, ..plain(Label::NoData, &found) },
        }
    }
}

fn plain(label: Label, reason: &str) -> Classification {
    Classification { label, critical: false, deviation: 1.0, shift: None, reason: reason.to_owned() }
}
