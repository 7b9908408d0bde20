//! One matcher of labels, as Alertmanager writes it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use towpath_sdk::helpers::placeholders::{Piece, UnknownName, fill, pieces, quoted};
use towpath_sdk::helpers::text::regex_escaped;

/// The longest matcher, in bytes: all of them stand in one address.
const BYTES_MAX: usize = 500;

/// The operators, the longer ones first: `=~` begins like `=`.
const OPERATORS: [(&str, Operator); 4] =
    [("=~", Operator::Matches), ("!~", Operator::MatchesNot), ("!=", Operator::IsNot), ("=", Operator::Is)];

/// One matcher: a label, and what its value must be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Matcher {
    label: String,
    operator: Operator,
    /// With its placeholders.
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    Matches,
    MatchesNot,
}

impl Matcher {
    /// Returns whether the value has this placeholder.
    pub(crate) fn names(&self, name: &str) -> bool {
        pieces(&self.value).any(|piece| piece == Piece::Name(name))
    }

    /// Returns the matcher as it is sent. What a placeholder stands for is a text also inside of a regular expression.
    pub(crate) fn filter<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> Result<String, UnknownName> {
        let escaped = |text: &str| match self.operator {
            Operator::Is | Operator::IsNot => text.to_owned(),
            Operator::Matches | Operator::MatchesNot => regex_escaped(text),
        };
        let filled = fill(&self.value, |name| value(name).map(escaped))?;
        Ok(written(&self.label, self.operator, &filled))
    }
}

/// Returns the filter for one value of a label, without placeholders.
pub(crate) fn is(label: &str, value: &str) -> String {
    written(label, Operator::Is, value)
}

/// Returns the filter for any of several values of a label, without placeholders.
pub(crate) fn one_of(label: &str, values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| regex_escaped(value)).collect();
    written(label, Operator::Matches, &values.join("|"))
}

fn written(label: &str, operator: Operator, value: &str) -> String {
    format!("{label}{}\"{}\"", operator.as_str(), quoted(value))
}

impl Operator {
    fn as_str(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        }
    }
}

impl TryFrom<String> for Matcher {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("a matcher has {} bytes, at most {BYTES_MAX} may be", text.len()));
        }
        let wrong = || format!("{text:?} is no matcher; expected a label, one of = != =~ !~, and a value between double quotes");
        let place = text.find(['=', '!']).ok_or_else(wrong)?;
        let (label, rest) = (text[..place].trim(), &text[place..]);
        let operator = OPERATORS.iter().find_map(|(sign, operator)| rest.strip_prefix(sign).map(|value| (*operator, value)));
        let (operator, value) = operator.ok_or_else(wrong)?;
        let value =
            value.trim().strip_prefix('"').and_then(|value| value.strip_suffix('"')).and_then(unescaped).ok_or_else(wrong)?;
        if !is_label(label) {
            return Err(format!("{text:?} is no matcher: {label:?} is no name of a label"));
        }
        Ok(Self { label: label.to_owned(), operator, value })
    }
}

impl JsonSchema for Matcher {
    fn schema_name() -> Cow<'static, str> {
        "Matcher".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = "A matcher of labels, as `service=\"$service\"`.";
        json_schema!({ "description": description, "type": "string", "maxLength": BYTES_MAX, "pattern": "^[a-zA-Z_][a-zA-Z0-9_]* *(=|!=|=~|!~) *\".*\"$" })
    }
}

/// Returns whether a text may be the name of a label.
pub(crate) fn is_label(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns a value without its escapes: those of Alertmanager, and no others. `None` where a quote stands alone.
fn unescaped(text: &str) -> Option<String> {
    let mut value = String::with_capacity(text.len());
    let mut left = text.chars();
    while let Some(character) = left.next() {
        match character {
            '"' => return None,
            '\\' => match left.next()? {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\') => value.push(escaped),
                // As in a regular expression: `\d` is both characters.
                other => value.extend(['\\', other]),
            },
            _ => value.push(character),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let value = |name: &str| match name {
            "service" => Some("web.shop"),
            "label" => Some("v\"2\\"),
            _ => None,
        };
        let found = Matcher::try_from(text.to_owned()).expect(text).filter(value);
        assert_eq!(found.as_deref(), Ok(expect), "{text}");
    }

    #[test]
    fn values_are_filled_and_escaped_for_where_they_stand() {
        check(r#"service="$service""#, r#"service="web.shop""#);
        check(r#" service != "$service" "#, r#"service!="web.shop""#);
        check(r#"job=~"$service-(a|b)$""#, r#"job=~"web\\.shop-(a|b)$""#);
        check(r#"job!~".*$label""#, r#"job!~".*v\"2\\\\""#);
        check(r#"release="$label""#, r#"release="v\"2\\""#);
        check(r#"price="$$5 \"\\ \n""#, r#"price="$5 \"\\ \n""#);
        check(r#"job=~"\d+""#, r#"job=~"\\d+""#);
        check(r#"empty="""#, r#"empty="""#);
    }

    #[test]
    fn what_is_no_matcher_is_refused() {
        for text in
            ["", "service", "service=web", r#"service="web"#, r#"ser-vice="a""#, r#"=="a""#, r#"a="b"c""#, r#"a~"b""#, r#"a="b\"#]
        {
            Matcher::try_from(text.to_owned()).expect_err(text);
        }
        assert!(Matcher::try_from(format!("a=\"{}\"", "b".repeat(500))).expect_err("long").contains("at most 500"));
        let unknown = Matcher::try_from(r#"a="$serivce""#.to_owned()).expect("a matcher").filter(|_| None);
        assert_eq!(unknown, Err(UnknownName("serivce".to_owned())));
    }
}
