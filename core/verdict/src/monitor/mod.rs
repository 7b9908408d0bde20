//! Several metrics, one verdict: what a health check keeps between two looks.
//!
//! **Error over several metrics.** That some metric is worse is proven by the weighted mean of the bets of all metrics, which is a bet against
//! "no metric is worse" however the metrics depend on each other (V. Vovk, R. Wang, "E-values: calibration, combination and applications",
//! Annals of Statistics 49, 2021). It is never later than a weighted Bonferroni correction, which waits until one metric alone has won all that is
//! needed divided by its weight; Bonferroni then says which metric it was. A product would win faster on independent metrics, and metrics
//! of one service are not independent. That the candidate is good must be proven for every metric that decides, each at the full level: a bad
//! candidate that is let through is let through at each of them, so that nothing adds up.
//!
//! **No data is never healthy**: a deciding metric without data leaves the verdict inconclusive, whatever the others say.

mod sentence;
mod settings;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

pub use sentence::Finding;
pub use settings::BadSetting;

use crate::sample::{BadCounts, Counts};
use crate::sequential::{
    Evidence, Exceedance, ExceedanceDesign, LimitDesign, LimitTest, MeanDesign, MeanTest, SharesDesign, SharesTest, needed,
};
use crate::special::{coins, ln_mean};

/// What is asked of all metrics together.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Policy {
    /// With at most this probability a candidate that is not worse is called so, over all metrics and however often one looks.
    pub false_alarm: f64,
    /// With at most this probability a candidate that is worse by the margin is called good.
    pub false_pass: f64,
    /// Fewer candidate requests or points than this prove nothing good. That something is bad may be proven by fewer.
    pub candidate_min: u64,
    /// The candidate is healthy with a score of at least this, from 0 to 100. Below 100, metrics that are not critical may stay undecided.
    pub pass_score: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { false_alarm: 0.01, false_pass: 0.05, candidate_min: 50, pass_score: 100.0 }
    }
}

/// How a metric is judged.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Design {
    /// A share, against stable's.
    Shares(SharesDesign),
    /// A share, against a limit.
    Limit(LimitDesign),
    /// A bounded mean, against stable's or a limit.
    Mean(MeanDesign),
    /// Times, against stable's quantiles.
    Exceedance(ExceedanceDesign),
}

/// What a metric decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Role {
    /// It counts by its weight.
    #[default]
    Counts,
    /// It counts, and without it no candidate is healthy whatever the score.
    Critical,
    /// It is measured and shown, and never decides.
    DryRun,
}

/// A metric of a policy.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Metric {
    /// What a person calls it: "error rate".
    pub name: String,
    /// Its group, for the score.
    pub group: String,
    /// Its part of the evidence and of its group's score, above 0.
    pub weight: f64,
    /// What it decides.
    pub role: Role,
    /// How it is judged.
    pub design: Design,
}

/// What came since the last look.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation<'a> {
    /// For shares.
    Counts {
        /// Of the candidate.
        candidate: Counts,
        /// Of stable; nothing for a limit.
        stable: Counts,
    },
    /// For means and times, in the order in which they came.
    Values {
        /// Of the candidate.
        candidate: &'a [f64],
        /// Of stable; nothing for a limit.
        stable: &'a [f64],
    },
}

/// Why an observation was not taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Refused {
    /// No metric has this name.
    UnknownMetric {
        /// As given.
        name: String,
        /// The metrics there are.
        known: Vec<String>,
    },
    /// Counts for a metric of values, or values for one of counts.
    OtherKind {
        /// The metric.
        name: String,
    },
    /// Counts that cannot be true.
    Bad(BadCounts),
}

impl core::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::UnknownMetric { name, known } => {
                write!(formatter, "no metric is called {name}, found {}; name one of these", known.join(", "))
            }
            Self::OtherKind { name } => {
                write!(
                    formatter,
                    "{name} was given the other kind of data; give shares and limits counts, means and times values"
                )
            }
            Self::Bad(bad) => bad.fmt(formatter),
        }
    }
}

impl core::error::Error for Refused {}

/// What is known of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Conclusion {
    /// It is proven worse.
    Worse,
    /// It is proven not to be worse by the margin.
    Good,
    /// Neither is proven yet.
    Undecided,
    /// A side has no data. Never healthy.
    NoData,
}

/// What is known of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum Outcome {
    /// Proven good.
    Healthy,
    /// Proven worse.
    Unhealthy,
    /// Neither, yet.
    Inconclusive,
}

