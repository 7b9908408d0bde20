//! The tree of a file, where every value and every key knows its place.

use serde_json::{Map, Number, Value};

use super::source::Span;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) span: Span,
}

/// What a value is. Numbers that are not finite are texts: JSON has no word for them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// One key of a mapping with its value. Keys are unique.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

impl Node {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Null
            | Content::Bool(_)
            | Content::Integer(_)
            | Content::Float(_)
            | Content::Sequence(_)
            | Content::Mapping(_) => None,
        }
    }

    /// Returns the entries of a mapping; none for everything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Mapping(entries) => entries,
            Content::Null
            | Content::Bool(_)
            | Content::Integer(_)
            | Content::Float(_)
            | Content::Text(_)
            | Content::Sequence(_) => &[],
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Returns the same value without its places.
    pub(crate) fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Integer(value) => Value::from(*value),
            Content::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
            Content::Text(text) => Value::String(text.clone()),
            Content::Sequence(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Content::Mapping(entries) => {
                Value::Object(entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect::<Map<_, _>>())
            }
        }
    }

    /// Returns the deepest value on the way that a JSON pointer describes, and whether the way was walked to its end.
    pub(crate) fn follow(&self, pointer: &str) -> (&Node, bool) {
        let mut node = self;
        for segment in pointer.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let next = match &node.content {
                Content::Sequence(items) => segment.parse::<usize>().ok().and_then(|index| items.get(index)),
                Content::Mapping(_)
                | Content::Null
                | Content::Bool(_)
                | Content::Integer(_)
                | Content::Float(_)
                | Content::Text(_) => node.get(&segment),
            };
            match next {
                Some(next) => node = next,
                None => return (node, false),
            }
        }
        (node, true)
    }

    /// Returns the value as a person would name it: `the text "x"`, `the integer 5`, `a mapping`.
    pub(crate) fn described(&self) -> String {
        described(&self.to_json())
    }
}

/// The longest text that is repeated inside a sentence.
const QUOTED_CHARS_MAX: usize = 60;

/// Returns a value as a person would name it.
pub(crate) fn described(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("{value}"),
        Value::Number(number) if number.is_f64() => format!("the number {number}"),
        Value::Number(number) => format!("the integer {number}"),
        Value::String(text) => format!("the text {:?}", shortened(text)),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
