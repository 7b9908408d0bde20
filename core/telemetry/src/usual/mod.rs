//! What is usual: per service, environment and metric, learnt minute by minute from the release that is stable, for each hour of the
//! week, and how it drifts.
//!
//! A deployment in progress does not disturb it: the candidate is never learnt from, and how much comes a second is not learnt while the
//! two share the traffic.

mod baseline;
mod days;
mod hour;
mod minute;
pub(crate) mod record;
pub(crate) mod shelf;
#[cfg(test)]
mod tests;
mod week;

use std::collections::{BTreeMap, BTreeSet};

use model::Scope;

use crate::aggregates::Aggregates;
use crate::limits::{CATCH_UP_MINUTES_MAX, DAYS_KEPT, METRICS_LEARNT_MAX, METRICS_LEARNT_PER_SCOPE_MAX};
use baseline::Baseline;
use minute::{MINUTE_MS, Minute};
use record::Unreadable;
use shelf::Kept;

/// What of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aspect {
    /// The mean of its values.
    Mean,
    /// The share of its values that tell of an error: `error.type` is set, or `http.response.status_code` is 500 or more.
    Errors,
    /// How many values a second; of a counter, how much a second.
    Rate,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mean, Self::Errors, Self::Rate];
}

/// What is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expectation {
    /// Over how many minutes of the same hour of the week it was learnt; those of older weeks count in part.
    pub minutes: u32,
    /// The mean over these minutes.
    pub mean: f64,
    /// The standard deviation of a minute.
    pub deviation: f64,
    /// The mean of the last seven days over that of the weeks before; `None` where too little is known.
    pub drift: Option<f64>,
}

/// What is usual in all scopes. Pure: what it learns from is an argument.
#[derive(Debug, Default)]
pub struct Baselines {
    known: BTreeMap<Scope, BTreeMap<String, Baseline>>,
    /// Up to when scopes were learnt, in Unix milliseconds.
    learnt_to_ms: BTreeMap<Scope, i64>,
    /// Metrics that somebody asked about: they come before others.
    asked: BTreeMap<Scope, BTreeSet<String>>,
    /// Metrics for which there was no room at the last minute.
    passed_over: BTreeMap<Scope, u32>,
    /// Keys of records that were written by a newer program: they are left as they are.
    newer: BTreeSet<String>,
    /// What is not learnt any more, and may have a record.
    gone: BTreeSet<(Scope, String)>,
}

/// What is learnt of a scope, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct LearntView {
    /// Which.
    pub scope: Scope,
    /// What is learnt, by the names of the metrics.
    pub metrics: Vec<MetricView>,
    /// How many were not, because there are too many.
    pub passed_over: u32,
}

/// What is usual of a metric in one hour of the week.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricView {
    /// Its name.
    pub metric: String,
    /// Each aspect of which anything was learnt.
    pub usual: Vec<(Aspect, Expectation)>,
}

impl Baselines {
    /// Learns the minutes for which nothing more is expected. `stable_of` returns the names that the stable release of a scope goes by (its
    /// id, what people call it); none where nothing is stable. To be called every minute or more often.
    pub fn learn(&mut self, aggregates: &Aggregates, stable_of: impl Fn(&Scope) -> Vec<String>) {
        self.learnt_to_ms.retain(|scope, _| aggregates.scopes().any(|(known, _)| known == scope));
        for (scope, series) in aggregates.scopes() {
            let end_ms = series.settled_ms().div_euclid(MINUTE_MS) * MINUTE_MS;
            let known = self.learnt_to_ms.insert(scope.clone(), end_ms).unwrap_or(end_ms - MINUTE_MS);
            let stable = stable_of(scope);
            if stable.is_empty() {
                continue;
            }
            let mut start_ms = known.max(end_ms - CATCH_UP_MINUTES_MAX * MINUTE_MS);
            while start_ms < end_ms {
                let minutes = minute::minutes(series, start_ms, &stable);
                self.learn_minute(scope, &minutes, start_ms);
                start_ms += MINUTE_MS;
            }
        }
    }

