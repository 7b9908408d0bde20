//! Texts of the settings that are more than texts: spans of time, and selectors of series.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The longest span: a year. What is meant to be longer is a mistake.
const SPAN_MAX_MS: u64 = 366 * 24 * 60 * 60 * 1_000;

/// The longest selector, in bytes.
const SELECTOR_BYTES_MAX: usize = 1_000;

/// The units of a span, the largest first, in milliseconds.
const UNITS: [(&str, u64); 6] = [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A span of time as PromQL writes it: "30s", "5m", "1h30m".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// In milliseconds; at least one.
    pub ms: u64,
}

impl Span {
    /// Returns a span of seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self { ms: seconds * 1_000 }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no span of time, expected one like 30s, 5m or 1h30m");
        let (mut ms, mut rest, mut largest) = (0_u64, text, u64::MAX);
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0).ok_or_else(wrong)?;
            let (number, behind) = rest.split_at(digits);
            let letters = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
            let (unit, behind) = behind.split_at(letters);
            let (_, unit_ms) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
            // As in PromQL, each unit stands once and the larger one first.
            if *unit_ms >= largest {
                return Err(wrong());
            }
            let number: u64 = number.parse().map_err(|_| wrong())?;
            ms = number.checked_mul(*unit_ms).and_then(|more| ms.checked_add(more)).ok_or_else(wrong)?;
            (largest, rest) = (*unit_ms, behind);
        }
        match ms {
            0 => Err(wrong()),
            1..=SPAN_MAX_MS => Ok(Self { ms }),
            _ => Err(format!("{text:?} is longer than a year")),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ms % 1_000 {
            0 => write!(f, "{}s", self.ms / 1_000),
            _ => write!(f, "{}ms", self.ms),
        }
    }
}

/// One series or several of one name, as PromQL selects them: `up{job="web"}`. No expression: only of what was scraped is it known when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(pub String);

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no selector of series, expected one like up{{job=\"web\"}}: a name and matchers in braces");
        if text.len() > SELECTOR_BYTES_MAX {
            return Err(format!("a selector has {} bytes, at most {SELECTOR_BYTES_MAX} are read", text.len()));
        }
        let name = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len());
        let matchers = &text[name..];
        let is_named = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':');
        if !is_named || !(matchers.is_empty() || matchers.starts_with('{') && closes_at_its_end(matchers)) {
            return Err(wrong());
        }
        Ok(Self(text.to_owned()))
    }
}

/// Returns whether the brace that a text begins with is closed by its last character and not before. Texts in quotes may hold any.
fn closes_at_its_end(matchers: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in matchers.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return at + 1 == matchers.len(),
            '{' if !quoted => return false,
            _ => {}
        }
    }
    false
}

/// Reads a text of the settings as what it stands for.
pub(crate) fn read<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9]+(w|d|h|ms|m|s))+$", "maxLength": 40 })
    }
}

impl JsonSchema for Selector {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-zA-Z_:][a-zA-Z0-9_:]*([{].*[}])?$", "maxLength": SELECTOR_BYTES_MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_promql_writes_them() {
        let ms = |text: &str| text.parse::<Span>().map(|span| span.ms);
        assert_eq!(ms("30s"), Ok(30_000));
        assert_eq!(ms("1h30m"), Ok(5_400_000));
        assert_eq!(ms("1m500ms"), Ok(60_500));
        assert_eq!(ms("2w1d"), Ok(15 * 86_400_000));
        for wrong in
            ["", "30", "s", "0s", "-1s", "1.5s", "30s1m", "1s1s", "5 m", "1y", "99999999999999999999s", "99999999999999w"]
        {
            assert!(ms(wrong).is_err_and(|why| why.contains("is no span of time")), "{wrong:?}");
        }
        assert!(ms("53w").is_err_and(|why| why.contains("longer than a year")));
        assert_eq!(["30s", "1m", "250ms"].map(|text| text.parse::<Span>().unwrap().to_string()), ["30s", "60s", "250ms"]);
    }

    #[test]
    fn a_selector_is_no_expression() {
        for good in ["up", "a:b_c", "up{}", r#"up{job="web",code=~"5.."}"#, r#"up{a="}\"{",b="("}"#, r#"up{release="$release"}"#]
        {
            assert_eq!(good.parse::<Selector>(), Ok(Selector(good.to_owned())));
        }
        for wrong in [
            "",
            "sum(up)",
            "{}",
            "up[5m]",
            "up{",
            "up}",
            "up{} or up{}",
            r#"up{a="}"#,
            "1",
            "up offset 5m",
            "-up",
            "up{a{}}",
            "up{}{}",
        ] {
            assert!(wrong.parse::<Selector>().is_err(), "{wrong:?}");
        }
        assert!("a".repeat(2_000).parse::<Selector>().is_err());
    }
}
