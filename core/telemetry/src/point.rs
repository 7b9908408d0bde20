//! What was measured, as it comes in: one value of one series from one writer, whatever wire it came over.

use std::sync::Arc;

use crate::buckets::Buckets;
use crate::limits::{
    ATTRIBUTE_BYTES_MAX, ATTRIBUTE_VALUE_BYTES_MAX, ATTRIBUTES_MAX, COUNT_MAX, METRIC_BYTES_MAX, QUOTED_CHARS_MAX,
    RELEASE_BYTES_MAX, UNIT_BYTES_MAX, VALUE_MAX,
};
use crate::sums::Sums;

/// What tells a series from others of its scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    metric: Arc<str>,
    release: Arc<str>,
    attributes: Arc<[(Box<str>, Box<str>)]>,
    share: Share,
}

/// What a series holds of its metric's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Share {
    /// Those with its attributes.
    #[default]
    Own,
    /// All of them, beside series of [`Share::Part`]: asked when no attribute is asked for.
    Whole,
    /// Those with its attributes, which are also in the whole: asked when an attribute is asked for.
    Part,
}

impl Identity {
    /// Returns the identity of a series, or why it cannot have one: as a sentence. Of attributes of one name the first is taken.
    pub fn new(metric: &Arc<str>, release: &Arc<str>, attributes: Vec<(String, String)>, share: Share) -> Result<Self, String> {
        checked("the name of a metric", metric, 1, METRIC_BYTES_MAX)?;
        checked("the name of a release", release, 1, RELEASE_BYTES_MAX)?;
        if attributes.len() > ATTRIBUTES_MAX {
            let (metric, found) = (quoted(metric), attributes.len());
            return Err(format!("a series of {metric} has {found} attributes, at most {ATTRIBUTES_MAX} are kept"));
        }
        for (name, value) in &attributes {
            checked("the name of an attribute", name, 1, ATTRIBUTE_BYTES_MAX)?;
            checked(&format!("attribute {}", quoted(name)), value, 0, ATTRIBUTE_VALUE_BYTES_MAX)?;
        }
        let mut attributes: Vec<(Box<str>, Box<str>)> = attributes.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        attributes.sort_by(|one, other| one.0.cmp(&other.0));
        attributes.dedup_by(|one, other| one.0 == other.0);
        Ok(Self { metric: Arc::clone(metric), release: Arc::clone(release), attributes: attributes.into(), share })
    }

    /// Returns the metric.
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// Returns the release that was measured.
    pub fn release(&self) -> &str {
        &self.release
    }

    /// Returns what the series holds of its metric's values.
    pub fn share(&self) -> Share {
        self.share
    }

    /// Returns the value of an attribute, if the series has it.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let at = self.attributes.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(&self.attributes[at].1)
    }

    /// Returns whether the values of this series tell of an error.
    pub fn is_error(&self) -> bool {
        let status = self.attribute("http.response.status_code").and_then(|status| status.parse::<u16>().ok());
        status.is_some_and(|status| status >= 500) || self.attribute("error.type").is_some()
    }

    /// Returns how many bytes its names take.
    pub(crate) fn bytes(&self) -> usize {
        let attributes: usize = self.attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.metric.len() + self.release.len() + attributes
    }

    /// Returns what its metric and release are, shared with others that name the same.
    pub(crate) fn names(&self) -> (Arc<str>, Arc<str>) {
        (Arc::clone(&self.metric), Arc::clone(&self.release))
    }
}

/// Who writes: a process, told from others by all that it says of itself. A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Writer(pub u128);

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A level, looked at now and then.
    Gauge,
    /// What was added.
    Counter,
    /// How values lie.
    Distribution,
}

impl Kind {
    /// Returns how people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Distribution => "histogram",
        }
    }
}

/// How a value relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Span {
    /// It stands for itself, or for what came since the value before.
    Own,
    /// It stands for all since its start.
    SinceStart,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Of which series.
    pub identity: Identity,
    /// In which unit.
    pub unit: Arc<str>,
    /// From whom.
    pub writer: Writer,
    /// What the metric is.
    pub kind: Kind,
    /// How it relates to those before.
    pub span: Span,
    /// When it was measured by the writer's clock, in Unix nanoseconds.
    pub at_ns: u64,
    /// Since when it was counted, in Unix nanoseconds; 0 where that is not known.
    pub start_ns: u64,
    /// What was measured.
    pub sums: Sums,
}

impl Point {
    /// Returns why the point cannot be taken, as a sentence: numbers that are none, counts that contradict each other, times that cannot be.
    pub fn check(&self) -> Result<(), String> {
        let metric = quoted(&self.identity.metric);
        self.wrong().map_or(Ok(()), |why| Err(format!("a {} of {metric} cannot be taken: {why}", self.word())))
    }

