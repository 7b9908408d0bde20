//! What earlier steps of a journey captured, and where it goes.

use std::collections::BTreeMap;

use serde_json::Value;
use towpath_sdk::helpers::placeholders::{Piece, UnknownName, fill, pieces};
use towpath_sdk::helpers::text::percent_encoded;

/// The longest text that is captured, in bytes: a signed token has a few thousand.
const BYTES_MAX: usize = 8 << 10;

/// Shorter texts are not hidden: they are numbers and words, and a sentence would lose more than they give away.
const HIDDEN_BYTES_MIN: usize = 8;

/// What was captured, by name. Nothing of it is remembered after the look, and nothing of it is told.
#[derive(Debug, Default)]
pub(crate) struct Captured(BTreeMap<String, Value>);

impl Captured {
    /// Keeps a value, or says why it cannot be kept.
    pub(crate) fn keep(&mut self, name: &str, value: Value) -> Result<(), String> {
        match &value {
            Value::String(text) if text.len() > BYTES_MAX => {
                Err(format!("what ${name} captures has {} bytes, at most {BYTES_MAX} may be", text.len()))
            }
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                self.0.insert(name.to_owned(), value);
                Ok(())
            }
            Value::Null => Err(format!("${name} captures null, expected a text, a number or a boolean")),
            Value::Array(_) => Err(format!("${name} captures a list, expected a text, a number or a boolean")),
            Value::Object(_) => Err(format!("${name} captures an object, expected a text, a number or a boolean")),
        }
    }

    /// Returns a path in which what was captured cannot lead elsewhere.
    pub(crate) fn in_path(&self, path: &str) -> Result<String, UnknownName> {
        fill(path, |name| self.text(name).map(|text| percent_encoded(&text)))
    }

    /// Returns a text with what was captured as it is.
    pub(crate) fn in_text(&self, text: &str) -> Result<String, UnknownName> {
        fill(text, |name| self.text(name))
    }

    /// Returns a value of JSON. A text that is one placeholder alone becomes what was captured, with its type.
    pub(crate) fn in_json(&self, value: &Value) -> Result<Value, UnknownName> {
        match value {
            Value::String(text) => self.in_json_text(text),
            Value::Array(items) => items.iter().map(|item| self.in_json(item)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), self.in_json(value)?)))
                .collect::<Result<_, _>>()
                .map(Value::Object),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
        }
    }

    /// Returns a sentence in which nothing stands that was captured.
    pub(crate) fn hide(&self, sentence: &str) -> String {
        let mut sentence = sentence.to_owned();
        for (name, value) in &self.0 {
            if let Some(text) = value.as_str().filter(|text| text.len() >= HIDDEN_BYTES_MIN) {
                sentence = sentence.replace(text, &format!("${name}"));
            }
        }
        sentence
    }

    fn in_json_text(&self, text: &str) -> Result<Value, UnknownName> {
        let mut parts = pieces(text);
        match (parts.next(), parts.next()) {
            (Some(Piece::Name(name)), None) => self.0.get(name).cloned().ok_or_else(|| UnknownName(name.to_owned())),
            _ => self.in_text(text).map(Value::String),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}
