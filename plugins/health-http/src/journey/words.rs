//! Words of the settings that are read with them, so that one that makes no sense is refused before anything is asked.

use std::borrow::Cow;
use std::fmt;

use regex_lite::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// The longest regular expression or path, in bytes: it is read anew at every look.
const BYTES_MAX: usize = 500;

/// How large a regular expression may become when it is read, in bytes: `(a{1000}){1000}` is short.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A regular expression.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Regex);

impl Pattern {
    /// Returns the expression.
    pub(crate) fn regex(&self) -> &Regex {
        &self.0
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        short(&text, "a regular expression")?;
        let compiled = RegexBuilder::new(&text).size_limit(COMPILED_BYTES_MAX).build();
        compiled.map(Self).map_err(|error| format!("the regular expression {text:?} cannot be read: {error}"))
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A regular expression.", "type": "string", "maxLength": BYTES_MAX })
    }
}

/// A path to values of a JSON document (RFC 9535).
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct JsonPath {
    text: String,
    path: serde_json_path::JsonPath,
}

impl JsonPath {
    /// Returns the path.
    pub(crate) fn path(&self) -> &serde_json_path::JsonPath {
        &self.path
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for JsonPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        short(&text, "a JSONPath")?;
        match serde_json_path::JsonPath::parse(&text) {
            Ok(path) => Ok(Self { text, path }),
            Err(error) => Err(format!("the JSONPath {text:?} cannot be read: {error}")),
        }
    }
}

impl JsonSchema for JsonPath {
    fn schema_name() -> Cow<'static, str> {
        "JsonPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = "A JSONPath (RFC 9535), without functions.";
        json_schema!({ "description": description, "type": "string", "maxLength": BYTES_MAX, "pattern": "^\\$" })
    }
}

/// Status codes: one, or a class of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusRange {
    /// This one.
    Code(u16),
    /// All that begin with this digit.
    Class(u16),
}

impl StatusRange {
    /// All codes of success.
    pub(crate) const SUCCESS: Self = Self::Class(2);

    pub(crate) fn holds(self, status: u16) -> bool {
        match self {
            Self::Code(code) => status == code,
            Self::Class(class) => status / 100 == class,
        }
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "{code}"),
            Self::Class(class) => write!(formatter, "{class}xx"),
        }
    }
}

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusVisitor)
    }
}

struct StatusVisitor;

impl Visitor<'_> for StatusVisitor {
    type Value = StatusRange;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a status code from 100 to 599, or a class of them like \"2xx\"")
    }

    fn visit_u64<E: Error>(self, code: u64) -> Result<StatusRange, E> {
        let code_in_range = u16::try_from(code).ok().filter(|code| (100..600).contains(code));
        code_in_range.map(StatusRange::Code).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Unsigned(code), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StatusRange, E> {
        let class = text.strip_suffix("xx").and_then(|digit| digit.parse().ok()).filter(|class| (1..=5).contains(class));
        class.map(StatusRange::Class).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

impl JsonSchema for StatusRange {
    fn schema_name() -> Cow<'static, str> {
        "StatusRange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A status code, or a class of them.",
            "anyOf": [{ "type": "integer", "minimum": 100, "maximum": 599 }, { "type": "string", "pattern": "^[1-5]xx$" }]
        })
    }
}

fn short(text: &str, what: &str) -> Result<(), String> {
    match text.len() {
        length if length > BYTES_MAX => Err(format!("{what} has {length} bytes, at most {BYTES_MAX} may be")),
        _ => Ok(()),
    }
}
