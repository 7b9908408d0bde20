//! YAML 1.2 (and so JSON) to a tree with places. Strict where YAML surprises: no anchors, no aliases, no tags, no merge keys,
//! no key twice, one document.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as Range};

use super::diagnostic::Diagnostic;
use super::node::{Content, Entry, Node};
use super::source::{Source, Span};

/// The largest file, in bytes: far above any path a person can read aloud.
pub(crate) const FILE_BYTES_MAX: usize = 256 * 1024;

/// How deep values may be nested: settings of plugins need a handful, recursion in here stays shallow.
const DEPTH_MAX: usize = 32;

/// How many values a file may hold: bounds the work of everything that walks the tree.
const NODES_MAX: usize = 20_000;

/// Returns the tree of a file, or everything that is wrong with its form.
pub(crate) fn read(source: &Source) -> Result<Node, Vec<Diagnostic>> {
    if source.text.len() > FILE_BYTES_MAX {
        let message = format!("the file {} is too long", source.file);
        let label = format!("at most {FILE_BYTES_MAX} bytes are read, found {}", source.text.len());
        return Err(vec![Diagnostic::nowhere(message).label(label)]);
    }
    let mut builder = Builder { source, open: Vec::new(), root: None, nodes: 0, found: Vec::new() };
    for event in Parser::new_from_str(&source.text) {
        let step = match event {
            Ok((event, range)) => builder.take(event, range),
            Err(error) => Err(not_yaml(source, &error)),
        };
        if let Err(last) = step {
            builder.found.push(last);
            return Err(builder.found);
        }
    }
    match builder.root {
        Some(root) if builder.found.is_empty() => Ok(root),
        Some(_) => Err(builder.found),
        None => Err(vec![Diagnostic::nowhere(format!("the file {} is empty", source.file))]),
    }
}

fn not_yaml(source: &Source, error: &saphyr_parser::ScanError) -> Diagnostic {
    let marker = error.marker();
    let span = Span { line: marker.line(), column: marker.col() + 1, width: 1 };
    let found = Diagnostic::at(source, span, "this is not YAML").label(error.info());
    // Inside `{…}` and `[…]` an unquoted expression ends at its own brace.
    match source.line(span.line).contains("${") {
        true => found.hint("an expression inside braces or brackets needs quotes: \"${…}\""),
        false => found,
    }
}

/// A sequence or mapping whose end has not come yet.
enum Open {
    Sequence { items: Vec<Node>, span: Span },
    Mapping { entries: Vec<Entry>, key: Option<(String, Span)>, known: HashMap<String, usize>, span: Span },
}

struct Builder<'s> {
    source: &'s Source,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    found: Vec<Diagnostic>,
}

impl Builder<'_> {
    /// Takes one event; an error ends the reading.
    fn take(&mut self, event: Event<'_>, range: Range) -> Result<(), Diagnostic> {
        let span = span_of(self.source, range);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Diagnostic::at(self.source, span, "the file holds a second document").label("one file, one document"))
            }
            Event::DocumentStart(_) => Ok(()),
            Event::Alias(_) => {
                self.refuse(span, "aliases are not read", "write the value out: a path is read aloud from top to bottom");
                self.put(Node { content: Content::Null, span })
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_only(span, anchor, tag.is_some());
                self.scalar(&text, style, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain_only(span, anchor, tag.is_some());
                self.begin(Open::Sequence { items: Vec::new(), span: Span { width: 1, ..span } })
            }
            Event::MappingStart(anchor, tag) => {
                self.plain_only(span, anchor, tag.is_some());
                let span = Span { width: 1, ..span };
                self.begin(Open::Mapping { entries: Vec::new(), key: None, known: HashMap::new(), span })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn plain_only(&mut self, span: Span, anchor: usize, tagged: bool) {
        if anchor > 0 {
            self.refuse(span, "anchors are not read", "write the value out where it is needed");
        }
        if tagged {
            self.refuse(span, "tags are not read", "the schema says what a value is");
        }
    }

    fn refuse(&mut self, span: Span, message: &str, label: &str) {
        self.found.push(Diagnostic::at(self.source, span, message).label(label));
    }

    fn begin(&mut self, open: Open) -> Result<(), Diagnostic> {
        let (Open::Sequence { span, .. } | Open::Mapping { span, .. }) = &open;
        let span = *span;
        if let Some(Open::Mapping { key: None, .. }) = self.open.last() {
            return Err(Diagnostic::at(self.source, span, "a key must be a text").label("found a list or a mapping"));
        }
        if self.open.len() >= DEPTH_MAX {
            let label = format!("at most {DEPTH_MAX} levels are read");
            return Err(Diagnostic::at(self.source, span, "values are nested too deep").label(label));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Diagnostic> {
        match self.open.pop() {
            Some(Open::Sequence { items, span }) => self.put(Node { content: Content::Sequence(items), span }),
            Some(Open::Mapping { entries, span, .. }) => self.put(Node { content: Content::Mapping(entries), span }),
            None => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Result<(), Diagnostic> {
        if let Some(Open::Mapping { key: key @ None, .. }) = self.open.last_mut() {
            *key = Some((text.to_owned(), span));
            return Ok(());
        }
        let content = match style {
            ScalarStyle::Plain => plain(text),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted | ScalarStyle::Literal | ScalarStyle::Folded => {
                Content::Text(text.to_owned())
            }
        };
        self.put(Node { content, span })
    }

    fn put(&mut self, node: Node) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let label = format!("at most {NODES_MAX} are read");
            return Err(Diagnostic::at(self.source, node.span, "the file holds too many values").label(label));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { entries, key, known, .. }) => {
                let Some((key, key_span)) = key.take() else {
                    return Err(Diagnostic::at(self.source, node.span, "a key must be a text").label("found an alias"));
                };
                if key == "<<" {
                    self.refuse(key_span, "merge keys are not read", "write the values out where they are needed");
                } else if let Some(first) = known.get(&key) {
                    let message = format!("the key {key:?} is there twice");
                    let label = format!("first on line {first}");
                    self.found.push(Diagnostic::at(self.source, key_span, message).label(label));
                } else {
                    known.insert(key.clone(), key_span.line);
                    entries.push(Entry { key, key_span, value: node });
                }
            }
        }
        Ok(())
    }
}

fn span_of(source: &Source, range: Range) -> Span {
    let (start, end) = (range.start, range.end);
    let width = match start.line() == end.line() {
        true => end.col().saturating_sub(start.col()),
        false => source.line(start.line()).chars().count().saturating_sub(start.col()),
    };
    Span { line: start.line(), column: start.col() + 1, width: width.max(1) }
}

/// Reads an unquoted scalar by the core schema of YAML 1.2: `yes` and `on` are texts.
fn plain(text: &str) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" => Content::Bool(true),
        "false" | "False" | "FALSE" => Content::Bool(false),
        _ => number(text).unwrap_or_else(|| Content::Text(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Content> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with(['+', '-'])).map(Content::Integer);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with(['+', '-'])).map(Content::Integer);
    }
    let numeric = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.bytes().all(numeric) || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Content::Integer(integer));
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite()).map(Content::Float)
}
