//! Lines that tell of errors: how many in a minute, and which share of all lines beside stable's.
//!
//! **Why shares of all lines and not rates per instance-minute**: both sides write in proportion to the requests that they serve, and they serve
//! different parts of them. A candidate instance with a twentieth of the traffic that an instance of stable has writes a twentieth of the errors in a
//! minute when it is as bad, and would look twenty times better; its share of error lines is the same. What a share cannot stand is a release that
//! writes more or fewer other lines per request; whoever changes that compares lines that both releases write alike, by the query.

use serde::{Deserialize, Serialize};
use towpath_sdk::prelude::*;
use verdict::monitor::{Design, Metric, Monitor, Observation, Outcome, Policy, Role};
use verdict::sample::Counts;
use verdict::sequential::SharesDesign;

use crate::finding::{Finding, counted};
use crate::settings::{Errors, Settings};
use crate::source::Reading;

/// What is compared, as people call it.
const METRIC: &str = "error lines";

/// What a candidate must be proven not to exceed to be proven good, as a factor of the odds that are tolerated.
const MARGIN: f64 = 2.0;

/// Evidence is shown up to here; what is more proves no more.
const EVIDENCE_MAX: f64 = 1e9;

/// Seconds of a minute.
const MINUTE: i64 = 60;

/// What was seen of error lines in a watch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Of the candidate: lines that tell of errors, among all.
    pub(crate) candidate: Counts,
    /// The same of stable.
    pub(crate) stable: Counts,
    monitor: Option<Monitor>,
    /// The candidate's error lines of the last minute, by second, oldest first: estimated where a part of the lines was read.
    seconds: Vec<(i64, f64)>,
    /// The most of a minute.
    worst: f64,
    /// Whether some of them are estimated.
    estimated: bool,
}

impl Seen {
    /// Takes the lines of a look and says what is known now. The error is a sentence.
    pub(crate) fn judge(
        &mut self,
        settings: &Settings,
        errors: &Errors,
        candidate: &Reading,
        stable: Option<&Reading>,
        elapsed_ms: u64,
    ) -> Result<Vec<Finding>, String> {
        let ours = self.take(errors, candidate);
        let theirs = stable.map(|stable| counts(errors, stable)).unwrap_or_default();
        self.candidate = and(self.candidate, ours);
        self.stable = and(self.stable, theirs);
        let mut findings = Vec::new();
        findings.extend(errors.per_minute_max.map(|max| self.per_minute(max)));
        // Without stable the other rules judge; where there are none, nothing is known.
        let alone = errors.per_minute_max.is_none() && settings.new_patterns.is_none();
        if let Some(tolerance) = errors.share_of_stable_max
            && (stable.is_some() || alone)
        {
            findings.push(self.beside_stable(settings, errors, tolerance, Observed { ours, theirs, elapsed_ms })?);
        }
        Ok(findings)
    }

    /// Counts the candidate's lines, each second's apart.
    fn take(&mut self, errors: &Errors, reading: &Reading) -> Counts {
        // Of lines that were left out, as many tell of errors as of those that were read.
        let weight = if reading.read_ms == 0 { 1.0 } else { reading.span_ms as f64 / reading.read_ms as f64 };
        self.estimated |= weight > 1.0;
        let mut counts = Counts { events: 0, trials: reading.lines.len() as u64 };
        for line in reading.lines.iter().filter(|line| errors.fit(&line.text)) {
            counts.events += 1;
            self.count(line.at_ns.div_euclid(1_000_000_000), weight);
        }
        counts
    }

    fn count(&mut self, second: i64, weight: f64) {
        match self.seconds.last_mut() {
            Some((last, count)) if *last == second => *count += weight,
            Some(_) | None => self.seconds.push((second, weight)),
        }
        self.seconds.retain(|(counted, _)| *counted > second.saturating_sub(MINUTE));
        self.worst = self.worst.max(self.seconds.iter().map(|(_, count)| count).sum());
    }

