//! What is known of a metric, as numbers and as a sentence.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Conclusion, Outcome, Policy, Role, Test, Watched};
use crate::rank::Interval;
use crate::sample::Counts;
use crate::sequential::{SharesTest, needed, share_interval};
use crate::special::coins;
use crate::text::{duration, percent, short, whole};

/// What is known of one metric, with the numbers, the test, the sizes of the samples and the interval.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Finding {
    /// The metric.
    pub metric: String,
    /// What it decides.
    pub role: Role,
    /// What is known.
    pub conclusion: Conclusion,
    /// The test, in words.
    pub test: String,
    /// The candidate's share or mean; `None` without data.
    pub candidate: Option<f64>,
    /// Stable's share or mean, or the limit; `None` without data.
    pub yardstick: Option<f64>,
    /// Requests or points of the candidate.
    pub candidate_size: u64,
    /// Requests or points of stable; 0 for a limit.
    pub stable_size: u64,
    /// The interval of the candidate's share or mean; it holds at all looks at once. `None` without data.
    pub interval: Option<Interval>,
    /// The evidence that it is worse: so many coins won from one.
    pub worse: f64,
    /// The evidence that it is good enough: so many coins won from one.
    pub good: f64,
    /// The coins that prove it good enough.
    pub good_needed: f64,
    /// Values that were missing or infinite.
    pub left_out: u64,
    /// One sentence.
    pub sentence: String,
}

/// The numbers of a test, before anything is concluded.
struct Measured {
    test: String,
    candidate: Option<f64>,
    yardstick: Option<f64>,
    sizes: (u64, u64),
    needs_stable: bool,
    interval: Option<Interval>,
    /// "2.4 % (31 of 1,290) against stable 0.3 % (39 of 12,011)".
    words: String,
}

impl Watched {
    pub(super) fn finding(&self, policy: &Policy, leading: bool, elapsed: u64) -> Finding {
        let measured = measure(&self.test, policy);
        let evidence = self.evidence();
        let good_needed = needed(policy.false_pass);
        let (candidate_size, stable_size) = measured.sizes;
        let judged_by_nothing = matches!(&self.test, Test::Exceedance(test) if test.telling(policy.false_pass).is_none());
        let conclusion = if candidate_size == 0 || judged_by_nothing || (measured.needs_stable && stable_size == 0) {
            Conclusion::NoData
        } else if leading || self.worse_at.is_some() {
            Conclusion::Worse
        } else if evidence.good >= good_needed && candidate_size >= policy.candidate_min {
            Conclusion::Good
        } else {
            Conclusion::Undecided
        };
        let mut finding = Finding {
            metric: self.metric.name.clone(),
            role: self.metric.role,
            conclusion,
            test: measured.test,
            candidate: measured.candidate,
            yardstick: measured.yardstick,
            candidate_size,
            stable_size,
            interval: measured.interval,
            worse: coins(evidence.worse.max(self.worse_at.unwrap_or(f64::NEG_INFINITY))),
            good: coins(evidence.good),
            good_needed: good_needed.exp(),
            left_out: self.left_out,
            sentence: String::new(),
        };
        finding.sentence = of_metric(&finding, &measured.words, judged_by_nothing, policy, elapsed);
        finding
    }
}

/// Returns the sentence of a verdict: the one of the metric that decided.
pub(super) fn of_verdict(outcome: Outcome, findings: &[Finding], elapsed: u64) -> String {
    let deciding = || findings.iter().filter(|finding| finding.role != Role::DryRun);
    let with = |conclusion: Conclusion| deciding().filter(move |finding| finding.conclusion == conclusion);
    match outcome {
        Outcome::Unhealthy => with(Conclusion::Worse)
            .max_by(|a, b| a.worse.total_cmp(&b.worse))
            .map_or_else(|| "the metrics together are worse".to_owned(), |finding| finding.sentence.clone()),
        Outcome::Healthy => match deciding().count() {
            1 => with(Conclusion::Good).map(|finding| finding.sentence.clone()).collect(),
            count => format!(
                "{} of {count} metrics are proven good enough after {}",
                with(Conclusion::Good).count(),
                duration(elapsed)
            ),
        },
        Outcome::Inconclusive => with(Conclusion::NoData)
            .chain(with(Conclusion::Undecided))
            .next()
            .map_or_else(|| "no metric decides, so that nothing is known".to_owned(), |finding| finding.sentence.clone()),
    }
}

