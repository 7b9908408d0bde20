//! What can be asked, after it was read.

use regex::Regex;

use crate::loki::store::Labels;

/// A query.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    /// For lines.
    Lines(Selection),
    /// For numbers.
    Numbers(Numbers),
}

/// Which lines.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) filters: Vec<Filter>,
}

/// What labels must be like.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    pub(crate) label: String,
    pub(crate) test: Test,
}

/// What a line must be like.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) test: Test,
}

/// A test of a text. In a matcher it is about the whole value, in a filter about any part of the line.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Text { text: String, wanted: bool },
    Pattern { pattern: Regex, wanted: bool },
}

/// A number for each stream, or for each group of them.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub(crate) function: Function,
    pub(crate) selection: Selection,
    pub(crate) range_ns: i64,
    pub(crate) offset_ns: i64,
    pub(crate) aggregation: Option<Aggregation>,
}

/// What is made of the lines in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    CountOverTime,
    Rate,
    BytesOverTime,
    BytesRate,
}

/// What is made of several streams' numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aggregation {
    pub(crate) operator: Operator,
    pub(crate) grouping: Grouping,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Sum,
    Min,
    Max,
    Avg,
    Count,
}

/// Which streams come together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grouping {
    All,
    By(Vec<String>),
    Without(Vec<String>),
}

impl Selection {
    /// Whether a stream is asked for. A label that it does not have is an empty one.
    pub(crate) fn fits(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|matcher| matcher.test.is(labels.get(&matcher.label).map_or("", String::as_str)))
    }

    /// Whether a line is asked for.
    pub(crate) fn keeps(&self, line: &str) -> bool {
        self.filters.iter().all(|filter| filter.test.is_in(line))
    }
}

impl Test {
    /// Whether the whole text passes; patterns are anchored when they are read.
    pub(crate) fn is(&self, found: &str) -> bool {
        match self {
            Self::Text { text, wanted } => (found == text) == *wanted,
            Self::Pattern { pattern, wanted } => pattern.is_match(found) == *wanted,
        }
    }

    fn is_in(&self, line: &str) -> bool {
        match self {
            Self::Text { text, wanted } => line.contains(text.as_str()) == *wanted,
            Self::Pattern { pattern, wanted } => pattern.is_match(line) == *wanted,
        }
    }
}

impl Grouping {
    /// Returns the labels that stay.
    pub(crate) fn group(&self, labels: &Labels) -> Labels {
        let stays = |name: &String| match self {
            Self::All => false,
            Self::By(names) => names.contains(name),
            Self::Without(names) => !names.contains(name),
        };
        labels.iter().filter(|(name, _)| stays(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
