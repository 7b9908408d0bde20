//! What services measure, for people: behind the port of the API.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{Measured, MeasuredMetric, MeasuredScope, Usual, UsualOf};
use model::{Scope, Timestamp};
use telemetry::{Aspect, Expectation, LearntView, MetricView, ScopeView, Telemetry};

/// What this server knows.
pub(super) struct Listed(pub(super) Arc<Telemetry>);

impl Measured for Listed {
    fn list(&self, now: Timestamp) -> Vec<MeasuredScope> {
        let mut scopes: BTreeMap<Scope, MeasuredScope> = BTreeMap::new();
        // What is learnt outlives what came lately, and what came lately may not be learnt yet.
        for ScopeView { scope, usage, tally, turned_away, settled_ms: _ } in self.0.view() {
            let found = scopes.entry(scope.clone()).or_insert_with(|| empty(scope));
            (found.taken, found.refused, found.last_refusal) = (tally.taken, tally.refused, tally.last_refusal);
            (found.series, found.series_turned_away) = (usage.series as u64, u64::from(turned_away));
        }
        for LearntView { scope, metrics, passed_over } in self.0.learnt(now.0) {
            let found = scopes.entry(scope.clone()).or_insert_with(|| empty(scope));
            found.metrics = metrics.into_iter().map(metric).collect();
            found.metrics_not_learnt = u64::from(passed_over);
        }
        scopes.into_values().collect()
    }

    fn strangers(&self) -> (u64, String) {
        let strangers = self.0.strangers();
        (strangers.points, strangers.last_refusal)
    }
}

fn empty(scope: Scope) -> MeasuredScope {
    MeasuredScope {
        scope,
        taken: 0,
        refused: 0,
        last_refusal: String::new(),
        series: 0,
        series_turned_away: 0,
        metrics: Vec::new(),
        metrics_not_learnt: 0,
    }
}

fn metric(found: MetricView) -> MeasuredMetric {
    let usual = |(aspect, found): (Aspect, Expectation)| {
        let Expectation { minutes, mean, deviation, drift } = found;
        let of = match aspect {
            Aspect::Mean => UsualOf::Mean,
            Aspect::Errors => UsualOf::Errors,
            Aspect::Rate => UsualOf::Rate,
        };
        Usual { of, minutes, mean, deviation, drift }
    };
    MeasuredMetric { name: found.metric, usual: found.usual.into_iter().map(usual).collect() }
}
