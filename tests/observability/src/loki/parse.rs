//! From a text to a query.

use regex::Regex;

use crate::loki::query::{Aggregation, Filter, Function, Grouping, Matcher, Numbers, Operator, Query, Selection, Test};

/// Why a query is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is no LogQL.
    Wrong(String),
    /// It may be, and the double does not know it.
    Unknown(String),
}

/// Functions of LogQL by name.
const FUNCTIONS: [(&str, Function); 4] = [
    ("count_over_time", Function::CountOverTime),
    ("rate", Function::Rate),
    ("bytes_over_time", Function::BytesOverTime),
    ("bytes_rate", Function::BytesRate),
];

/// Aggregations of LogQL by name.
const OPERATORS: [(&str, Operator); 5] =
    [("sum", Operator::Sum), ("min", Operator::Min), ("max", Operator::Max), ("avg", Operator::Avg), ("count", Operator::Count)];

/// Units of a duration, in nanoseconds, the longer names first.
const UNITS: [(&str, i64); 9] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// Reads a query.
pub(crate) fn parse(text: &str) -> Result<Query, Refusal> {
    let mut reader = Reader { text, at: 0 };
    let query = if reader.peek() == Some('{') { Query::Lines(reader.selection()?) } else { Query::Numbers(reader.numbers()?) };
    match reader.peek() {
        None => Ok(query),
        Some(_) => Err(Refusal::Unknown(format!("{:?} behind a whole query", reader.rest()))),
    }
}

