//! Errors beside stable's, from look to look: a test that may be looked at as often as one likes.

use serde::{Deserialize, Serialize};
use towpath_sdk::prelude::*;
use verdict::monitor::{Design, Metric, Monitor, Observation, Outcome, Policy, Role};
use verdict::sample::Counts;
use verdict::sequential::SharesDesign;

use crate::counters::Counted;
use crate::judge::Finding;
use crate::settings::{Settings, WorseThanStable};

/// What is compared, as people call it.
const METRIC: &str = "error rate";

/// What a candidate must be proven not to exceed to be proven good, as a factor of the odds that are tolerated.
const MARGIN: f64 = 2.0;

/// Evidence is shown up to here; what is more proves no more.
const EVIDENCE_MAX: f64 = 1e9;

/// What was seen in a watch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sequence {
    monitor: Option<Monitor>,
    candidate: Counts,
    stable: Counts,
}

impl Sequence {
    /// Takes what came since the last look, and says what is known now. The error is a sentence.
    pub(crate) fn judge(
        &mut self,
        settings: &Settings,
        wanted: WorseThanStable,
        candidate: &Counted,
        stable: Option<&Counted>,
        elapsed_ms: u64,
    ) -> Result<Finding, String> {
        let monitor = match &mut self.monitor {
            Some(monitor) => monitor,
            empty => empty.insert(begin(settings, wanted)?),
        };
        let requests = |counted: &Counted| Counts { events: counted.errors.min(counted.requests), trials: counted.requests };
        let (candidate, stable) = (requests(candidate), stable.map(requests).unwrap_or_default());
        let seen = Observation::Counts { candidate: since(candidate, self.candidate), stable: since(stable, self.stable) };
        monitor.observe(METRIC, &seen).map_err(|refused| refused.to_string())?;
        (self.candidate, self.stable) = (candidate, stable);
        let known = monitor.look(elapsed_ms);
        let enough = candidate.trials.min(stable.trials) >= settings.min_requests;
        let verdict = match known.outcome {
            Outcome::Unhealthy => Verdict::Unhealthy,
            // Nothing speaks against it after as many requests as were asked for; a proof of the contrary may take many more.
            Outcome::Healthy | Outcome::Inconclusive if enough => Verdict::Healthy,
            Outcome::Healthy | Outcome::Inconclusive => Verdict::Inconclusive,
        };
        let evidence = known.evidence.min(EVIDENCE_MAX);
        let measurement = Measurement::new("evidence-of-more-errors", evidence, "1").on(Side::Candidate).against(known.needed);
        Ok(Finding { verdict, sentence: known.sentence, measurement })
    }
}

fn begin(settings: &Settings, wanted: WorseThanStable) -> Result<Monitor, String> {
    let WorseThanStable { false_alarm, tolerance } = wanted;
    let policy = Policy { false_alarm, candidate_min: settings.min_requests, ..Policy::default() };
    let design = SharesDesign { tolerance, margin: tolerance * MARGIN, ..SharesDesign::default() };
    let metric = Metric {
        name: METRIC.to_owned(),
        group: "requests".to_owned(),
        weight: 1.0,
        role: Role::Critical,
        design: Design::Shares(design),
    };
    Monitor::new(policy, vec![metric]).map_err(|bad| bad.to_string())
}

/// Returns what was added since an earlier reading; all of it where counting began anew.
fn since(now: Counts, before: Counts) -> Counts {
    let added = |now: u64, before: u64| now.checked_sub(before);
    match (added(now.events, before.events), added(now.trials, before.trials)) {
        (Some(events), Some(trials)) if events <= trials => Counts { events, trials },
        _ => now,
    }
}
