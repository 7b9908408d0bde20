//! The room as others use it: windows and what is usual behind one door, which any thread may use.

use std::sync::{Mutex, MutexGuard, PoisonError};

use model::Scope;

use crate::aggregates::{Aggregates, ScopeView};
use crate::outcome::Outcome;
use crate::point::Point;
use crate::query::{Fault, Query, Reading};
use crate::router::{Router, RouterCounters};
use crate::usual::record;
use crate::usual::shelf::{Shelf, ShelfError};
use crate::usual::{Aspect, Baselines, Expectation, LearntView};

/// What services measure of themselves, and what is usual of it.
///
/// Every method takes the time by the server's clock, in Unix milliseconds.
#[derive(Debug, Default)]
pub struct Telemetry {
    aggregates: Mutex<Aggregates>,
    strangers: Mutex<Strangers>,
    router: Mutex<Router>,
    // Locked after the aggregates where both are needed.
    baselines: Mutex<Baselines>,
}

/// What came of services and environments that the server does not know, since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    /// How many points.
    pub points: u64,
    /// Why they were turned away last.
    pub last_refusal: String,
}

impl Telemetry {
    /// Takes points of a scope; says how many, and why not the others.
    pub fn take(&self, scope: &Scope, points: Vec<Point>, now_ms: i64) -> Outcome {
        locked(&self.aggregates).take(scope, points, now_ms)
    }

    /// Counts what of a scope could not even be made into points.
    pub fn refuse(&self, scope: &Scope, refused: &Outcome, now_ms: i64) {
        locked(&self.aggregates).refuse(scope, refused, now_ms);
    }

    /// Counts what came of nobody that the server knows.
    pub fn turn_away(&self, strangers: &Outcome) {
        if strangers.refused > 0 {
            let mut known = locked(&self.strangers);
            known.points += strangers.refused;
            known.last_refusal = strangers.sentence();
        }
    }

    /// Takes what the local runtime's router counted for a release of a scope, as read at this instant.
    pub fn take_router(&self, scope: &Scope, counters: &RouterCounters, now_ms: i64) -> Outcome {
        let points = locked(&self.router).points(scope, counters, now_ms);
        match points {
            Ok(points) => self.take(scope, points, now_ms),
            Err(why) => {
                let mut outcome = Outcome::default();
                outcome.refuse(1, why);
                self.refuse(scope, &outcome, now_ms);
                outcome
            }
        }
    }

    /// Returns what was measured in a scope.
    pub fn read(&self, scope: &Scope, query: &Query, now_ms: i64) -> Result<Reading, Fault> {
        locked(&self.aggregates).read(scope, query, now_ms)
    }

    /// Returns what is usual in a scope in the hour of the week of an instant; `None` where nothing was learnt yet.
    pub fn usual(&self, scope: &Scope, metric: &str, aspect: Aspect, at_ms: i64) -> Result<Option<Expectation>, Fault> {
        if metric.is_empty() {
            return Err(Fault::Invalid("no metric is named".to_owned()));
        }
        Ok(locked(&self.baselines).usual(scope, metric, aspect, at_ms))
    }

    /// Closes windows, and lets go of what is old. To be called once in a window; whoever listens does ([`crate::receiver::serve`]).
    pub fn tick(&self, now_ms: i64) {
        locked(&self.aggregates).tick(now_ms);
        locked(&self.router).forget_old(now_ms);
    }

    /// Learns what is usual from the minutes that are over. `stable_of` returns the names that the stable release of a scope goes by; none
    /// where nothing is stable. It must not ask anything of this. To be called every minute.
    pub fn learn(&self, stable_of: impl Fn(&Scope) -> Vec<String>, now_ms: i64) {
        let mut aggregates = locked(&self.aggregates);
        aggregates.tick(now_ms);
        let mut baselines = locked(&self.baselines);
        baselines.learn(&aggregates, stable_of);
        baselines.forget_old(now_ms);
    }

    /// Writes down what was learnt since the last time. What cannot be written stays to be written; the first error is returned.
    pub async fn save(&self, shelf: &dyn Shelf) -> Result<(), ShelfError> {
        let changed = locked(&self.baselines).changed();
        for (scope, metric) in changed {
            let Some(record) = locked(&self.baselines).record(&scope, &metric) else { continue };
            if let Err(error) = shelf.keep(record).await {
                locked(&self.baselines).not_written(&scope, &metric);
                return Err(error);
            }
        }
        let mut gone = locked(&self.baselines).gone().into_iter();
        while let Some((scope, metric)) = gone.next() {
            if let Err(error) = shelf.remove(&record::key(&scope, &metric)).await {
                let mut baselines = locked(&self.baselines);
                [(scope, metric)].into_iter().chain(gone).for_each(|(scope, metric)| baselines.not_removed(scope, metric));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes over what was written down before. Returns a sentence for each record that cannot be read.
    pub async fn restore(&self, shelf: &dyn Shelf) -> Result<Vec<String>, ShelfError> {
        let kept = shelf.all().await?;
        Ok(locked(&self.baselines).restore(kept))
    }

    /// Returns what there is of every scope, for people.
    pub fn view(&self) -> Vec<ScopeView> {
        locked(&self.aggregates).view()
    }

    /// Returns what came of nobody that the server knows.
    pub fn strangers(&self) -> Strangers {
        locked(&self.strangers).clone()
    }

    /// Returns what is learnt of every scope, for people: as it is usual in the hour of the week of an instant.
    pub fn learnt(&self, at_ms: i64) -> Vec<LearntView> {
        locked(&self.baselines).view(at_ms)
    }
}

/// What was half done when a thread panicked is still consistent enough to go on with: sums of windows.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