    fn word(&self) -> &'static str {
        match self.kind {
            Kind::Gauge => "value",
            Kind::Counter => "count",
            Kind::Distribution => "histogram",
        }
    }

    fn wrong(&self) -> Option<String> {
        let Self { at_ns, start_ns, sums, .. } = self;
        if *at_ns == 0 {
            return Some("it does not say when it was measured".to_owned());
        }
        if start_ns > at_ns {
            return Some(format!("it was counted from {start_ns} ns on and measured before that, at {at_ns} ns"));
        }
        if self.unit.len() > UNIT_BYTES_MAX {
            return Some(format!("its unit has {} bytes, at most {UNIT_BYTES_MAX} are kept", self.unit.len()));
        }
        // The sum of a histogram may be unknown.
        let unknown = self.kind == Kind::Distribution && sums.sum.is_nan();
        let numbers = [(!unknown).then_some(sums.sum), sums.min, sums.max];
        if let Some(number) = numbers.into_iter().flatten().find(|number| !is_measured(*number)) {
            return Some(format!("{number} is not a number that can be summed"));
        }
        if let (Some(min), Some(max)) = (sums.min, sums.max)
            && min > max
        {
            return Some(format!("its smallest value {min} is above its largest, {max}"));
        }
        if sums.count > COUNT_MAX {
            return Some(format!("it counts {} values, at most {COUNT_MAX} can be", sums.count));
        }
        let held = sums.buckets.as_ref().map_or(sums.count, Buckets::total);
        (held != sums.count).then(|| format!("its buckets hold {held} values, its count says {}", sums.count))
    }
}

fn is_measured(number: f64) -> bool {
    // Not so for NaN either.
    number.abs() <= VALUE_MAX
}

/// Returns a foreign text as a sentence may hold it: bounded, and on one line.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{shown:?}{more}")
}

fn checked(what: &str, text: &str, least: usize, most: usize) -> Result<(), String> {
    if text.len() < least {
        return Err(format!("{what} is empty"));
    }
    if text.len() > most {
        return Err(format!("{what} has {} bytes, at most {most} are kept: {}", text.len(), quoted(text)));
    }
    match text.chars().find(|letter| letter.is_control()) {
        Some(letter) => Err(format!("{what} has the control character {letter:?}: {}", quoted(text))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(attributes: &[(&str, &str)]) -> Result<Identity, String> {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Identity::new(&"time".into(), &"v1".into(), attributes, Share::Own)
    }

    fn point(kind: Kind, sums: Sums) -> Point {
        let identity = identity(&[]).unwrap();
        Point { identity, unit: "s".into(), writer: Writer(1), kind, span: Span::Own, at_ns: 2, start_ns: 1, sums }
    }

    #[test]
    fn attributes_are_the_same_in_any_order() {
        let one = identity(&[("b", "2"), ("a", "1"), ("a", "3")]).unwrap();
        assert_eq!(one, identity(&[("a", "1"), ("b", "2")]).unwrap());
        assert_eq!((one.attribute("a"), one.attribute("b"), one.attribute("c")), (Some("1"), Some("2"), None));
    }

    #[test]
    fn names_have_limits_that_are_told() {
        let long = "x".repeat(300);
        assert!(identity(&[("a", &long)]).unwrap_err().starts_with("attribute \"a\" has 300 bytes, at most 256 are kept"));
        assert!(identity(&[(&long, "a")]).unwrap_err().contains("at most 128"));
        assert_eq!(identity(&[("", "a")]).unwrap_err(), "the name of an attribute is empty");
        assert!(identity(&[("a", "b\nc")]).unwrap_err().contains("control character '\\n'"));
        assert!(identity(&[("a", ""); 17]).unwrap_err().contains("17 attributes, at most 16"));
        assert!(Identity::new(&"".into(), &"v1".into(), Vec::new(), Share::Own).unwrap_err().contains("a metric is empty"));
        assert!(Identity::new(&"a".into(), &"".into(), Vec::new(), Share::Own).unwrap_err().contains("a release is empty"));
        assert_eq!(quoted(&long).chars().count(), QUOTED_CHARS_MAX + 3);
    }

    #[test]
    fn errors_are_told_by_their_type_or_status() {
        let check = |name, value, expect| assert_eq!(identity(&[(name, value)]).unwrap().is_error(), expect, "{name} {value}");
        check("error.type", "timeout", true);
        check("error.type", "", true);
        check("http.response.status_code", "500", true);
        check("http.response.status_code", "499", false);
        check("http.response.status_code", "a lot", false);
        check("http.route", "500", false);
    }

    #[test]
    fn numbers_that_are_none_are_refused() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e101] {
            let said = point(Kind::Gauge, Sums::of_value(number)).check().unwrap_err();
            assert!(said.contains(&format!("{number} is not a number")), "{said}");
        }
        assert_eq!(point(Kind::Gauge, Sums::of_value(-1.0)).check(), Ok(()));
        let unknown = Sums { count: 1, sum: f64::NAN, buckets: Some(Buckets::unbounded(1)), ..Sums::default() };
        assert_eq!(point(Kind::Distribution, unknown).check(), Ok(()), "a histogram may come without a sum");
    }

    #[test]
    fn what_contradicts_itself_is_refused_with_both_values() {
        let histogram = Sums { count: 7, buckets: Some(Buckets::unbounded(5)), ..Sums::default() };
        let said = point(Kind::Distribution, histogram).check().unwrap_err();
        assert_eq!(said, "a histogram of \"time\" cannot be taken: its buckets hold 5 values, its count says 7");
        let crossed = Sums { min: Some(2.0), max: Some(1.0), ..Sums::of_value(1.0) };
        assert!(point(Kind::Gauge, crossed).check().unwrap_err().contains("smallest value 2 is above its largest, 1"));
        let backwards = Point { start_ns: 3, ..point(Kind::Gauge, Sums::of_value(1.0)) };
        assert!(backwards.check().unwrap_err().contains("from 3 ns on and measured before that, at 2 ns"));
        let never = Point { at_ns: 0, start_ns: 0, ..point(Kind::Gauge, Sums::of_value(1.0)) };
        assert!(never.check().unwrap_err().contains("does not say when"));
    }
}
