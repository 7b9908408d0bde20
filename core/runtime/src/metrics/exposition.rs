//! Prometheus' text format ("Exposition formats", version 0.0.4): families of samples, each with its help and type.

use std::fmt::{Display, Write};

/// What a family's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// They only grow, until the runtime starts again.
    Counter,
    /// They are what is now.
    Gauge,
    /// Cumulative buckets with sum and count.
    Histogram,
}

/// The name of a family, and a sentence about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Family(pub(crate) &'static str, pub(crate) &'static str);

/// A label and its value.
pub(crate) type Label<'a> = (&'static str, &'a str);

/// A text that grows. A family's samples come right after its head, as the format asks.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    text: String,
}

impl Exposition {
    /// Begins a family.
    pub(crate) fn family(&mut self, Family(name, help): Family, kind: Kind) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// Adds one sample.
    pub(crate) fn sample(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escape(value))).collect();
        self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
    }

    /// Returns the whole text.
    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn line(&mut self, line: impl Display) {
        // Writing into a text cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// Escapes what the format gives a meaning inside of a label's value.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_a_head_and_escaped_labels() {
        let mut exposition = Exposition::default();
        exposition.family(Family("towpath_a_total", "How many."), Kind::Counter);
        exposition.sample("towpath_a_total", &[("b", "c\"d\\e\nf"), ("g", "")], 7);
        let expect = "# HELP towpath_a_total How many.\n# TYPE towpath_a_total counter\n\
                      towpath_a_total{b=\"c\\\"d\\\\e\\nf\",g=\"\"} 7\n";
        assert_eq!(exposition.finish(), expect);
    }
}
