//! Regular expressions of the settings, read with them.

use std::borrow::Cow;

use regex_lite::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// The longest regular expression, in bytes.
const BYTES_MAX: usize = 500;

/// How large a regular expression may become when it is read, in bytes: `(a{1000}){1000}` is short.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// A regular expression.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(Regex);

/// Several regular expressions.
pub(crate) trait Patterns {
    /// Returns whether one of them fits a line.
    fn fit(&self, line: &str) -> bool;
}

impl Patterns for [Pattern] {
    fn fit(&self, line: &str) -> bool {
        self.iter().any(|pattern| pattern.0.is_match(line))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("a regular expression has {} bytes, at most {BYTES_MAX} may be", text.len()));
        }
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
