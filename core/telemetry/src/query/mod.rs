//! Questions about what was measured.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::limits::{FILTER_VALUES_MAX, FILTERS_MAX, READING_WINDOWS_MAX, WINDOW_MS};
use crate::point::{Identity, Kind, Share, quoted};
use crate::scope::{ScopeSeries, settled_at};
use crate::sums::Sums;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The metric.
    pub metric: String,
    /// Whose: the names that one release goes by (its id, what people call it); none for all releases together.
    pub releases: Vec<String>,
    /// Which of its series; all of these must hold.
    pub filters: Vec<Filter>,
    /// The beginning, in Unix milliseconds: the first window that begins here or later.
    pub from_ms: i64,
    /// The end: no window that ends later.
    pub to_ms: i64,
}

/// What holds for the attributes of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The attribute.
    pub attribute: String,
    /// Its values, written as text. A value that ends in "*" stands for all that begin so.
    pub values: Vec<String>,
    /// Whether the attribute has one of the values, or none of them. An attribute that is not there has none.
    pub among: bool,
}

/// What was measured in a window, over all series that fit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// When it began, in Unix milliseconds.
    pub start_ms: i64,
    /// How long it is, in milliseconds.
    pub length_ms: u32,
    /// How many values were recorded; of a counter, what was added, rounded.
    pub count: u64,
    /// The sum of the values; of a counter, what was added. NaN where it is not known: a histogram came without.
    pub sum: f64,
    /// The smallest value, where that is known.
    pub min: Option<f64>,
    /// The largest value, where that is known.
    pub max: Option<f64>,
    /// The growing upper bounds of a histogram's buckets; empty where the metric is none, or its series have none in common.
    pub bounds: Vec<f64>,
    /// How many values were in each bucket: one more than there are bounds, or none where there are no bounds.
    pub counts: Vec<u64>,
}

/// What is known of what was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The windows in the order of time, from the oldest on; only such as nothing more is expected for.
    pub windows: Vec<Window>,
    /// Up to here, in Unix milliseconds, nothing more is expected: read on from here.
    pub settled_ms: i64,
    /// How many series fit.
    pub series: u32,
    /// How many series of the service were turned away because there are too many.
    pub turned_away: u32,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The question is not one.
    #[error("{0}")]
    Invalid(String),
    /// What was measured cannot be put together.
    #[error("{0}")]
    Unavailable(String),
}

impl Query {
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let Self { metric, filters, from_ms, to_ms, .. } = self;
        let invalid = |why: String| Err(Fault::Invalid(why));
        if metric.is_empty() {
            return invalid("no metric is named".to_owned());
        }
        if from_ms > to_ms {
            return invalid(format!("from {from_ms} is behind to {to_ms}"));
        }
        if filters.len() > FILTERS_MAX {
            return invalid(format!("{} filters, at most {FILTERS_MAX}", filters.len()));
        }
        if let Some(filter) = filters.iter().find(|filter| filter.values.len() > FILTER_VALUES_MAX) {
            let (found, attribute) = (filter.values.len(), quoted(&filter.attribute));
            return invalid(format!("{found} values of {attribute}, at most {FILTER_VALUES_MAX}"));
        }
        Ok(())
    }

    fn fits(&self, identity: &Identity) -> bool {
        let of_release = self.releases.is_empty() || self.releases.iter().any(|release| release == identity.release());
        let asked = match identity.share() {
            Share::Own => true,
            Share::Whole => self.filters.is_empty(),
            Share::Part => !self.filters.is_empty(),
        };
        of_release && asked && self.filters.iter().all(|filter| filter.holds(identity))
    }

    /// Returns until when the answer is whole: not later than was asked for, so that the next question can go on from there.
    fn settled_ms(&self, settled_ms: i64) -> i64 {
        settled_ms.min(self.to_ms.div_euclid(WINDOW_MS) * WINDOW_MS)
    }
}

impl Filter {
    fn holds(&self, identity: &Identity) -> bool {
        let Some(found) = identity.attribute(&self.attribute) else { return !self.among };
        let is_one = |value: &String| match value.strip_suffix('*') {
            Some(beginning) => found.starts_with(beginning),
            None => found == value,
        };
        self.values.iter().any(is_one) == self.among
    }
}

/// Returns what is known of a scope that sent nothing.
pub(crate) fn nothing(query: &Query, now_ms: i64) -> Reading {
    Reading { settled_ms: query.settled_ms(settled_at(now_ms)), ..Reading::default() }
}

/// Returns what was measured in a scope.
pub(crate) fn read(scope: &ScopeSeries, query: &Query) -> Result<Reading, Fault> {
    let settled_ms = query.settled_ms(scope.settled_ms());
    let from = query.from_ms.div_euclid(WINDOW_MS) + i64::from(query.from_ms.rem_euclid(WINDOW_MS) > 0);
    let to = settled_ms.div_euclid(WINDOW_MS);
    let mut windows: BTreeMap<i64, Sums> = BTreeMap::new();
    let (mut series, mut is) = (0, None);
    for (_, found) in scope.of_metric(&query.metric).filter(|(identity, _)| query.fits(identity)) {
        series += 1;
        let known = *is.get_or_insert((found.kind, &found.unit));
        if known != (found.kind, &found.unit) {
            let (kind, unit) = known;
            let (one, other) = (described(kind, unit), described(found.kind, &found.unit));
            let metric = quoted(&query.metric);
            return Err(Fault::Unavailable(format!(
                "{metric} is {one} in some series and {other} in others: ask for one release"
            )));
        }
        for (place, sums) in found.between(from, to) {
            windows.entry(*place).or_default().add(sums);
        }
    }
    let kind = is.map(|(kind, _)| kind);
    let windows = windows.into_iter().take(READING_WINDOWS_MAX).map(|(place, sums)| window(place, kind, sums)).collect();
    Ok(Reading { windows, settled_ms, series, turned_away: scope.turned_away() })
}

fn described(kind: Kind, unit: &str) -> String {
    format!("a {} in {}", kind.word(), quoted(unit))
}

fn window(place: i64, kind: Option<Kind>, sums: Sums) -> Window {
    let Sums { count, sum, min, max, buckets } = sums;
    // What a counter went down by is no number of values.
    let count = if kind == Some(Kind::Counter) { sum.round() as u64 } else { count };
    let buckets = buckets.filter(|buckets| !buckets.bounds().is_empty());
    let (bounds, counts) = buckets.map_or_else(Default::default, |found| (found.bounds().to_vec(), found.counts().to_vec()));
    let start_ms = place.saturating_mul(WINDOW_MS);
    Window { start_ms, length_ms: WINDOW_MS as u32, count, sum, min, max, bounds, counts }
}