/// The score of a group of metrics.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct GroupScore {
    /// The group.
    pub name: String,
    /// Per cent of its weight that is proven good.
    pub score: f64,
}

/// A verdict, with all that it rests on.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Verdict {
    /// What is known of the candidate.
    pub outcome: Outcome,
    /// One sentence that says why.
    pub sentence: String,
    /// Per cent of the weight of all metrics that is proven good.
    pub score: f64,
    /// The same by group, in the order of first mention.
    pub groups: Vec<GroupScore>,
    /// The evidence that some metric is worse: so many coins won from one.
    pub evidence: f64,
    /// The coins that prove it.
    pub needed: f64,
    /// Each metric, in the order of the policy.
    pub findings: Vec<Finding>,
}

/// The state of one metric's test.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub(crate) enum Test {
    Shares(SharesTest),
    Limit(LimitTest),
    Mean(MeanTest),
    Exceedance(Exceedance),
}

/// A metric and what was seen of it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub(crate) struct Watched {
    pub(crate) metric: Metric,
    pub(crate) test: Test,
    /// Values that were NaN or infinite.
    pub(crate) left_out: u64,
    /// A proof stands once it was found, whatever comes after: that is what the level is promised for.
    pub(crate) worse_at: Option<f64>,
}

/// All metrics of a policy and what was seen of them. With the feature `serde` it can be written down between two looks.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Monitor {
    policy: Policy,
    watched: Vec<Watched>,
    looks: u64,
    /// The most evidence that there ever was, as a natural logarithm.
    most: f64,
}

impl Monitor {
    /// Starts to watch.
    ///
    /// # Errors
    /// When a setting is one that nothing can be judged by, or two metrics have one name.
    pub fn new(policy: Policy, metrics: Vec<Metric>) -> Result<Self, BadSetting> {
        settings::check(&policy, &metrics)?;
        let watched = metrics.into_iter().map(Watched::new).collect();
        Ok(Self { policy, watched, looks: 0, most: 0.0 })
    }

    /// Takes what came since the last look for one metric.
    ///
    /// # Errors
    /// When no metric has this name, it takes the other kind of data, or counts cannot be true. Nothing is taken then.
    pub fn observe(&mut self, name: &str, seen: &Observation<'_>) -> Result<(), Refused> {
        let Some(place) = self.watched.iter().position(|watched| watched.metric.name == name) else {
            let known = self.watched.iter().map(|watched| watched.metric.name.clone()).collect();
            return Err(Refused::UnknownMetric { name: name.to_owned(), known });
        };
        self.watched[place].observe(seen)
    }

    /// Looks: says what is known now. `elapsed` is the time since the candidate took its first request, in milliseconds.
    pub fn look(&mut self, elapsed: u64) -> Verdict {
        self.looks += 1;
        self.most = self.most.max(self.together());
        let enough = needed(self.policy.false_alarm);
        let total = self.weight();
        for watched in &mut self.watched {
            let own = watched.evidence().worse + (watched.metric.weight / total).ln();
            if own >= enough {
                watched.worse_at = Some(watched.worse_at.unwrap_or(f64::NEG_INFINITY).max(own));
            }
        }
        self.verdict(elapsed)
    }

    /// Returns how often was looked.
    pub const fn looks(&self) -> u64 {
        self.looks
    }

    /// The logarithm of the weighted mean of the coins of all metrics that decide.
    fn together(&self) -> f64 {
        let total = self.weight();
        let logs: Vec<f64> =
            self.deciding().map(|watched| watched.evidence().worse + (watched.metric.weight / total).ln()).collect();
        ln_mean(&logs) + (logs.len() as f64).ln()
    }

    fn deciding(&self) -> impl Iterator<Item = &Watched> {
        self.watched.iter().filter(|watched| watched.metric.role != Role::DryRun)
    }

    fn weight(&self) -> f64 {
        self.deciding().map(|watched| watched.metric.weight).sum()
    }