fn of_metric(finding: &Finding, words: &str, judged_by_nothing: bool, policy: &Policy, elapsed: u64) -> String {
    let after = duration(elapsed);
    let left_out = match finding.left_out {
        0 => String::new(),
        count => format!("; {} missing or infinite values left out", whole(count)),
    };
    let name = &finding.metric;
    match finding.conclusion {
        Conclusion::NoData if judged_by_nothing => {
            format!("no earlier {name} of stable to take a threshold from after {after}: nothing to judge by{left_out}")
        }
        Conclusion::NoData if finding.candidate_size == 0 => {
            format!("no {name} of the candidate after {after}: no data is not healthy{left_out}")
        }
        Conclusion::NoData => format!("no {name} of stable after {after}: nothing to compare with{left_out}"),
        Conclusion::Worse => format!("candidate {name} {words}: certain enough after {after}{left_out}"),
        Conclusion::Good => format!("candidate {name} {words}: good enough, and certain enough after {after}{left_out}"),
        Conclusion::Undecided if finding.candidate_size < policy.candidate_min => format!(
            "candidate {name} {words}: {} too few after {after}, {} are needed{left_out}",
            match finding.candidate_size {
                1 => "1 is".to_owned(),
                count => format!("{} are", whole(count)),
            },
            whole(policy.candidate_min)
        ),
        Conclusion::Undecided => format!("candidate {name} {words}: not yet certain after {after}{left_out}"),
    }
}

fn measure(test: &Test, policy: &Policy) -> Measured {
    let confidence = 1.0 - policy.false_alarm;
    match test {
        Test::Shares(test) => of_shares(test, None, confidence),
        Test::Exceedance(exceedance) => match exceedance.telling(policy.false_pass) {
            Some((threshold, test)) => of_shares(test, Some(threshold), confidence),
            None => Measured {
                test: "ranks, and shares above stable's quantiles, anytime-valid".to_owned(),
                candidate: None,
                yardstick: None,
                sizes: (0, 0),
                needs_stable: true,
                interval: None,
                words: String::new(),
            },
        },
        Test::Limit(test) => Measured {
            test: "mixture of likelihood ratios against a limit, anytime-valid".to_owned(),
            candidate: test.seen.share(),
            yardstick: Some(test.design.limit),
            sizes: (test.seen.trials, 0),
            needs_stable: false,
            interval: (test.seen.trials > 0).then(|| share_interval(test.seen, confidence)),
            words: format!("{} against the limit {}", in_words(test.seen), percent(test.design.limit)),
        },
        Test::Mean(test) => {
            let (candidate, stable) = test.means();
            let (of_candidate, of_stable) = test.seen();
            let against_stable = test.design.against_stable;
            let yardstick = if against_stable { stable } else { Some(test.design.tolerance) };
            let points = |value: Option<f64>, count: u64| {
                value.map_or_else(
                    || "unknown".to_owned(),
                    |value| format!("{} ({} point{})", short(value), whole(count), if count == 1 { "" } else { "s" }),
                )
            };
            let against = if against_stable {
                format!("stable {}", points(stable, of_stable))
            } else {
                format!("the limit {}", short(test.design.tolerance))
            };
            Measured {
                test: "mean of bounded values by betting, anytime-valid".to_owned(),
                candidate,
                yardstick,
                sizes: (of_candidate, if against_stable { of_stable } else { 0 }),
                needs_stable: against_stable,
                interval: (of_candidate > 0).then(|| test.interval(confidence)),
                words: format!("mean {} against {against}", points(candidate, of_candidate)),
            }
        }
    }
}

fn of_shares(test: &SharesTest, threshold: Option<f64>, confidence: f64) -> Measured {
    let above = threshold.map_or_else(String::new, |threshold| format!("above {} in ", short(threshold)));
    Measured {
        test: match threshold {
            None => "ratio of odds in blocks with fixed margins, anytime-valid".to_owned(),
            Some(threshold) => {
                format!("ranks, and shares above thresholds by the ratio of odds (shown: {}), anytime-valid", short(threshold))
            }
        },
        candidate: test.candidate.share(),
        yardstick: test.stable.share(),
        sizes: (test.candidate.trials, test.stable.trials),
        needs_stable: true,
        interval: (test.candidate.trials > 0).then(|| share_interval(test.candidate, confidence)),
        words: format!("{above}{} against stable {}", in_words(test.candidate), in_words(test.stable)),
    }
}

fn in_words(counts: Counts) -> String {
    counts.share().map_or_else(
        || "unknown".to_owned(),
        |share| format!("{} ({} of {})", percent(share), whole(counts.events), whole(counts.trials)),
    )
}
