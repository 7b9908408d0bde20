//! What comes in from outside, and what of it can be used: points that may be NaN, counters that may start again.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Points that can be computed with, in the order in which they came, and how many could not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    /// The finite ones.
    pub values: Vec<f64>,
    /// How many were NaN: the source had nothing to say there.
    pub missing: usize,
    /// How many were infinite: the source divided by zero.
    pub infinite: usize,
}

impl Points {
    /// Returns the points of a source, sorted out.
    pub fn sort_out(raw: &[f64]) -> Self {
        Self {
            values: raw.iter().copied().filter(|value| value.is_finite()).collect(),
            missing: raw.iter().filter(|value| value.is_nan()).count(),
            infinite: raw.iter().filter(|value| value.is_infinite()).count(),
        }
    }

    /// Returns what was left out, as the end of a sentence; empty where nothing was.
    pub fn left_out(&self) -> String {
        match (self.missing, self.infinite) {
            (0, 0) => String::new(),
            (missing, 0) => format!("; {missing} missing points left out"),
            (0, infinite) => format!("; {infinite} infinite points left out"),
            (missing, infinite) => format!("; {missing} missing and {infinite} infinite points left out"),
        }
    }
}

/// More trials than this do not come between two looks: it is a counter's reading, or a mistake.
pub const TRIALS_MAX: u64 = 1_000_000_000_000;

/// So many trials, and so many of them with the event that is counted (an error, a slow answer).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Counts {
    /// How many had the event; at most `trials`.
    pub events: u64,
    /// How many there were.
    pub trials: u64,
}

impl Counts {
    /// Returns counts from numbers of a source that knows no whole numbers.
    ///
    /// # Errors
    /// When a number is NaN, infinite or negative, or when more events than trials are claimed.
    pub fn from_numbers(events: f64, trials: f64) -> Result<Self, BadCounts> {
        if !events.is_finite() || !trials.is_finite() {
            return Err(BadCounts::NotFinite { events, trials });
        }
        if events < 0.0 || trials < 0.0 {
            return Err(BadCounts::Negative { events, trials });
        }
        let counts = Self { events: events.round() as u64, trials: trials.round() as u64 };
        counts.checked()
    }

    /// Returns the counts if they can be true.
    ///
    /// # Errors
    /// When there are more events than trials, or more trials than [`TRIALS_MAX`].
    pub const fn checked(self) -> Result<Self, BadCounts> {
        if self.trials > TRIALS_MAX {
            return Err(BadCounts::TooMany { trials: self.trials });
        }
        if self.events > self.trials {
            return Err(BadCounts::MoreEventsThanTrials { events: self.events, trials: self.trials });
        }
        Ok(self)
    }

    /// Returns the share of the trials that had the event; `None` without trials.
    pub fn share(self) -> Option<f64> {
        (self.trials > 0).then(|| self.events as f64 / self.trials as f64)
    }

    /// Takes what can be true, for a caller that did not ask [`Counts::checked`].
    pub(crate) fn bounded(self) -> Self {
        let trials = self.trials.min(TRIALS_MAX);
        Self { events: self.events.min(trials), trials }
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self { events: self.events.saturating_add(other.events), trials: self.trials.saturating_add(other.trials) }
    }
}

/// Why counts cannot be used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BadCounts {
    /// NaN or infinity.
    NotFinite {
        /// As given.
        events: f64,
        /// As given.
        trials: f64,
    },
    /// Below zero: no count of anything.
    Negative {
        /// As given.
        events: f64,
        /// As given.
        trials: f64,
    },
    /// More trials than [`TRIALS_MAX`].
    TooMany {
        /// As given.
        trials: u64,
    },
    /// Two sources that do not count the same thing, or not at the same moment.
    MoreEventsThanTrials {
        /// As given.
        events: u64,
        /// As given.
        trials: u64,
    },
}

impl core::fmt::Display for BadCounts {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotFinite { events, trials } => {
                write!(formatter, "counts must be finite, found {events} events of {trials} trials")
            }
            Self::Negative { events, trials } => {
                write!(formatter, "counts must not be negative, found {events} events of {trials} trials")
            }
            Self::TooMany { trials } => {
                write!(
                    formatter,
                    "found {trials} trials, at most {TRIALS_MAX} can come between two looks; give what was added since the last look"
                )
            }
            Self::MoreEventsThanTrials { events, trials } => {
                write!(
                    formatter,
                    "found {events} events among {trials} trials; both must count the same requests at the same moment"
                )
            }
        }
    }
}

impl core::error::Error for BadCounts {}

/// Turns readings of a counter that only grows into what was added between them, through restarts of the process that counts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Counter {
    last: Option<f64>,
    resets: u64,
}

impl Counter {
    /// Takes a reading and returns what was added since the last one: nothing at the first reading and for a reading that is no count.
    /// A reading below the last one means that counting began again at zero, as in Prometheus: all of it is new.
    pub fn read(&mut self, reading: f64) -> u64 {
        if !reading.is_finite() || reading < 0.0 {
            return 0;
        }
        let added = match self.last {
            None => 0.0,
            Some(last) if reading < last => {
                self.resets += 1;
                reading
            }
            Some(last) => reading - last,
        };
        self.last = Some(reading);
        added.round() as u64
    }

    /// Returns how often counting began again.
    pub const fn resets(&self) -> u64 {
        self.resets
    }
}

/// Returns the percentile of sorted values, `share` in [0, 1], by linear interpolation between the two nearest ranks.
///
/// This is definition 7 of R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996).
/// `None` for no values.
pub fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = last as f64 * share.clamp(0.0, 1.0);
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (place - below as f64) * (sorted[above] - sorted[below]))
}

/// Returns the finite values in growing order.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Returns the mean; `None` for no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
