//! What the demo showed: a table for people, one JSON object for programs.

use std::io::Write;

use serde_json::{Value, json};

use super::commands::Deployed;
use super::load::Sample;
use crate::args::Scenario;

/// What the demo showed.
pub(crate) struct Report {
    scenario: Scenario,
    deployed: Vec<Deployed>,
    total: usize,
    failed: usize,
    /// Failures among answers that did not come from the faulty release: those that nobody expects.
    failed_unexpectedly: usize,
    fault: Option<String>,
    rollback: Option<Rollback>,
}

struct Rollback {
    detected_after_ms: i64,
    restored_after_ms: i64,
    requests_to_candidate: usize,
    failed_requests: usize,
}

/// The release that is faulty on purpose.
const FAULTY: &str = "v3";

impl Report {
    /// Returns the report on what was deployed and what the callers saw, in the order of the answers.
    pub(crate) fn new(scenario: Scenario, deployed: Vec<Deployed>, samples: &[Sample]) -> Self {
        let failed = samples.iter().filter(|s| !s.ok).count();
        let unexpected = |s: &&Sample| !s.ok && s.version.as_deref() != Some(FAULTY);
        Self {
            scenario,
            rollback: deployed.iter().find(|d| d.release == FAULTY).and_then(|d| Rollback::of(d, samples)),
            deployed,
            total: samples.len(),
            failed,
            failed_unexpectedly: samples.iter().filter(unexpected).count(),
            fault: samples.iter().find(|s| unexpected(s)).and_then(|s| s.fault.clone()),
        }
    }

    /// Returns whether every deployment ended as it should, and no caller was failed but by the faulty release itself.
    pub(crate) fn as_expected(&self) -> bool {
        let expected: &[&str] = match self.scenario {
            Scenario::Rollback => &["succeeded", "succeeded", "rolled-back"],
            Scenario::EngineCrash => &["succeeded", "succeeded"],
        };
        let outcomes: Vec<&str> = self.deployed.iter().map(|d| d.outcome.as_str()).collect();
        let rolled_back = self.scenario != Scenario::Rollback || self.rollback.is_some();
        outcomes == expected && rolled_back && self.failed_unexpectedly == 0 && self.total > 0
    }

    /// Prints the report to standard output.
    pub(crate) fn print(&self, as_json: bool) {
        let text = if as_json { self.json().to_string() } else { self.table() };
        // Where standard output is gone nobody reads it.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    fn json(&self) -> Value {
        let deployments: Vec<Value> = self
            .deployed
            .iter()
            .map(|d| json!({ "release": d.release, "outcome": d.outcome, "duration_ms": d.duration_ms, "sentence": d.sentence }))
            .collect();
        let rollback = self.rollback.as_ref().map(|r| {
            json!({
                "detected_after_ms": r.detected_after_ms,
                "restored_after_ms": r.restored_after_ms,
                "requests_to_candidate": r.requests_to_candidate,
                "failed_requests": r.failed_requests,
            })
        });
        let traffic = json!({ "total": self.total, "failed": self.failed, "failed_unexpectedly": self.failed_unexpectedly });
        json!({ "as_expected": self.as_expected(), "deployments": deployments, "traffic": traffic, "rollback": rollback })
    }

    fn table(&self) -> String {
        let mut lines = vec![String::new(), format!("{:<10}{:<14}{:>10}  how it ended", "release", "outcome", "took")];
        for d in &self.deployed {
            lines.push(format!("{:<10}{:<14}{:>8} s  {}", d.release, d.outcome, seconds(d.duration_ms), d.sentence));
        }
        lines.push(String::new());
        lines.push(format!("requests   {} in all, {} failed", self.total, self.failed));
        if let Some(r) = &self.rollback {
            let (asked, failed) = (r.requests_to_candidate, r.failed_requests);
            lines.push(format!("faulty     {FAULTY} got {asked} requests and failed {failed} of them"));
            lines.push(format!("caught     {} s after its first failing answer", seconds(r.detected_after_ms)));
            lines
                .push(format!("restored   {} s after it was caught: all traffic at the good side", seconds(r.restored_after_ms)));
        }
        if let Some(fault) = &self.fault {
            lines.push(format!("unexpected {} failed requests, the first: {fault}", self.failed_unexpectedly));
        }
        let verdict = if self.as_expected() { "everything ended as it should" } else { "something did not end as it should" };
        lines.push(String::new());
        lines.push(verdict.to_owned());
        lines.join("\n")
    }
}

impl Rollback {
    fn of(deployed: &Deployed, samples: &[Sample]) -> Option<Self> {
        let of_candidate: Vec<&Sample> = samples.iter().filter(|s| s.version.as_deref() == Some(FAULTY)).collect();
        let first_failure = of_candidate.iter().find(|s| !s.ok)?.at_ms;
        let turned_back = deployed.turned_back_at_ms?;
        Some(Self {
            detected_after_ms: (turned_back - first_failure).max(0),
            restored_after_ms: deployed.restored_at_ms? - turned_back,
            requests_to_candidate: of_candidate.len(),
            failed_requests: of_candidate.iter().filter(|s| !s.ok).count(),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a demo are small")]
fn seconds(milliseconds: i64) -> String {
    format!("{:.1}", milliseconds as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ms: i64, ok: bool, version: &str) -> Sample {
        Sample { at_ms, ok, version: Some(version.to_owned()), fault: None }
    }

    fn deployed(release: &str, outcome: &str) -> Deployed {
        Deployed { release: release.to_owned(), outcome: outcome.to_owned(), ..Deployed::default() }
    }

    fn rollback(samples: &[Sample], third: &str) -> Report {
        let third = Deployed { turned_back_at_ms: Some(30), restored_at_ms: Some(45), ..deployed("v3", third) };
        Report::new(Scenario::Rollback, vec![deployed("v1", "succeeded"), deployed("v2", "succeeded"), third], samples)
    }

    #[test]
    fn failures_of_the_faulty_release_are_expected_and_counted() {
        let samples = [sample(5, true, "v2"), sample(10, true, "v3"), sample(20, false, "v3"), sample(40, true, "v2")];
        let report = rollback(&samples, "rolled-back");
        assert!(report.as_expected());
        let expected =
            json!({ "detected_after_ms": 10, "restored_after_ms": 15, "requests_to_candidate": 2, "failed_requests": 1 });
        assert_eq!(report.json()["rollback"], expected);
        assert_eq!(report.json()["traffic"], json!({ "total": 4, "failed": 1, "failed_unexpectedly": 0 }));
    }

    #[test]
    fn any_other_failure_or_outcome_is_not_as_expected() {
        let faulty = sample(20, false, "v3");
        assert!(!rollback(&[faulty.clone(), sample(25, false, "v2")], "rolled-back").as_expected());
        assert!(!rollback(&[faulty], "succeeded").as_expected());
        assert!(!rollback(&[], "rolled-back").as_expected());
    }
}
