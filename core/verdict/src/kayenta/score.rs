//! From classified metrics to a score and a verdict, by Kayenta's rules, its weak ones included.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::Label;

/// One metric of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Its groups: it counts in each.
    pub groups: Vec<String>,
    /// What it was classified as.
    pub label: Label,
    /// Whether the classifier says that this fails the whole run.
    pub critical: bool,
    /// Muted metrics are shown and not counted.
    pub muted: bool,
}

/// The score of a group.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct GroupScore {
    /// The group.
    pub name: String,
    /// Per cent of its judged metrics that passed; `None` where none was judged, which the summary counts as 100.
    pub score: Option<f64>,
}

/// The score of a run.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Score {
    /// From 0 to 100, to two places.
    pub score: f64,
    /// By group, in the order of first mention.
    pub groups: Vec<GroupScore>,
    /// Why it is 0, where that is not the sum of the groups.
    pub reason: Option<String>,
}

/// What a score means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub enum ScoreVerdict {
    /// At least the pass mark.
    Pass,
    /// At least the marginal mark.
    Marginal,
    /// Below both.
    Fail,
}

/// Where so many per cent of the metrics have no data, the score is 0.
const NO_DATA_PERCENT_MAX: f64 = 50.0;

/// Scores a run. `weights` gives groups their per cent of the whole; groups without one share what is left of 100.
pub fn score(metrics: &[Scored], weights: &[(String, f64)]) -> Score {
    let counted: Vec<&Scored> = metrics.iter().filter(|metric| !metric.muted).collect();
    let groups = group_scores(&counted);
    let without_data = counted.iter().filter(|metric| metric.label == Label::NoData).count();
    let reason = if counted.iter().any(|metric| metric.critical && metric.label != Label::Pass) {
        Some("a critical metric did not pass".to_owned())
    } else if counted.is_empty() {
        // The judge divides 0 by 0 here and goes on to a score of 0.
        Some("there is no metric to score".to_owned())
    } else if without_data as f64 / counted.len() as f64 * 100.0 >= NO_DATA_PERCENT_MAX {
        Some(format!("{without_data} of {} metrics have no data", counted.len()))
    } else {
        None
    };
    let score = if reason.is_some() { 0.0 } else { summary(&groups, weights) };
    Score { score, groups, reason }
}

/// Says what a score means.
pub fn classify_score(score: f64, pass: f64, marginal: f64) -> ScoreVerdict {
    if score >= pass {
        ScoreVerdict::Pass
    } else if score >= marginal {
        ScoreVerdict::Marginal
    } else {
        ScoreVerdict::Fail
    }
}

/// Says what a run of several intervals means: a score at or below the marginal mark ends it there, otherwise the last one decides and the
/// ones before are forgotten. Returns the verdict and the number of intervals that were looked at; `None` without an interval.
pub fn classify_run(scores: &[f64], pass: f64, marginal: f64) -> Option<(ScoreVerdict, usize)> {
    let last = *scores.last()?;
    Some(match scores.iter().position(|score| *score <= marginal) {
        Some(place) => (ScoreVerdict::Fail, place + 1),
        None => (classify_score(last, pass, marginal), scores.len()),
    })
}

fn group_scores(metrics: &[&Scored]) -> Vec<GroupScore> {
    let mut names: Vec<&String> = Vec::new();
    for name in metrics.iter().flat_map(|metric| &metric.groups) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().map(|name| group_score(name, metrics)).collect()
}

fn group_score(name: &String, metrics: &[&Scored]) -> GroupScore {
    let mut passed = 0.0;
    let mut judged = 0.0;
    for metric in metrics.iter().filter(|metric| metric.groups.contains(name)) {
        match metric.label {
            Label::Pass => {
                passed += 1.0;
                judged += 1.0;
            }
            Label::High | Label::Low | Label::NoDataFail => judged += 1.0,
            Label::NoData | Label::Error => {}
        }
    }
    GroupScore { name: name.clone(), score: (judged > 0.0).then(|| passed / judged * 100.0) }
}

fn summary(groups: &[GroupScore], weights: &[(String, f64)]) -> f64 {
    let weight_of = |name: &str| weights.iter().find(|(group, _)| group == name).map(|(_, weight)| *weight);
    let unweighted = groups.iter().filter(|group| weight_of(&group.name).is_none()).count();
    let given: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let share = if unweighted > 0 { (100.0 - given) / unweighted as f64 } else { 0.0 };
    let sum: f64 =
        groups.iter().map(|group| group.score.unwrap_or(100.0) * weight_of(&group.name).unwrap_or(share) / 100.0).sum();
    (sum * 100.0).round() / 100.0
}
