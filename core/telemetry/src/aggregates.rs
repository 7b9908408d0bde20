//! The series of all scopes, and what they may take together.

use std::collections::BTreeMap;

use model::Scope;

use crate::limits::{KEPT_NUMBERS_MAX, KEPT_NUMBERS_PER_SCOPE_MAX, SCOPES_MAX};
use crate::outcome::Outcome;
use crate::point::Point;
use crate::query::{self, Fault, Query, Reading};
use crate::scope::{ScopeSeries, Tally, Usage};

/// The windows of all scopes. Pure: time is an argument.
#[derive(Debug, Default)]
pub struct Aggregates {
    scopes: BTreeMap<Scope, ScopeSeries>,
    usage: Usage,
}

/// What there is of a scope, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeView {
    /// Which.
    pub scope: Scope,
    /// What it takes.
    pub usage: Usage,
    /// What happened to what came.
    pub tally: Tally,
    /// How many series were turned away in the last hour.
    pub turned_away: u32,
    /// Up to here nothing more is expected, in Unix milliseconds.
    pub settled_ms: i64,
}

impl Aggregates {
    /// Takes points of a scope; says how many, and why not the others.
    pub fn take(&mut self, scope: &Scope, points: Vec<Point>, now_ms: i64) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(series) = find(&mut self.scopes, scope, now_ms) else {
            let why = format!("{scope} is one more than the {SCOPES_MAX} services that this server keeps telemetry of");
            outcome.refuse(points.len() as u64, why);
            return outcome;
        };
        let others = self.usage.without(series.usage());
        let room = Usage::room_beside(others);
        series.settle(now_ms);
        series.crowd_out(room.kept_numbers);
        for point in points {
            match series.take(point, room, now_ms) {
                Ok(()) => outcome.taken += 1,
                Err(why) => outcome.refuse(1, why),
            }
        }
        self.usage = others.with(series.usage());
        outcome
    }

    /// Counts what of a scope could not even be made into points.
    pub fn refuse(&mut self, scope: &Scope, refused: &Outcome, now_ms: i64) {
        if refused.refused > 0
            && let Some(series) = find(&mut self.scopes, scope, now_ms)
        {
            series.refuse(refused.refused, refused.sentence());
        }
    }

    /// Returns what was measured in a scope.
    pub fn read(&mut self, scope: &Scope, query: &Query, now_ms: i64) -> Result<Reading, Fault> {
        query.check()?;
        match self.scopes.get_mut(scope) {
            None => Ok(query::nothing(query, now_ms)),
            Some(series) => {
                let others = self.usage.without(series.usage());
                series.settle(now_ms);
                self.usage = others.with(series.usage());
                query::read(series, query)
            }
        }
    }

    /// Closes windows of all scopes, lets go of what is old and of what does not fit. To be called once in a window.
    pub fn tick(&mut self, now_ms: i64) {
        let share = (KEPT_NUMBERS_MAX / self.scopes.len().max(1)).min(KEPT_NUMBERS_PER_SCOPE_MAX);
        for series in self.scopes.values_mut() {
            series.settle(now_ms);
            series.crowd_out(share);
        }
        self.scopes.retain(|_, series| !series.is_over(now_ms));
        self.usage = self.scopes.values().map(ScopeSeries::usage).fold(Usage::default(), Usage::with);
    }

    /// Returns what there is of every scope.
    pub fn view(&self) -> Vec<ScopeView> {
        let view = |(scope, series): (&Scope, &ScopeSeries)| ScopeView {
            scope: scope.clone(),
            usage: series.usage(),
            tally: series.tally().clone(),
            turned_away: series.turned_away(),
            settled_ms: series.settled_ms(),
        };
        self.scopes.iter().map(view).collect()
    }

    /// Returns what all scopes take.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Returns the scopes with their series.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = (&Scope, &ScopeSeries)> {
        self.scopes.iter()
    }
}

/// Returns a scope to which something comes, a new one if need be; none where there are too many.
fn find<'a>(scopes: &'a mut BTreeMap<Scope, ScopeSeries>, scope: &Scope, now_ms: i64) -> Option<&'a mut ScopeSeries> {
    if !scopes.contains_key(scope) && scopes.len() >= SCOPES_MAX {
        return None;
    }
    let series = scopes.entry(scope.clone()).or_insert_with(|| ScopeSeries::new(now_ms));
    series.seen_ms = now_ms;
    Some(series)
}
