//! A verdict from one look at two samples: the test is picked by what the data is, and the answer has its numbers and its sentence.
//!
//! For data that comes once (a load test, a report of a finished window). Whoever looks again and again needs [`crate::monitor`]: the errors of
//! tests like these add up over looks.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::counts::{self, CountMethod};
use crate::monitor::Conclusion;
use crate::rank::{self, Interval};
use crate::sample::{Counts, Points, percentile, sorted};
use crate::text::{percent, short, whole};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Rule {
    /// The confidence of the interval, in (0, 1). What it does not hold is believed, so that a false alarm has half of what is left to 1.
    pub confidence: f64,
    /// For points: so much of stable's median is no difference. For shares: so much of all trials is none.
    pub tolerance: f64,
    /// Fewer points on a side give no verdict.
    pub points_min: usize,
    /// Whether lower is the bad direction.
    pub lower_is_bad: bool,
}

impl Default for Rule {
    fn default() -> Self {
        Self { confidence: 0.98, tolerance: 0.1, points_min: 20, lower_is_bad: false }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Compared {
    /// What is known.
    pub conclusion: Conclusion,
    /// The test, in words; empty where none was made.
    pub test: String,
    /// The candidate's median or share; `None` without data.
    pub candidate: Option<f64>,
    /// Stable's median or share; `None` without data.
    pub stable: Option<f64>,
    /// Points or trials of the candidate.
    pub candidate_size: u64,
    /// Points or trials of stable.
    pub stable_size: u64,
    /// The interval of the difference, candidate's less stable's; `None` where none was computed.
    pub interval: Option<Interval>,
    /// One sentence.
    pub sentence: String,
}

/// Compares points. Where many are zero, how often they are not is compared in place of a shift; the tolerance is then a share.
pub fn points(name: &str, candidate: &[f64], stable: &[f64], rule: &Rule) -> Compared {
    let (c, s) = (Points::sort_out(candidate), Points::sort_out(stable));
    let (of_candidate, of_stable) = (middle(&c), middle(&s));
    let mut compared = Compared {
        conclusion: Conclusion::NoData,
        test: String::new(),
        candidate: of_candidate,
        stable: of_stable,
        candidate_size: c.values.len() as u64,
        stable_size: s.values.len() as u64,
        interval: None,
        sentence: String::new(),
    };
    let words = if let (Some(of_candidate), Some(of_stable)) = (of_candidate, of_stable) {
        if c.values.len().min(s.values.len()) < rule.points_min.max(rank::POINTS_MIN) {
            compared.conclusion = Conclusion::Undecided;
            let (found, needed) = (c.values.len().min(s.values.len()), rule.points_min.max(rank::POINTS_MIN));
            format!(
                "candidate {name} has {}, stable {}: {found} on a side is too few, {needed} are needed",
                c.values.len(),
                s.values.len()
            )
        } else if counts::mostly_zero(&c.values, &s.values) {
            compare_occurrence(name, &c.values, &s.values, rule, &mut compared)
        } else {
            compare_ranks(name, (&c.values, of_candidate), (&s.values, of_stable), rule, &mut compared)
        }
    } else {
        nothing(name, c.values.is_empty())
    };
    let left_out = Points { values: Vec::new(), missing: c.missing + s.missing, infinite: c.infinite + s.infinite }.left_out();
    compared.sentence = format!("{words}{left_out}");
    compared
}

/// Compares shares.
pub fn shares(name: &str, candidate: Counts, stable: Counts, rule: &Rule) -> Compared {
    let mut compared = Compared {
        conclusion: Conclusion::NoData,
        test: String::new(),
        candidate: candidate.share(),
        stable: stable.share(),
        candidate_size: candidate.trials,
        stable_size: stable.trials,
        interval: None,
        sentence: String::new(),
    };
    compared.sentence = if candidate.trials == 0 || stable.trials == 0 {
        nothing(name, candidate.trials == 0)
    } else {
        compare_counts(name, candidate, stable, rule, &mut compared)
    };
    compared
}

fn middle(points: &Points) -> Option<f64> {
    percentile(&sorted(&points.values), 0.5)
}

fn nothing(name: &str, of_candidate: bool) -> String {
    if of_candidate {
        format!("no {name} of the candidate: no data is not healthy")
    } else {
        format!("no {name} of stable: nothing to compare with")
    }
}

/// Where an interval lies: beyond what is tolerated, within it, or across.
fn conclude(interval: Interval, tolerated: f64, lower_is_bad: bool) -> Conclusion {
    let (low, high) = if lower_is_bad { (-interval.high, -interval.low) } else { (interval.low, interval.high) };
    if low > tolerated {
        Conclusion::Worse
    } else if high <= tolerated {
        Conclusion::Good
    } else {
        Conclusion::Undecided
    }
}

const fn certainty(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Worse => "certain enough",
        Conclusion::Good => "good enough, and certain enough",
        Conclusion::Undecided | Conclusion::NoData => "not certain",
    }
}

fn compare_ranks(name: &str, candidate: (&[f64], f64), stable: (&[f64], f64), rule: &Rule, compared: &mut Compared) -> String {
    let sides = format!(
        "candidate {name} {} ({} points) against stable {} ({} points)",
        short(candidate.1),
        whole(candidate.0.len() as u64),
        short(stable.1),
        whole(stable.0.len() as u64)
    );
    match rank::compare(candidate.0, stable.0, rule.confidence) {
        Ok(found) => {
            "Mann-Whitney, Hodges-Lehmann interval of the shift".clone_into(&mut compared.test);
            compared.interval = Some(found.interval);
            compared.conclusion = conclude(found.interval, rule.tolerance * stable.1.abs(), rule.lower_is_bad);
            let interval = format!("{} to {}", short(found.interval.low), short(found.interval.high));
            format!("{sides}, shifted by {} ({interval}): {}", short(found.shift), certainty(compared.conclusion))
        }
        // There are points enough, so that all of them are equal.
        Err(_) => {
            compared.conclusion = Conclusion::Good;
            format!("{sides}, all of them equal: good enough")
        }
    }
}

/// Compares how often points are not zero, and by ranks how large the others are; either may be what is worse.
fn compare_occurrence(name: &str, candidate: &[f64], stable: &[f64], rule: &Rule, compared: &mut Compared) -> String {
    let others = |values: &[f64]| values.iter().copied().filter(|value| *value != 0.0).collect::<Vec<f64>>();
    let (c, s) = (others(candidate), others(stable));
    let of = |others: &[f64], all: &[f64]| Counts { events: others.len() as u64, trials: all.len() as u64 };
    let half = Rule { confidence: f64::midpoint(1.0, rule.confidence), ..*rule };
    let occurrence = compare_counts(&format!("{name} above zero"), of(&c, candidate), of(&s, stable), &half, compared);
    if compared.conclusion == Conclusion::Worse {
        return occurrence;
    }
    let middles = (percentile(&sorted(&c), 0.5), percentile(&sorted(&s), 0.5));
    let (Some(of_c), Some(of_s)) = middles else { return occurrence };
    let mut size = compared.clone();
    let words = compare_ranks(&format!("{name} where it is not zero"), (&c, of_c), (&s, of_s), &half, &mut size);
    if c.len().min(s.len()) >= rank::POINTS_MIN && size.conclusion == Conclusion::Worse {
        *compared = size;
        return words;
    }
    occurrence
}

fn compare_counts(name: &str, candidate: Counts, stable: Counts, rule: &Rule, compared: &mut Compared) -> String {
    let words = |counts: Counts| {
        format!("{} ({} of {})", percent(counts.share().unwrap_or(0.0)), whole(counts.events), whole(counts.trials))
    };
    let sides = format!("candidate {name} {} against stable {}", words(candidate), words(stable));
    match counts::compare_shares(candidate, stable, rule.confidence) {
        Ok(found) => {
            match found.method {
                CountMethod::Fisher => "Fisher's exact test, Newcombe's interval of the difference",
                CountMethod::Score | CountMethod::Conditional => "score test, Newcombe's interval of the difference",
            }
            .clone_into(&mut compared.test);
            compared.interval = Some(found.interval);
            compared.conclusion = conclude(found.interval, rule.tolerance, rule.lower_is_bad);
            // The interval is approximate; what it says against the candidate must hold exactly.
            let p = if rule.lower_is_bad { found.p_fewer } else { found.p_more };
            if compared.conclusion == Conclusion::Worse && p > (1.0 - rule.confidence) / 2.0 {
                compared.conclusion = Conclusion::Undecided;
            }
            format!("{sides}: {}", certainty(compared.conclusion))
        }
        Err(error) => {
            compared.conclusion = Conclusion::Undecided;
            format!("{sides}: {error}")
        }
    }
}
