//! What was found: numbers with their instants, by series.

use std::collections::BTreeMap;
use std::fmt;

/// What an expression gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// One number that belongs to no series.
    Scalar(Point),
    /// One point of each series.
    Vector(Vec<Series>),
    /// Points of each series, in the order of time.
    Matrix(Vec<Series>),
}

/// The labels of a series.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(pub BTreeMap<String, String>);

/// One series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its labels, with its name under `__name__`.
    pub labels: Labels,
    /// Its points.
    pub points: Vec<Point>,
}

/// A number at an instant; it may be NaN or infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// The number.
    pub value: f64,
}

impl Data {
    /// Returns how the API calls this kind of data.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scalar(_) => "scalar",
            Self::Vector(_) => "vector",
            Self::Matrix(_) => "matrix",
        }
    }

    /// Returns the series; those of a scalar are one without labels.
    pub fn into_series(self) -> Vec<Series> {
        match self {
            Self::Scalar(point) => vec![Series { labels: Labels::default(), points: vec![point] }],
            Self::Vector(series) | Self::Matrix(series) => series,
        }
    }
}

impl Series {
    /// Returns the newest point.
    pub fn newest(&self) -> Option<Point> {
        self.points.last().copied()
    }
}

impl fmt::Display for Labels {
    /// Writes the labels as PromQL does: `http_requests_total{code="500"}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.get("__name__").map_or("", String::as_str);
        f.write_str(name)?;
        let mut others = self.0.iter().filter(|(label, _)| *label != "__name__").peekable();
        if others.peek().is_none() && !name.is_empty() {
            return Ok(());
        }
        f.write_str("{")?;
        for (number, (label, value)) in others.enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            write!(f, "{comma}{label}={value:?}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_read_as_a_selector() {
        let labels = |pairs: &[(&str, &str)]| {
            Labels(pairs.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect()).to_string()
        };
        assert_eq!(labels(&[]), "{}");
        assert_eq!(labels(&[("__name__", "up")]), "up");
        assert_eq!(labels(&[("__name__", "up"), ("job", "a\"b"), ("code", "5")]), r#"up{code="5", job="a\"b"}"#);
    }
}
