//! What is read at a look: what came since the last one, of either side, from wherever a metric selects it.

mod prometheus;
mod telemetry;

use serde::{Deserialize, Serialize};
use towpath_sdk::Side;
use towpath_sdk::health::{Look, Subject};
use towpath_sdk::helpers::placeholders::Placeholders;
use towpath_sdk::powers::clock;
use verdict::sample::Counts;

use crate::settings::{Against, Selection, Settings};
use prometheus::Asked;
use telemetry::Heard;

/// Why a look gives no verdict by what it read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The source failed, or what it gave cannot be true.
    Error(String),
    /// There is too little, or it is too old.
    NoData(String),
}

/// Up to where each source was read, by its own clock, in Unix milliseconds; none before the first look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadUpTo {
    prometheus_ms: Option<i64>,
    telemetry_ms: Option<i64>,
}

/// Whose numbers are read.
#[derive(Clone, Debug)]
pub(crate) struct Whose {
    placeholders: Placeholders,
    release: String,
    /// How many weeks before; 0 for now.
    weeks: u8,
    is_candidate: bool,
}

/// Reads what came since the last look.
pub(crate) struct Reader<'a> {
    asked: Asked<'a>,
    heard: Heard,
    stable: Vec<Whose>,
    candidate: Whose,
}

impl<'a> Reader<'a> {
    /// Returns a reader that goes on where an earlier look has read up to.
    pub(crate) fn new(look: &'a Look<Settings>, candidate: &Subject, upto: ReadUpTo) -> Self {
        let asked = Asked::new(look.settings.prometheus.as_ref(), elapsed_ms(look), upto.prometheus_ms);
        let heard = Heard::new(upto.telemetry_ms.unwrap_or(look.window.started_ms), clock::now_ms());
        let placeholders = Placeholders::of(&look.context);
        let is = |side: Side, subject: &Subject| Whose {
            placeholders: placeholders.clone().on(side, subject),
            release: subject.release.clone(),
            weeks: 0,
            is_candidate: side == Side::Candidate,
        };
        let stable = match look.settings.against {
            Against::Stable => look.subjects.stable.iter().map(|stable| is(Side::Stable, stable)).collect(),
            Against::Weeks(weeks) => (1..=weeks).map(|weeks| before(&placeholders, weeks)).collect(),
        };
        Self { asked, heard, stable, candidate: is(Side::Candidate, candidate) }
    }

    /// Returns up to where was read.
    pub(crate) fn upto(&self) -> ReadUpTo {
        ReadUpTo { prometheus_ms: self.asked.upto(), telemetry_ms: self.heard.upto() }
    }

    /// Returns what keeps a verdict from being a good one: series that were turned away.
    pub(crate) fn missing(&self) -> Option<String> {
        self.heard.missing()
    }

    /// Returns what was counted on both sides: the candidate's first.
    pub(crate) fn shares(&mut self, events: &Selection, trials: &Selection, compares: bool) -> Result<(Counts, Counts), Trouble> {
        let candidate = self.share(events, trials, &self.candidate.clone())?;
        let mut stable = Counts::default();
        for whose in if compares { self.stable.clone() } else { Vec::new() } {
            let more = self.share(events, trials, &whose)?;
            stable = Counts { events: stable.events + more.events, trials: stable.trials + more.trials };
        }
        Ok((candidate, stable))
    }

    fn share(&mut self, events: &Selection, trials: &Selection, whose: &Whose) -> Result<Counts, Trouble> {
        // Trials first: they say whether there is anything at all.
        let trials = self.counted(trials, whose)?;
        let events = self.counted(events, whose)?;
        Counts::from_numbers(events, trials).map_err(|bad| Trouble::Error(bad.to_string()))
    }

    fn counted(&mut self, selection: &Selection, whose: &Whose) -> Result<f64, Trouble> {
        match selection {
            Selection::Prometheus(selector) => self.asked.counted(selector, whose),
            Selection::Telemetry { metric, among, except } => self.heard.counted(metric, among, except, &whose.release),
        }
    }

    /// Returns, for each bound, how many times were above it on both sides: the candidate's first.
    pub(crate) fn above(&mut self, histogram: &Selection, bounds: &[f64]) -> Result<Vec<(Counts, Counts)>, Trouble> {
        let mut above: Vec<(Counts, Counts)> = self
            .times(histogram, bounds, &self.candidate.clone())?
            .into_iter()
            .map(|counts| (counts, Counts::default()))
            .collect();
        for whose in self.stable.clone() {
            let more = self.times(histogram, bounds, &whose)?;
            for ((_, stable), more) in above.iter_mut().zip(more) {
                *stable = Counts { events: stable.events + more.events, trials: stable.trials + more.trials };
            }
        }
        Ok(above)
    }

    fn times(&mut self, histogram: &Selection, bounds: &[f64], whose: &Whose) -> Result<Vec<Counts>, Trouble> {
        match histogram {
            Selection::Prometheus(selector) => self.asked.above(selector, bounds, whose),
            Selection::Telemetry { metric, among, except } => self.heard.above(metric, among, except, &whose.release, bounds),
        }
    }

    /// Returns how many of a metric's values tell of an error, as what is usual counts them.
    pub(crate) fn errors(&mut self, metric: &str) -> Result<Counts, Trouble> {
        self.heard.errors(metric, &self.candidate.release)
    }

    /// Returns the values of both sides: the candidate's first.
    pub(crate) fn values(
        &mut self,
        values: &Selection,
        step_seconds: u32,
        compares: bool,
    ) -> Result<(Vec<f64>, Vec<f64>), Trouble> {
        let candidate = self.points(values, step_seconds, &self.candidate.clone())?;
        let mut stable = Vec::new();
        for whose in if compares { self.stable.clone() } else { Vec::new() } {
            stable.extend(self.points(values, step_seconds, &whose)?);
        }
        Ok((candidate, stable))
    }

    fn points(&mut self, values: &Selection, step_seconds: u32, whose: &Whose) -> Result<Vec<f64>, Trouble> {
        match values {
            Selection::Prometheus(query) => self.asked.values(query, step_seconds, whose),
            Selection::Telemetry { metric, among, except } => self.heard.values(metric, among, except, &whose.release),
        }
    }
}

/// Returns how long the watch has gone on by our clock; lengths of time agree where clocks do not.
pub(crate) fn elapsed_ms(look: &Look<Settings>) -> u64 {
    u64::try_from(clock::now_ms().saturating_sub(look.window.started_ms)).unwrap_or(0)
}

fn before(placeholders: &Placeholders, weeks: u8) -> Whose {
    let anything = || ".+".to_owned();
    let placeholders = placeholders.clone().and("side", anything()).and("release", anything());
    let placeholders = placeholders.and("label", anything()).and("digest", anything()).and("endpoint", anything());
    Whose { placeholders, release: String::new(), weeks, is_candidate: false }
}
