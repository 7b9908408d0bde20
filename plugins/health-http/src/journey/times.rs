//! Times of answers, kept from look to look.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use towpath_sdk::prelude::*;

use super::settings::{Journey, SAMPLES_MAX, Step};
use crate::settings::Settings;

/// The times of a watch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Times {
    /// Which watch: the instant it began.
    started_ms: i64,
    /// Of each step, by journey and place: the latest times, in milliseconds, oldest first.
    steps: BTreeMap<String, Vec<u32>>,
}

/// What the times of a step say.
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) sentence: String,
    pub(crate) measurement: Measurement,
}

impl Times {
    /// Returns what an earlier look at the same watch left.
    pub(crate) fn of(look: &Look<Settings>) -> Self {
        let started_ms = look.window.started_ms;
        let left: Self = look.state();
        if left.started_ms == started_ms { left } else { Self { started_ms, ..Self::default() } }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Takes the times of a journey's steps.
    pub(crate) fn take(&mut self, journey: &Journey, times: &[(usize, u32)]) {
        for (place, time) in times {
            let kept = self.steps.entry(key(journey, *place)).or_default();
            kept.push(*time);
            let surplus = kept.len().saturating_sub(SAMPLES_MAX as usize);
            kept.drain(..surplus);
        }
    }

    /// Holds the times of a journey's steps against their limits.
    pub(crate) fn judge(&self, journey: &Journey) -> Vec<Finding> {
        let timed = journey.steps.iter().enumerate().filter(|(_, step)| step.expect.is_timed_over_looks());
        timed.filter_map(|(place, step)| Some(self.finding(journey, place, step, step.expect.time_ms_max?))).collect()
    }

    fn finding(&self, journey: &Journey, place: usize, step: &Step, max: u32) -> Finding {
        let kept = self.steps.get(&key(journey, place)).map_or(&[][..], Vec::as_slice);
        let mut sorted = kept.to_vec();
        sorted.sort_unstable();
        let (percentile, needed) = (step.expect.time_percentile, step.expect.time_samples_min as usize);
        let found = sorted.get(percentile.rank(sorted.len()).saturating_sub(1)).copied();
        let slow = sorted.iter().filter(|time| **time > max).count();
        // Suppose that all those missing are fast: if even then too many are slow, waiting helps nobody.
        let all = sorted.len().max(needed);
        let certain = slow > all - percentile.rank(all);
        let what = format!("journey {:?}, step {} ({} {})", journey.name, place + 1, step.method, step.path);
        let (count, name) = (sorted.len(), percentile.as_str());
        let (verdict, sentence) = match found {
            Some(found) if certain && count >= needed => {
                (Verdict::Unhealthy, format!("{what}: {name} of {count} answers is {found} ms, at most {max} ms may be"))
            }
            Some(_) if certain => (
                Verdict::Unhealthy,
                format!("{what}: {slow} of {count} answers took more than {max} ms, too many for the {name} of {needed}"),
            ),
            Some(found) if count >= needed => {
                (Verdict::Healthy, format!("{what}: {name} of {count} answers is {found} ms, {max} ms may be"))
            }
            Some(_) | None => {
                (Verdict::Inconclusive, format!("{what}: {count} answers are timed, {needed} are needed to judge their {name}"))
            }
        };
        let measurement =
            Measurement::new(&format!("{}-{}-{name}", journey.name, place + 1), f64::from(found.unwrap_or(0)), "ms");
        Finding { verdict, sentence, measurement: measurement.against(f64::from(max)).of_samples(count as u64) }
    }
}

fn key(journey: &Journey, place: usize) -> String {
    format!("{}/{place}", journey.name)
}
