//! What was pushed: streams of lines, each ordered by time.

use std::collections::BTreeMap;

/// The labels of a stream; they are its name.
pub(crate) type Labels = BTreeMap<String, String>;

/// The most lines in the store. A test with more has a mistake in it.
const ENTRIES_MAX: usize = 1_000_000;

/// A line and when it was written, in nanoseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) at_ns: i64,
    pub(crate) line: String,
}

/// All streams.
#[derive(Debug, Default)]
pub(crate) struct Store {
    streams: BTreeMap<Labels, Vec<Entry>>,
    count: usize,
}

impl Store {
    /// Adds a line to a stream. The same line of the same moment is there once, as Loki has it.
    pub(crate) fn add(&mut self, labels: Labels, entry: Entry) -> Result<(), String> {
        if self.count >= ENTRIES_MAX {
            return Err(format!("there are {ENTRIES_MAX} lines already"));
        }
        let entries = self.streams.entry(labels).or_default();
        let (from, to) = (
            entries.partition_point(|known| known.at_ns < entry.at_ns),
            entries.partition_point(|known| known.at_ns <= entry.at_ns),
        );
        if !entries[from..to].contains(&entry) {
            entries.insert(to, entry);
            self.count += 1;
        }
        Ok(())
    }

    /// Returns the streams whose labels fit.
    pub(crate) fn streams(&self, fits: impl Fn(&Labels) -> bool) -> impl Iterator<Item = (&Labels, &[Entry])> {
        self.streams.iter().filter(move |(labels, _)| fits(labels)).map(|(labels, entries)| (labels, entries.as_slice()))
    }
}
