//! From a query and what was pushed to an answer. Pure.

use std::collections::BTreeMap;

use crate::loki::query::{Function, Numbers, Operator, Selection};
use crate::loki::store::{Entry, Labels, Store};

const NS_PER_SECOND: f64 = 1e9;

/// In which order lines come, and from which end they are taken when there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The oldest first.
    Forward,
    /// The latest first.
    Backward,
}

/// Returns the lines from `start_ns` up to before `end_ns`, at most `limit` over all streams.
pub(crate) fn lines(
    store: &Store,
    selection: &Selection,
    (start_ns, end_ns): (i64, i64),
    direction: Direction,
    limit: usize,
) -> BTreeMap<Labels, Vec<Entry>> {
    let streams = store.streams(|labels| selection.fits(labels));
    let mut found: Vec<(&Labels, &Entry)> = streams
        .flat_map(|(labels, entries)| entries.iter().map(move |entry| (labels, entry)))
        .filter(|(_, entry)| (start_ns..end_ns).contains(&entry.at_ns) && selection.keeps(&entry.line))
        .collect();
    // Stable: lines of one moment keep the order in which they came.
    match direction {
        Direction::Forward => found.sort_by_key(|(_, entry)| entry.at_ns),
        Direction::Backward => found.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.at_ns)),
    }
    let mut grouped: BTreeMap<Labels, Vec<Entry>> = BTreeMap::new();
    for (labels, entry) in found.into_iter().take(limit) {
        grouped.entry(labels.clone()).or_default().push(entry.clone());
    }
    grouped
}

/// Returns the numbers of one moment. A stream without a line in the range has none.
pub(crate) fn numbers(store: &Store, numbers: &Numbers, at_ns: i64) -> BTreeMap<Labels, f64> {
    let to = at_ns.saturating_sub(numbers.offset_ns);
    let from = to.saturating_sub(numbers.range_ns);
    let mut found = BTreeMap::new();
    for (labels, entries) in store.streams(|labels| numbers.selection.fits(labels)) {
        let within = entries.iter().filter(|entry| from < entry.at_ns && entry.at_ns <= to);
        let lines: Vec<&str> = within.map(|entry| entry.line.as_str()).filter(|line| numbers.selection.keeps(line)).collect();
        if !lines.is_empty() {
            found.insert(labels.clone(), value(numbers, &lines));
        }
    }
    aggregate(numbers, found)
}

fn value(numbers: &Numbers, lines: &[&str]) -> f64 {
    let bytes = || lines.iter().map(|line| line.len()).sum::<usize>() as f64;
    let seconds = numbers.range_ns as f64 / NS_PER_SECOND;
    match numbers.function {
        Function::CountOverTime => lines.len() as f64,
        Function::Rate => lines.len() as f64 / seconds,
        Function::BytesOverTime => bytes(),
        Function::BytesRate => bytes() / seconds,
    }
}

fn aggregate(numbers: &Numbers, found: BTreeMap<Labels, f64>) -> BTreeMap<Labels, f64> {
    let Some(aggregation) = &numbers.aggregation else { return found };
    let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
    for (labels, value) in found {
        groups.entry(aggregation.grouping.group(&labels)).or_default().push(value);
    }
    let together = |values: &[f64]| {
        let sum: f64 = values.iter().sum();
        match aggregation.operator {
            Operator::Sum => sum,
            Operator::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
            Operator::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Operator::Avg => sum / values.len() as f64,
            Operator::Count => values.len() as f64,
        }
    };
    groups.into_iter().map(|(labels, values)| (labels, together(&values))).collect()
}
