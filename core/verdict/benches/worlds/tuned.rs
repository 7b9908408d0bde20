//! The best that a fixed interval with a threshold can do: set in hindsight, with the worlds known, so that false alarms stay at our level.

use crate::policy::{LEVEL, Measure, measured, threshold};
use crate::report::Line;
use crate::world::{Kind, Run, World};

const LENGTHS: [usize; 4] = [15, 30, 60, 120];
const MEASURES: [Measure; 3] = [Measure::Peers, Measure::Candidate, Measure::AgainstStable];
const FAILURES: [usize; 4] = [1, 2, 3, 5];

/// All intervals of all runs of a world, for each length and measure.
pub(crate) struct Measured(Vec<Vec<Vec<f64>>>);

/// A setting: length, measure, limit, failures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    kind: usize,
    limit: f64,
    failures: usize,
}

impl Measured {
    pub(crate) fn new() -> Self {
        Self(vec![Vec::new(); LENGTHS.len() * MEASURES.len()])
    }

    pub(crate) fn add(&mut self, kind: Kind, run: &Run) {
        for (place, kept) in self.0.iter_mut().enumerate() {
            kept.push(measured(kind, run, LENGTHS[place / MEASURES.len()], MEASURES[place % MEASURES.len()]));
        }
    }

    pub(crate) fn line(&self, setting: Setting) -> Line {
        let length = LENGTHS[setting.kind / MEASURES.len()];
        let mut line = Line::default();
        for run in &self.0[setting.kind] {
            line.add(threshold(run, length, setting.limit, setting.failures));
        }
        line
    }

    /// The least limit with which false alarms of this world stay at the level.
    fn limit(&self, kind: usize, failures: usize) -> f64 {
        // A run alarms when its so-many-th greatest interval is above the limit: so that one is what the limit must bound.
        let mut greatest: Vec<f64> = self.0[kind]
            .iter()
            .map(|run| {
                let mut values = verdict::sample::sorted(run);
                values.reverse();
                values.get(failures - 1).copied().unwrap_or(f64::NEG_INFINITY)
            })
            .collect();
        greatest.sort_by(|a, b| b.total_cmp(a));
        greatest[(greatest.len() as f64 * LEVEL) as usize]
    }
}

impl Setting {
    pub(crate) fn words(&self) -> String {
        let measure = match MEASURES[self.kind % MEASURES.len()] {
            Measure::Peers => "error share or 99th percentile",
            Measure::Candidate => "error share or mean time",
            Measure::AgainstStable => "the same less stable's",
        };
        format!(
            "every {} s, {measure} above {:.4}, alarm at failure {}",
            LENGTHS[self.kind / MEASURES.len()],
            self.limit,
            self.failures
        )
    }
}

/// Returns the one setting with the fewest candidate requests to detection over the bad ones of these worlds (a miss counts as all), among those that
/// keep to the level in each of the others.
pub(crate) fn best(worlds: &[(&World, &Measured)]) -> Setting {
    let settings = (0..LENGTHS.len() * MEASURES.len()).flat_map(|kind| FAILURES.map(|failures| (kind, failures)));
    let cost = |setting: &Setting| -> f64 {
        worlds.iter().filter(|(world, _)| world.bad).map(|(_, measured)| measured.line(*setting).seconds_or_all()).sum()
    };
    let limited = settings.map(|(kind, failures)| {
        let limits = worlds.iter().filter(|(world, _)| !world.bad).map(|(_, measured)| measured.limit(kind, failures));
        Setting { kind, limit: limits.fold(f64::NEG_INFINITY, f64::max), failures }
    });
    limited.min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("there are settings")
}