    fn learn_minute(&mut self, scope: &Scope, minutes: &[Minute<'_>], start_ms: i64) {
        let mut passed_over = 0;
        for minute in minutes {
            if !self.is_admitted(scope, minute.metric) {
                passed_over += 1;
                continue;
            }
            let metrics = self.known.entry(scope.clone()).or_default();
            metrics.entry(minute.metric.to_owned()).or_default().learn(minute, start_ms);
        }
        match passed_over {
            0 => self.passed_over.remove(scope),
            _ => self.passed_over.insert(scope.clone(), passed_over),
        };
    }

    /// Returns whether a metric may be learnt. One that somebody asked about takes the place of one that nobody did.
    fn is_admitted(&mut self, scope: &Scope, metric: &str) -> bool {
        if self.known.get(scope).is_some_and(|metrics| metrics.contains_key(metric)) {
            return true;
        }
        let all: usize = self.known.values().map(BTreeMap::len).sum();
        let Some(metrics) = self.known.get_mut(scope) else { return all < METRICS_LEARNT_MAX };
        if all < METRICS_LEARNT_MAX && metrics.len() < METRICS_LEARNT_PER_SCOPE_MAX {
            return true;
        }
        let Some(asked) = self.asked.get(scope).filter(|asked| asked.contains(metric)) else { return false };
        let Some(other) = metrics.keys().rfind(|known| !asked.contains(*known)).cloned() else { return false };
        metrics.remove(&other);
        self.gone.insert((scope.clone(), other));
        true
    }

    /// Returns what is usual in the hour of the week of an instant; `None` where nothing was learnt.
    pub fn usual(&mut self, scope: &Scope, metric: &str, aspect: Aspect, at_ms: i64) -> Option<Expectation> {
        let metrics = self.known.get(scope)?;
        let asked = self.asked.entry(scope.clone()).or_default();
        if asked.len() < METRICS_LEARNT_PER_SCOPE_MAX && !asked.contains(metric) {
            asked.insert(metric.to_owned());
        }
        metrics.get(metric)?.expected(aspect, at_ms)
    }

    /// Returns what is learnt of every scope, as it is usual in the hour of the week of an instant.
    pub fn view(&self, at_ms: i64) -> Vec<LearntView> {
        let passed_over = |scope: &Scope| self.passed_over.get(scope).copied().unwrap_or_default();
        let metric = |(name, baseline): (&String, &Baseline)| {
            let usual = Aspect::ALL.iter().filter_map(|aspect| Some((*aspect, baseline.expected(*aspect, at_ms)?)));
            MetricView { metric: name.clone(), usual: usual.collect() }
        };
        let view = |(scope, metrics): (&Scope, &BTreeMap<String, Baseline>)| LearntView {
            scope: scope.clone(),
            metrics: metrics.iter().map(metric).collect(),
            passed_over: passed_over(scope),
        };
        self.known.iter().map(view).collect()
    }

    /// Lets go of what was not measured for as long as days are kept: it has faded, and the service may be gone.
    pub fn forget_old(&mut self, now_ms: i64) {
        let oldest = week::day(now_ms) - DAYS_KEPT;
        let gone = &mut self.gone;
        for (scope, metrics) in &mut self.known {
            metrics.retain(|metric, baseline| {
                let stays = baseline.last_day().is_some_and(|day| day > oldest);
                if !stays {
                    gone.insert((scope.clone(), metric.clone()));
                }
                stays
            });
        }
        self.known.retain(|_, metrics| !metrics.is_empty());
        self.asked.retain(|scope, _| self.known.contains_key(scope));
        self.passed_over.retain(|scope, _| self.known.contains_key(scope));
    }

    /// Takes over what was written down. Returns a sentence for each record that cannot be read; one that a newer program wrote is left as
    /// it is from here on, any other is replaced when its metric is learnt again.
    pub fn restore(&mut self, kept: Vec<Kept>) -> Vec<String> {
        let mut unread = Vec::new();
        for Kept { key, record } in kept {
            match record::read(&record) {
                Ok((scope, metric, baseline)) => drop(self.known.entry(scope).or_default().insert(metric, baseline)),
                Err(why) => {
                    unread.push(format!("what is usual, {}, cannot be read: {why}", crate::point::quoted(&key)));
                    if matches!(why, Unreadable::Newer { .. }) {
                        self.newer.insert(key);
                    }
                }
            }
        }
        unread
    }

    /// Returns the keys of what has to be written down.
    pub(crate) fn changed(&self) -> Vec<(Scope, String)> {
        let changed = |(scope, metrics): (&Scope, &BTreeMap<String, Baseline>)| {
            let metrics =
                metrics.iter().filter(|(metric, found)| found.changed && !self.newer.contains(&record::key(scope, metric)));
            metrics.map(|(metric, _)| (scope.clone(), metric.clone())).collect::<Vec<_>>()
        };
        self.known.iter().flat_map(changed).collect()
    }

    /// Returns a record to be written down, and takes it for written.
    pub(crate) fn record(&mut self, scope: &Scope, metric: &str) -> Option<Kept> {
        let baseline = self.known.get_mut(scope)?.get_mut(metric)?;
        baseline.changed = false;
        Some(Kept { key: record::key(scope, metric), record: record::write(scope, metric, baseline) })
    }

    /// Says that a record was not written after all.
    pub(crate) fn not_written(&mut self, scope: &Scope, metric: &str) {
        if let Some(baseline) = self.known.get_mut(scope).and_then(|metrics| metrics.get_mut(metric)) {
            baseline.changed = true;
        }
    }

    /// Returns what has a record that is not needed any more, once. What is learnt again by now needs it.
    pub(crate) fn gone(&mut self) -> Vec<(Scope, String)> {
        let (known, newer) = (&self.known, &self.newer);
        let is_known = |scope: &Scope, metric: &str| known.get(scope).is_some_and(|metrics| metrics.contains_key(metric));
        let gone = std::mem::take(&mut self.gone).into_iter();
        gone.filter(|(scope, metric)| !is_known(scope, metric) && !newer.contains(&record::key(scope, metric))).collect()
    }

    /// Says that a record was not removed after all.
    pub(crate) fn not_removed(&mut self, scope: Scope, metric: String) {
        self.gone.insert((scope, metric));
    }
}
