//! Placeholders inside of a LogQL query.
//!
//! A value is a text of somebody else's: it is put in between quotes alone, escaped for these quotes, and where the text between them is a
//! regular expression (behind `=~`, `!~`, `|~`) as one that fits this value and no other.

use std::fmt;

use towpath_sdk::helpers::placeholders::{Piece, UnknownName, pieces};
use towpath_sdk::helpers::text::regex_escaped;

/// Why a query is not asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// A placeholder stands for nothing.
    Unknown(UnknownName),
    /// A placeholder stands outside of quotes.
    Outside(String),
    /// A value has the quote in it that nothing escapes.
    Backtick(String),
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => name.fmt(formatter),
            Self::Outside(name) => {
                write!(formatter, "${name} stands outside of quotes in loki.query, expected as in {{app=\"${name}\"}}")
            }
            Self::Backtick(name) => {
                write!(formatter, "what ${name} stands for has a backtick in it, which nothing escapes between backticks")
            }
        }
    }
}

/// Where in a query one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Outside of quotes.
    Outside,
    /// Between double quotes.
    Quotes { regex: bool, escaped: bool },
    /// Between backticks.
    Backticks { regex: bool },
}

/// Returns the query with what its placeholders stand for.
pub(crate) fn filled<'a>(query: &str, value: impl Fn(&str) -> Option<&'a str>) -> Result<String, Wrong> {
    let (mut filled, mut at) = (String::with_capacity(query.len()), At::Outside);
    for piece in pieces(query) {
        match piece {
            Piece::Text(text) => {
                for character in text.chars() {
                    at = behind(at, character, &filled);
                    filled.push(character);
                }
            }
            Piece::Name(name) => {
                let value = value(name).ok_or_else(|| Wrong::Unknown(UnknownName(name.to_owned())))?;
                filled.push_str(&placed(at, name, value)?);
            }
        }
    }
    Ok(filled)
}

/// Returns where one is behind a character.
fn behind(at: At, character: char, before: &str) -> At {
    match (at, character) {
        (At::Outside, '"') => At::Quotes { regex: takes_regex(before), escaped: false },
        (At::Outside, '`') => At::Backticks { regex: takes_regex(before) },
        (At::Outside, _) | (At::Quotes { escaped: false, .. }, '"') | (At::Backticks { .. }, '`') => At::Outside,
        (At::Quotes { regex, escaped: false }, '\\') => At::Quotes { regex, escaped: true },
        (At::Quotes { regex, .. }, _) => At::Quotes { regex, escaped: false },
        (At::Backticks { regex }, _) => At::Backticks { regex },
    }
}

/// Returns whether the text that begins behind these characters is a regular expression.
fn takes_regex(before: &str) -> bool {
    let before = before.trim_end();
    ["=~", "!~", "|~"].iter().any(|operator| before.ends_with(operator))
}

fn placed(at: At, name: &str, value: &str) -> Result<String, Wrong> {
    let literal = |regex: bool| if regex { regex_escaped(value) } else { value.to_owned() };
    match at {
        At::Outside => Err(Wrong::Outside(name.to_owned())),
        At::Quotes { regex, .. } => Ok(literal(regex).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")),
        At::Backticks { .. } if value.contains('`') => Err(Wrong::Backtick(name.to_owned())),
        At::Backticks { regex } => Ok(literal(regex)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str) -> Result<String, Wrong> {
        filled(query, |name| match name {
            "service" => Some("web.shop"),
            "label" => Some("v\"2`\\"),
            _ => None,
        })
    }

    #[track_caller]
    fn check(query: &str, expect: &str) {
        assert_eq!(found(query).as_deref(), Ok(expect), "{query}");
    }

    #[test]
    fn values_are_escaped_for_where_they_stand() {
        check(r#"{app="$service"}"#, r#"{app="web.shop"}"#);
        check(r#"{app=~"$service-.*"} |= "x""#, r#"{app=~"web\\.shop-.*"} |= "x""#);
        check(r#"{app!~ "a$"} != "$service" |~ `$service$`"#, r#"{app!~ "a$"} != "web.shop" |~ `web\.shop$`"#);
        check(r#"{a="b\"", l="$label"}"#, r#"{a="b\"", l="v\"2`\\"}"#);
        check(r#"{l=~"$label"}"#, r#"{l=~"v\"2`\\\\"}"#);
        check(r#"{a="5$$"}"#, r#"{a="5$"}"#);
    }

    #[test]
    fn values_never_leave_their_quotes() {
        assert_eq!(found("{app=$service}"), Err(Wrong::Outside("service".to_owned())));
        assert_eq!(found(r#"{a="b"} $service"#), Err(Wrong::Outside("service".to_owned())));
        assert_eq!(found("{a=`$label`}"), Err(Wrong::Backtick("label".to_owned())));
        assert_eq!(found(r#"{a="$serivce"}"#), Err(Wrong::Unknown(UnknownName("serivce".to_owned()))));
    }
}