/// Reads a duration like `5m` or `1h30m`, in nanoseconds.
pub(crate) fn duration_ns(text: &str) -> Option<i64> {
    let mut reader = Reader { text, at: 0 };
    let found = reader.duration().ok()?;
    reader.rest().is_empty().then_some(found)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Returns the next character that is no space.
    fn peek(&mut self) -> Option<char> {
        let space = self.rest().len() - self.rest().trim_start().len();
        self.at += space;
        self.rest().chars().next()
    }

    fn take(&mut self, word: &str) -> bool {
        self.peek();
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn need(&mut self, word: &str) -> Result<(), Refusal> {
        if self.take(word) { Ok(()) } else { Err(self.wrong(&format!("{word:?}"))) }
    }

    fn wrong(&self, expected: &str) -> Refusal {
        Refusal::Wrong(format!("parse error at line 1, col {}: expected {expected} before {:?}", self.at + 1, self.rest()))
    }

    fn name(&mut self) -> Result<String, Refusal> {
        self.peek();
        let name: String = self.rest().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.wrong("a name"));
        }
        self.at += name.len();
        Ok(name)
    }

    /// Reads a text in double quotes, with escapes, or in backticks, without.
    fn string(&mut self) -> Result<String, Refusal> {
        match self.peek() {
            Some('`') => {
                let end = self.rest()[1..].find('`').ok_or_else(|| self.wrong("a text that ends"))?;
                let found = self.rest()[1..=end].to_owned();
                self.at += found.len() + 2;
                Ok(found)
            }
            Some('"') => self.quoted(),
            _ => Err(self.wrong("a text in quotes")),
        }
    }

    fn quoted(&mut self) -> Result<String, Refusal> {
        let (mut found, mut escaped) = (String::new(), false);
        for (offset, c) in self.rest().char_indices().skip(1) {
            match (escaped, c) {
                (false, '"') => {
                    self.at += offset + 1;
                    return Ok(found);
                }
                (false, '\\') => escaped = true,
                (true, 'n') => (escaped, _) = (false, found.push('\n')),
                (true, 't') => (escaped, _) = (false, found.push('\t')),
                (true, '\\' | '"') => (escaped, _) = (false, found.push(c)),
                (true, _) => return Err(self.wrong("an escape that is one")),
                (false, c) => found.push(c),
            }
        }
        Err(self.wrong("a text that ends"))
    }

    fn duration(&mut self) -> Result<i64, Refusal> {
        let mut sum = 0_i64;
        let mut some = false;
        self.peek();
        while self.rest().starts_with(|c: char| c.is_ascii_digit()) {
            let digits = self.rest().len() - self.rest().trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let count: Option<i64> = self.rest()[..digits].parse().ok();
            self.at += digits;
            let unit =
                UNITS.iter().find(|(unit, _)| self.rest().starts_with(unit)).ok_or_else(|| self.wrong("a unit of time"))?;
            self.at += unit.0.len();
            let part = count.and_then(|count| count.checked_mul(unit.1)).and_then(|part| sum.checked_add(part));
            sum = part.ok_or_else(|| self.wrong("a shorter duration"))?;
            some = true;
        }
        if some { Ok(sum) } else { Err(self.wrong("a duration")) }
    }

    fn selection(&mut self) -> Result<Selection, Refusal> {
        let matchers = self.matchers()?;
        let mut filters = Vec::new();
        while let Some(filter) = self.filter()? {
            filters.push(filter);
        }
        Ok(Selection { matchers, filters })
    }

    fn matchers(&mut self) -> Result<Vec<Matcher>, Refusal> {
        self.need("{")?;
        let mut matchers = Vec::new();
        loop {
            let label = self.name()?;
            let (pattern, wanted) = match () {
                () if self.take("=~") => (true, true),
                () if self.take("!~") => (true, false),
                () if self.take("!=") => (false, false),
                () if self.take("=") => (false, true),
                () => return Err(self.wrong("=, !=, =~ or !~")),
            };
            let text = self.string()?;
            // About the whole value, other than in a line.
            let test = if pattern { self.pattern(&format!("^(?:{text})$"), wanted)? } else { Test::Text { text, wanted } };
            matchers.push(Matcher { label, test });
            if self.take("}") {
                break;
            }
            self.need(",")?;
        }
        if matchers.iter().all(|matcher| matcher.test.is("")) {
            let what = "a selector needs a matcher that an absent label does not pass";
            return Err(Refusal::Wrong(format!("parse error at line 1, col {}: {what}", self.at + 1)));
        }
        Ok(matchers)
    }

    fn filter(&mut self) -> Result<Option<Filter>, Refusal> {
        let (pattern, wanted) = match () {
            () if self.take("|=") => (false, true),
            () if self.take("|~") => (true, true),
            () if self.take("!=") => (false, false),
            () if self.take("!~") => (true, false),
            () if self.peek() == Some('|') => return Err(Refusal::Unknown(format!("the stage {:?}", self.rest()))),
            () => return Ok(None),
        };
        let text = self.string()?;
        // Here a dot is any character, line ends too.
        let test = if pattern { self.pattern(&format!("(?s:{text})"), wanted)? } else { Test::Text { text, wanted } };
        Ok(Some(Filter { test }))
    }

    fn pattern(&self, pattern: &str, wanted: bool) -> Result<Test, Refusal> {
        let pattern = Regex::new(pattern).map_err(|error| self.wrong(&format!("a regular expression ({error})")))?;
        Ok(Test::Pattern { pattern, wanted })
    }

    fn numbers(&mut self) -> Result<Numbers, Refusal> {
        let name = self.name()?;
        let Some((_, operator)) = OPERATORS.iter().find(|(known, _)| *known == name) else { return self.range(&name) };
        let before = self.grouping()?;
        self.need("(")?;
        let inner = self.name()?;
        let inner = self.range(&inner)?;
        self.need(")")?;
        let grouping = match before {
            Some(grouping) => grouping,
            None => self.grouping()?.unwrap_or(Grouping::All),
        };
        Ok(Numbers { aggregation: Some(Aggregation { operator: *operator, grouping }), ..inner })
    }

    fn grouping(&mut self) -> Result<Option<Grouping>, Refusal> {
        let of: fn(Vec<String>) -> Grouping = match () {
            () if self.take("by") => Grouping::By,
            () if self.take("without") => Grouping::Without,
            () => return Ok(None),
        };
        self.need("(")?;
        let mut names = Vec::new();
        while !self.take(")") {
            if !names.is_empty() {
                self.need(",")?;
            }
            names.push(self.name()?);
        }
        Ok(Some(of(names)))
    }

    fn range(&mut self, name: &str) -> Result<Numbers, Refusal> {
        let known = FUNCTIONS.iter().find(|(known, _)| *known == name);
        let (_, function) = known.ok_or_else(|| Refusal::Unknown(format!("the function {name:?}")))?;
        self.need("(")?;
        let mut selection = Selection { matchers: self.matchers()?, filters: Vec::new() };
        // The range stands behind the selector or behind the filters.
        let mut range_ns = self.bracket()?;
        while let Some(filter) = self.filter()? {
            selection.filters.push(filter);
        }
        if range_ns.is_none() {
            range_ns = self.bracket()?;
        }
        let range_ns = range_ns.ok_or_else(|| self.wrong("a range"))?;
        let offset_ns = if self.take("offset") { self.duration()? } else { 0 };
        self.need(")")?;
        Ok(Numbers { function: *function, selection, range_ns, offset_ns, aggregation: None })
    }

    fn bracket(&mut self) -> Result<Option<i64>, Refusal> {
        if !self.take("[") {
            return Ok(None);
        }
        let found = self.duration()?;
        self.need("]")?;
        if found == 0 { Err(self.wrong("a range that is not empty")) } else { Ok(Some(found)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, expect: &str) {
        let found = match parse(text) {
            Err(Refusal::Wrong(what)) => format!("wrong: {what}"),
            Err(Refusal::Unknown(what)) => format!("unknown: {what}"),
            Ok(query) => panic!("{text} is {query:?}"),
        };
        assert!(found.contains(expect), "{text}: {found}");
    }

    #[test]
    fn what_is_known_is_read() {
        for text in [
            r#"{app="mysql"}"#,
            r#"{ app = "my\"sql" , name!~`a\d+` } |= "error" != `time\out` |~ "a.*b" !~ "c""#,
            r#"count_over_time({job="mysql"}[5m])"#,
            r#"sum by (host) (rate({job="mysql"} |= "error" != "timeout" [1m]))"#,
            r#"sum(bytes_rate({job="mysql"}[1h30m] |= "x" offset 5m)) without (host, pod)"#,
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn what_is_wrong_and_what_is_only_unknown_are_told_apart() {
        refused("", "wrong: parse error at line 1, col 1: expected a name");
        refused("{}", "wrong: parse error");
        refused(r#"{a="b""#, "wrong: parse error at line 1, col 7: expected \",\"");
        refused(r#"{a=b}"#, "expected a text in quotes");
        refused(r#"{a=~"("}"#, "expected a regular expression");
        refused(r#"{a=~".*"}"#, "a matcher that an absent label does not pass");
        refused(r#"{a!="b"}"#, "a matcher that an absent label does not pass");
        refused(r#"count_over_time({a="b"})"#, "expected a range");
        refused(r#"count_over_time({a="b"}[5x])"#, "expected a unit of time");
        refused(r#"count_over_time({a="b"}[99999999999999999999w])"#, "expected a shorter duration");
        refused(r#"{a="b"} | json"#, "unknown: the stage \"| json\"");
        refused(r#"absent_over_time({a="b"}[5m])"#, "unknown: the function \"absent_over_time\"");
        refused(r#"rate({a="b"}[5m]) > 1"#, "unknown: \"> 1\" behind a whole query");
    }

    #[test]
    fn durations() {
        assert_eq!(duration_ns("1m30s"), Some(90_000_000_000));
        assert_eq!((duration_ns("5"), duration_ns(""), duration_ns("5m ")), (None, None, None));
    }
}
