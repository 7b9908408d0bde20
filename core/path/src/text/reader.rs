//! Reading a tree by what is expected in it, gathering everything that does not fit.

use model::InvalidName;

use super::diagnostic::Diagnostic;
use super::node::{Content, Entry, Node};
use super::source::{Source, Span};
use super::suggest::did_you_mean;
use super::units::Spelled;
use crate::expression::{Embedded, Expression, embedded};

/// Reads values and remembers what was wrong. A value that cannot be read is `None`: the caller goes on and finds the rest.
pub(crate) struct Reader<'s> {
    pub(crate) source: &'s Source,
    pub(crate) found: Vec<Diagnostic>,
    /// Every expression that was read, for the checks that need the whole file.
    pub(crate) expressions: Vec<Expression>,
}

/// The entries of a mapping whose keys were checked.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'n> {
    what: &'n str,
    span: Span,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// A value that is written down, or computed when a plan is compiled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting<T> {
    /// Written down.
    Known(T, Span),
    /// An expression; `what` is what it is for.
    Computed(Expression, &'static str),
}

impl<T> Setting<T> {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Known(_, span) => *span,
            Self::Computed(expression, _) => expression.span,
        }
    }
}

impl<'s> Reader<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        Self { source, found: Vec::new(), expressions: Vec::new() }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    pub(crate) fn at(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::at(self.source, span, message)
    }

    /// Reports that a value is not what was expected.
    pub(crate) fn expected(&mut self, node: &Node, what: &str, expected: &str) {
        let label = format!("expected {expected}, found {}", node.described());
        let message = format!("{what} does not fit");
        self.push(self.at(node.span, message).label(label));
    }

    /// Returns the fields of a mapping and reports keys that are not known.
    pub(crate) fn fields<'n>(&mut self, node: &'n Node, what: &'n str, known: &[&str]) -> Option<Fields<'n>> {
        let Content::Mapping(entries) = &node.content else {
            self.expected(node, what, &format!("a mapping with {}", known.join(", ")));
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let found = self.at(entry.key_span, format!("unknown key {:?} in {what}", entry.key));
            let hint = did_you_mean(&entry.key, known.iter().copied());
            self.push(found.note(format!("known keys: {}", known.join(", "))).hint_if(hint));
        }
        Some(Fields { what, span: node.span, entries })
    }

    /// Returns a field's value, or reports that it is missing.
    pub(crate) fn required<'n>(&mut self, fields: &Fields<'n>, key: &str, example: &str) -> Option<&'n Node> {
        let found = fields.get(key);
        if found.is_none() {
            let message = format!("the key {key:?} is missing in {}", fields.what);
            self.push(self.at(fields.span, message).label(format!("expected {key}: {example}")));
        }
        found
    }

    pub(crate) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        let text = node.text();
        if text.is_none() {
            self.expected(node, what, "a text");
        }
        text
    }

    pub(crate) fn items<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let Content::Sequence(items) = &node.content else {
            self.expected(node, what, "a list");
            return None;
        };
        Some(items)
    }

    /// Returns a list of texts; what is not a text is reported and left out.
    pub(crate) fn texts(&mut self, node: &Node, what: &str) -> Vec<(String, Span)> {
        let items = self.items(node, what).unwrap_or_default();
        items.iter().filter_map(|item| Some((self.text(item, what)?.to_owned(), item.span))).collect()
    }

    /// Returns a name by its own constructor.
    pub(crate) fn name<T>(&mut self, node: &Node, what: &str, new: impl Fn(&str) -> Result<T, InvalidName>) -> Option<T> {
        let text = self.text(node, what)?;
        match new(text) {
            Ok(name) => Some(name),
            Err(invalid) => {
                let found = self.at(node.span, format!("{what} is not a valid name"));
                self.push(found.label(format!("expected {}, found {}", invalid.expected, node.described())));
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match node.content {
            Content::Bool(value) => Some(value),
            _ => {
                self.expected(node, what, "true or false");
                None
            }
        }
    }

    /// Returns one of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, node: &Node, what: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let text = node.text().unwrap_or_default();
        let chosen = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if chosen.is_none() {
            let label = format!("expected {}, found {}", words.join(" or "), node.described());
            let found = self.at(node.span, format!("{what} does not fit")).label(label);
            self.push(found.hint_if(did_you_mean(text, words)));
        }
        chosen
    }

    /// Returns a scalar that may be an expression.
    pub(crate) fn setting<T: Spelled>(&mut self, node: &Node, what: &'static str) -> Option<Setting<T>> {
        if let Some(text) = node.text() {
            match embedded(text) {
                Embedded::None => {}
                Embedded::Whole(inner) => return self.expression(inner, node.span).map(|e| Setting::Computed(e, what)),
                Embedded::Mixed => {
                    self.not_whole(node);
                    return None;
                }
                Embedded::Unclosed => {
                    self.not_closed(node);
                    return None;
                }
            }
        }
        let value = T::read(&node.to_json());
        if value.is_none() {
            self.expected(node, what, T::EXPECTED);
        }
        value.map(|value| Setting::Known(value, node.span))
    }

    /// Returns a field's setting, if the field is there.
    pub(crate) fn setting_of<T: Spelled>(&mut self, fields: &Fields<'_>, key: &str, what: &'static str) -> Option<Setting<T>> {
        let node = fields.get(key)?;
        self.setting(node, what)
    }

    /// Returns a condition: an expression without `${…}` around it; with it, too.
    pub(crate) fn condition(&mut self, node: &Node, what: &str) -> Option<Expression> {
        let text = self.text(node, what)?;
        let inner = match embedded(text) {
            Embedded::Whole(inner) => inner,
            Embedded::None | Embedded::Mixed | Embedded::Unclosed => text,
        };
        self.expression(inner, node.span)
    }

    fn expression(&mut self, inner: &str, span: Span) -> Option<Expression> {
        let span = self.source.find_within(span, inner).unwrap_or(span);
        let expression = Expression { text: inner.to_owned(), span };
        match expression.check(self.source) {
            None => {
                self.expressions.push(expression.clone());
                Some(expression)
            }
            Some(fault) => {
                self.push(fault);
                None
            }
        }
    }

    /// Checks every expression inside a free-form value.
    pub(crate) fn template(&mut self, node: &Node) {
        match &node.content {
            Content::Text(text) => match embedded(text) {
                Embedded::None => {}
                Embedded::Whole(inner) => drop(self.expression(inner, node.span)),
                Embedded::Mixed => self.not_whole(node),
                Embedded::Unclosed => self.not_closed(node),
            },
            Content::Sequence(items) => items.iter().for_each(|item| self.template(item)),
            Content::Mapping(entries) => entries.iter().for_each(|entry| self.template(&entry.value)),
            Content::Null | Content::Bool(_) | Content::Integer(_) | Content::Float(_) => {}
        }
    }

    fn not_closed(&mut self, node: &Node) {
        let found = self.at(node.span, "the expression does not end").label("expected a closing }");
        self.push(found);
    }

    fn not_whole(&mut self, node: &Node) {
        let found = self.at(node.span, "an expression must be the whole value").label("found other text around ${…}");
        self.push(found.hint("build texts inside the expression: ${'http://' + parameters.host}"));
    }
}