    fn verdict(&self, elapsed: u64) -> Verdict {
        let worse = self.most >= needed(self.policy.false_alarm);
        // Where the metrics are worse together and none alone, the one with the most evidence is named.
        let leading = worse.then(|| self.leading()).flatten();
        let findings: Vec<Finding> = self
            .watched
            .iter()
            .map(|watched| watched.finding(&self.policy, leading == Some(&watched.metric.name), elapsed))
            .collect();
        let (score, groups) = self.scores(&findings);
        let outcome = if worse {
            Outcome::Unhealthy
        } else if self.proven_good(&findings, score) {
            Outcome::Healthy
        } else {
            Outcome::Inconclusive
        };
        let sentence = sentence::of_verdict(outcome, &findings, elapsed);
        Verdict { outcome, sentence, score, groups, evidence: coins(self.most), needed: 1.0 / self.policy.false_alarm, findings }
    }

    fn leading(&self) -> Option<&String> {
        let weighted = |watched: &Watched| {
            watched.evidence().worse.max(watched.worse_at.unwrap_or(f64::NEG_INFINITY)) + watched.metric.weight.ln()
        };
        self.deciding().max_by(|a, b| weighted(a).total_cmp(&weighted(b))).map(|watched| &watched.metric.name)
    }

    fn proven_good(&self, findings: &[Finding], score: f64) -> bool {
        let deciding = || findings.iter().filter(|finding| finding.role != Role::DryRun);
        deciding().count() > 0
            && deciding().all(|finding| match finding.conclusion {
                Conclusion::Good => true,
                Conclusion::Undecided => finding.role != Role::Critical,
                Conclusion::Worse | Conclusion::NoData => false,
            })
            && score >= self.policy.pass_score
    }

    fn scores(&self, findings: &[Finding]) -> (f64, Vec<GroupScore>) {
        let mut groups: Vec<(&str, f64, f64)> = Vec::new();
        for (watched, finding) in self.watched.iter().zip(findings).filter(|(watched, _)| watched.metric.role != Role::DryRun) {
            let Metric { group, weight, .. } = &watched.metric;
            let place = groups.iter().position(|(name, ..)| name == group).unwrap_or_else(|| {
                groups.push((group, 0.0, 0.0));
                groups.len() - 1
            });
            groups[place].1 += if finding.conclusion == Conclusion::Good { *weight } else { 0.0 };
            groups[place].2 += weight;
        }
        let (good, all) = groups.iter().fold((0.0, 0.0), |(good, all), group| (good + group.1, all + group.2));
        let per_cent = |good: f64, all: f64| if all > 0.0 { good / all * 100.0 } else { 0.0 };
        (
            per_cent(good, all),
            groups.iter().map(|group| GroupScore { name: group.0.to_owned(), score: per_cent(group.1, group.2) }).collect(),
        )
    }
}

impl Watched {
    fn new(metric: Metric) -> Self {
        let test = match &metric.design {
            Design::Shares(design) => Test::Shares(SharesTest::new(*design)),
            Design::Limit(design) => Test::Limit(LimitTest::new(*design)),
            Design::Mean(design) => Test::Mean(MeanTest::new(*design)),
            Design::Exceedance(design) => Test::Exceedance(Exceedance::new(design)),
        };
        Self { metric, test, left_out: 0, worse_at: None }
    }

    fn observe(&mut self, seen: &Observation<'_>) -> Result<(), Refused> {
        match (&mut self.test, seen) {
            (Test::Shares(test), Observation::Counts { candidate, stable }) => {
                test.observe(candidate.checked().map_err(Refused::Bad)?, stable.checked().map_err(Refused::Bad)?);
            }
            (Test::Limit(test), Observation::Counts { candidate, .. }) => {
                test.observe(candidate.checked().map_err(Refused::Bad)?)
            }
            (Test::Mean(test), Observation::Values { candidate, stable }) => {
                test.observe(candidate, stable);
                self.left_out += candidate.iter().chain(*stable).filter(|value| !value.is_finite()).count() as u64;
            }
            (Test::Exceedance(test), Observation::Values { candidate, stable }) => {
                test.observe(candidate, stable);
                self.left_out += candidate.iter().chain(*stable).filter(|value| value.is_nan()).count() as u64;
            }
            (Test::Shares(_) | Test::Limit(_), Observation::Values { .. })
            | (Test::Mean(_) | Test::Exceedance(_), Observation::Counts { .. }) => {
                return Err(Refused::OtherKind { name: self.metric.name.clone() });
            }
        }
        Ok(())
    }

    pub(crate) fn evidence(&self) -> Evidence {
        match &self.test {
            Test::Shares(test) => test.evidence(),
            Test::Limit(test) => test.evidence(),
            Test::Mean(test) => test.evidence(),
            Test::Exceedance(test) => test.evidence(),
        }
    }
}
