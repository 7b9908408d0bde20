//! The rule for counts and rates, for one look: shares of trials, events in a time, and points that are mostly zero.
//!
//! A sample of mostly zeros has a median difference of zero whatever its other points do, so that a shift of location says "no
//! difference" to a service whose errors have multiplied. Such data is judged by how often it is not zero, and by ranks among the rest.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::rank::{self, Interval, NoRanks, RankTest};
use crate::sample::{self, BadCounts, Counts};
use crate::special::{beta_share, ln_choose, normal_cdf, normal_quantile};

/// Fewer trials on a side than this give no verdict, whatever came of them.
pub const TRIALS_MIN: u64 = 20;

/// From so many events on, the normal approximation is as good as the exact sum, which would take as many steps.
const EVENTS_EXACT_MAX: u64 = 2_000;

/// From such a share of zeros on, on either side, a sample is judged in two parts.
const ZEROS_MIN: f64 = 0.3;

/// Which test was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum CountMethod {
    /// R. A. Fisher's exact test: the events of both sides together are dealt out by chance.
    Fisher,
    /// The score test of two shares with their pooled variance and a continuity correction.
    Score,
    /// The exact test of two rates: of all events, each is the candidate's with the probability of its share of the time (J. Przyborowski,
    /// H. Wilenski, Biometrika 31, 1940).
    Conditional,
}

/// What a comparison of counts found.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct CountTest {
    /// Which test was used.
    pub method: CountMethod,
    /// The probability of so many events of the candidate, or more, if it is like stable.
    pub p_more: f64,
    /// The probability of so many events of the candidate, or fewer, if it is like stable.
    pub p_fewer: f64,
    /// For shares, candidate's less stable's. For rates, candidate's divided by stable's.
    pub estimate: f64,
    /// Its interval.
    pub interval: Interval,
}

/// Why counts cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoCounts {
    /// A side has too few trials.
    TooFew {
        /// Trials of the candidate.
        candidate: u64,
        /// Trials of stable.
        stable: u64,
    },
    /// A side was watched for no time, or for one that is no number.
    NoTime {
        /// As given, in the caller's unit.
        candidate: f64,
        /// As given, in the caller's unit.
        stable: f64,
    },
    /// The counts cannot be true.
    Bad(BadCounts),
}

impl core::fmt::Display for NoCounts {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooFew { candidate, stable } => write!(
                formatter,
                "a comparison of shares needs {TRIALS_MIN} trials on each side, found {candidate} of the candidate and {stable} of stable"
            ),
            Self::NoTime { candidate, stable } => {
                write!(
                    formatter,
                    "a rate needs a time above 0 on each side, found {candidate} for the candidate and {stable} for stable"
                )
            }
            Self::Bad(bad) => bad.fmt(formatter),
        }
    }
}

impl core::error::Error for NoCounts {}

/// Compares the shares of two sides, exactly where events are few. The interval of the difference is method 10 of R. G. Newcombe, Statistics
/// in Medicine 17 (1998), made of two of E. B. Wilson's.
///
/// # Errors
/// When the counts cannot be true, or a side has fewer than [`TRIALS_MIN`] trials.
pub fn compare_shares(candidate: Counts, stable: Counts, confidence: f64) -> Result<CountTest, NoCounts> {
    let (candidate, stable) = (candidate.checked().map_err(NoCounts::Bad)?, stable.checked().map_err(NoCounts::Bad)?);
    let (Some(c), Some(s)) = (candidate.share(), stable.share()) else {
        return Err(NoCounts::TooFew { candidate: candidate.trials, stable: stable.trials });
    };
    if candidate.trials < TRIALS_MIN || stable.trials < TRIALS_MIN {
        return Err(NoCounts::TooFew { candidate: candidate.trials, stable: stable.trials });
    }
    let both = candidate.and(stable);
    let rarer = both.events.min(both.trials - both.events);
    let (method, p_more, p_fewer) = if rarer <= EVENTS_EXACT_MAX {
        let (p_more, p_fewer) = fisher(candidate, stable);
        (CountMethod::Fisher, p_more, p_fewer)
    } else {
        let (p_more, p_fewer) = score(candidate, stable);
        (CountMethod::Score, p_more, p_fewer)
    };
    let (of_c, of_s) = (wilson(candidate, confidence), wilson(stable, confidence));
    let estimate = c - s;
    let interval = Interval {
        low: estimate - (c - of_c.low).hypot(of_s.high - s),
        high: estimate + (of_c.high - c).hypot(s - of_s.low),
        confidence,
    };
    Ok(CountTest { method, p_more, p_fewer, estimate, interval })
}