    fn per_minute(&self, max: f64) -> Finding {
        let (worst, Counts { events, trials }) = (self.worst, self.candidate);
        let about = if self.estimated { "about " } else { "" };
        let verdict = if worst > max { Verdict::Unhealthy } else { Verdict::Healthy };
        let sentence = format!(
            "{about}{worst:.0} error lines of the candidate in a minute, at most {max} may be ({events} of {})",
            counted(trials, "line")
        );
        let measurement =
            Measurement::new("error-lines-per-minute", worst, "1/min").on(Side::Candidate).against(max).of_samples(trials);
        Finding { verdict, sentence, measurements: vec![measurement] }
    }

    fn beside_stable(
        &mut self,
        settings: &Settings,
        errors: &Errors,
        tolerance: f64,
        observed: Observed,
    ) -> Result<Finding, String> {
        let monitor = match &mut self.monitor {
            Some(monitor) => monitor,
            empty => empty.insert(begin(settings, errors, tolerance)?),
        };
        let seen = Observation::Counts { candidate: observed.ours, stable: observed.theirs };
        monitor.observe(METRIC, &seen).map_err(|refused| refused.to_string())?;
        let known = monitor.look(observed.elapsed_ms);
        let enough = self.candidate.trials.min(self.stable.trials) >= settings.lines_min;
        let verdict = match known.outcome {
            Outcome::Unhealthy => Verdict::Unhealthy,
            // Nothing speaks against it after as many lines as were asked for; a proof of the contrary may take many more.
            Outcome::Healthy | Outcome::Inconclusive if enough => Verdict::Healthy,
            Outcome::Healthy | Outcome::Inconclusive => Verdict::Inconclusive,
        };
        let evidence = Measurement::new("evidence-of-more-error-lines", known.evidence.min(EVIDENCE_MAX), "1");
        let evidence = evidence.on(Side::Candidate).against(known.needed).of_samples(self.candidate.trials);
        let found = known.findings.first();
        let evidence = found.map_or(evidence.clone(), |found| evidence.tested_by(&found.test));
        let share = |side: Side, counts: Counts| {
            counts.share().map(|share| Measurement::new("error-lines-share", share, "ratio").on(side).of_samples(counts.trials))
        };
        let interval = found.and_then(|found| found.interval);
        let ours = share(Side::Candidate, self.candidate).map(|ours| match interval {
            Some(interval) => ours.within(interval.low, interval.high),
            None => ours,
        });
        let measurements = [Some(evidence), ours, share(Side::Stable, self.stable)].into_iter().flatten().collect();
        Ok(Finding { verdict, sentence: known.sentence, measurements })
    }
}

/// What one look saw.
#[derive(Clone, Copy)]
struct Observed {
    ours: Counts,
    theirs: Counts,
    elapsed_ms: u64,
}

fn begin(settings: &Settings, errors: &Errors, tolerance: f64) -> Result<Monitor, String> {
    let policy = Policy { false_alarm: errors.false_alarm, candidate_min: settings.lines_min, ..Policy::default() };
    let design = SharesDesign { tolerance, margin: tolerance * MARGIN, ..SharesDesign::default() };
    let metric = Metric {
        name: METRIC.to_owned(),
        group: "logs".to_owned(),
        weight: 1.0,
        role: Role::Critical,
        design: Design::Shares(design),
    };
    Monitor::new(policy, vec![metric]).map_err(|bad| bad.to_string())
}

fn counts(errors: &Errors, reading: &Reading) -> Counts {
    let events = reading.lines.iter().filter(|line| errors.fit(&line.text)).count();
    Counts { events: events as u64, trials: reading.lines.len() as u64 }
}

fn and(one: Counts, other: Counts) -> Counts {
    Counts { events: one.events.saturating_add(other.events), trials: one.trials.saturating_add(other.trials) }
}
