//! Where the window begins: the readings that later ones are held against, and what was seen since.

use serde::{Deserialize, Serialize};
use towpath_sdk::health::Look;

use crate::counters::{Counters, Sides};
use crate::sequence::Sequence;
use crate::settings::Settings;

/// The readings at the beginning of a watch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// Which watch: the instant it began.
    started_ms: i64,
    readings: Vec<Counters>,
    /// What the watch has seen so far, where the sides are compared.
    #[serde(default)]
    pub(crate) sequence: Sequence,
}

impl Baseline {
    /// Returns the readings that an earlier look at the same watch left; at the first look, takes them now.
    ///
    /// Counters that were at zero when the watch began need no reading: all that they count belongs to the watch.
    pub(crate) fn of(look: &Look<Settings>, counters: &Sides) -> Self {
        let started_ms = look.window.started_ms;
        let left: Self = look.state();
        let mut baseline = if left.started_ms == started_ms { left } else { Self { started_ms, ..Self::default() } };
        let is_first = look.context.state.is_none() || baseline.readings.is_empty();
        for counted in [&counters.stable, &counters.candidate].into_iter().flatten() {
            let known = baseline.counters(&counted.release).is_some();
            if is_first && !known && counted.since_unix_ms < started_ms {
                baseline.readings.push(counted.clone());
            }
        }
        baseline
    }

    pub(crate) fn counters(&self, release: &str) -> Option<&Counters> {
        self.readings.iter().find(|reading| reading.release == release)
    }
}