/// Compares events per time of two sides, always exactly. The interval of the ratio is C. J. Clopper's and E. S. Pearson's for the
/// candidate's share of the events.
///
/// # Errors
/// When a time is not above 0.
pub fn compare_rates(candidate: (u64, f64), stable: (u64, f64), confidence: f64) -> Result<CountTest, NoCounts> {
    let usable = |time: f64| time.is_finite() && time > 0.0;
    if !usable(candidate.1) || !usable(stable.1) {
        return Err(NoCounts::NoTime { candidate: candidate.1, stable: stable.1 });
    }
    let (x, y) = (candidate.0 as f64, stable.0 as f64);
    let share = candidate.1 / (candidate.1 + stable.1);
    let tail = (1.0 - confidence) / 2.0;
    let to_ratio = |share: f64| share / (1.0 - share) * (stable.1 / candidate.1);
    let low = solve(|share| beta_share(x, y + 1.0, share) >= tail);
    let high = solve(|share| beta_share(x + 1.0, y, share) >= 1.0 - tail);
    let low = if candidate.0 == 0 { 0.0 } else { to_ratio(low) };
    let high = if stable.0 == 0 { f64::INFINITY } else { to_ratio(high) };
    Ok(CountTest {
        method: CountMethod::Conditional,
        p_more: beta_share(x, y + 1.0, share),
        p_fewer: 1.0 - beta_share(x + 1.0, y, share),
        estimate: (x / candidate.1) / (y / stable.1),
        interval: Interval { low, high, confidence },
    })
}

/// What a comparison in two parts found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoParts {
    /// How often the points are not zero.
    pub occurrence: CountTest,
    /// How large they are then; an error where too few are not zero.
    pub size: Result<RankTest, NoRanks>,
    /// The probability, in either direction, of the less likely of the two, corrected for there being two.
    pub p: f64,
}

/// Says whether so many of the points are zero on a side that a shift of location would say nothing.
pub fn mostly_zero(candidate: &[f64], stable: &[f64]) -> bool {
    let zeros = |values: &[f64]| {
        let finite = values.iter().filter(|value| value.is_finite()).count();
        let zero = values.iter().filter(|value| **value == 0.0).count();
        finite > 0 && zero as f64 / finite as f64 >= ZEROS_MIN
    };
    zeros(candidate) || zeros(stable)
}

/// Compares samples that are mostly zero: how often a point is not zero, and by ranks how large those are.
///
/// # Errors
/// When a side has fewer than [`TRIALS_MIN`] finite points.
pub fn compare_in_two_parts(candidate: &[f64], stable: &[f64], confidence: f64) -> Result<TwoParts, NoCounts> {
    let split = |values: &[f64]| {
        let finite = sample::sorted(values);
        let others: Vec<f64> = finite.iter().copied().filter(|value| *value != 0.0).collect();
        (Counts { events: others.len() as u64, trials: finite.len() as u64 }, others)
    };
    let ((c, of_c), (s, of_s)) = (split(candidate), split(stable));
    let occurrence = compare_shares(c, s, confidence)?;
    let size = rank::compare(&of_c, &of_s, confidence);
    let of_occurrence = (2.0 * occurrence.p_more.min(occurrence.p_fewer)).min(1.0);
    let p = match &size {
        Ok(size) => (2.0 * of_occurrence.min(size.p)).min(1.0),
        Err(_) => of_occurrence,
    };
    Ok(TwoParts { occurrence, size, p })
}

/// Returns Wilson's interval of a share; all of [0, 1] without trials.
pub fn wilson(counts: Counts, confidence: f64) -> Interval {
    let Some(share) = counts.share() else { return Interval { low: 0.0, high: 1.0, confidence } };
    let n = counts.trials as f64;
    let z = normal_quantile(f64::midpoint(1.0, confidence));
    let widened = 1.0 + z * z / n;
    let middle = (share + z * z / (2.0 * n)) / widened;
    let reach = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt() / widened;
    // At the ends the formula gives 0 or 1 but for rounding.
    let low = if counts.events == 0 { 0.0 } else { (middle - reach).max(0.0) };
    let high = if counts.events == counts.trials { 1.0 } else { (middle + reach).min(1.0) };
    Interval { low, high, confidence }
}

/// Sums the hypergeometric probabilities from the candidate's events up, and from there down.
fn fisher(candidate: Counts, stable: Counts) -> (f64, f64) {
    let both = candidate.and(stable);
    let least = both.events.saturating_sub(stable.trials);
    let most = both.events.min(candidate.trials);
    let (n, m, k) = (candidate.trials as f64, stable.trials as f64, both.events as f64);
    let whole = ln_choose(n + m, k);
    let probability = |x: u64| (ln_choose(n, x as f64) + ln_choose(m, k - x as f64) - whole).exp();
    // Without the smaller tail computed by itself, 1 - p would have no digits left.
    let more: f64 = (candidate.events..=most).map(probability).sum();
    let fewer: f64 = (least..=candidate.events).map(probability).sum();
    (more.min(1.0), fewer.min(1.0))
}

fn score(candidate: Counts, stable: Counts) -> (f64, f64) {
    let (n, m) = (candidate.trials as f64, stable.trials as f64);
    let pooled = (candidate.events + stable.events) as f64 / (n + m);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    let difference = candidate.events as f64 / n - stable.events as f64 / m;
    let correction = f64::midpoint(1.0 / n, 1.0 / m);
    (normal_cdf(-(difference - correction) / deviation), normal_cdf((difference + correction) / deviation))
}

/// Returns the least share in [0, 1] at which a condition that stays true begins to hold.
fn solve(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // Each step gives one bit.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}
