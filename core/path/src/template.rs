//! Free-form values with expressions inside: `run` and the settings of plugins.

use serde_json::{Map, Value};

use crate::expression::{Embedded, Expression, Variables, embedded};
use crate::text::diagnostic::Diagnostic;
use crate::text::node::{Content, Node};
use crate::text::source::Source;

/// Returns the value with every expression replaced by what it evaluates to, or what could not be evaluated.
pub(crate) fn evaluate(node: &Node, source: &Source, variables: &Variables) -> Result<Value, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let value = walk(node, source, variables, &mut found);
    if found.is_empty() { Ok(value) } else { Err(found) }
}

fn walk(node: &Node, source: &Source, variables: &Variables, found: &mut Vec<Diagnostic>) -> Value {
    match &node.content {
        Content::Text(_) => match expression(node, source) {
            Some(expression) => evaluated(&expression, source, variables).unwrap_or_else(|fault| {
                found.push(fault);
                Value::Null
            }),
            None => node.to_json(),
        },
        Content::Sequence(items) => Value::Array(items.iter().map(|item| walk(item, source, variables, found)).collect()),
        Content::Mapping(entries) => {
            let walked = entries.iter().map(|entry| (entry.key.clone(), walk(&entry.value, source, variables, found)));
            Value::Object(walked.collect::<Map<_, _>>())
        }
        Content::Null | Content::Bool(_) | Content::Integer(_) | Content::Float(_) => node.to_json(),
    }
}

/// Returns the expression that a value is, if it is one.
pub(crate) fn expression(node: &Node, source: &Source) -> Option<Expression> {
    let Embedded::Whole(inner) = embedded(node.text()?) else { return None };
    let span = source.find_within(node.span, inner).unwrap_or(node.span);
    Some(Expression { text: inner.to_owned(), span })
}

/// Returns what an expression evaluates to, or where and why it does not.
pub(crate) fn evaluated(expression: &Expression, source: &Source, variables: &Variables) -> Result<Value, Diagnostic> {
    expression.evaluate(variables).map_err(|words| {
        let absent = words.starts_with("there is no");
        let found = Diagnostic::at(source, expression.span, "the expression has no value here").label(words);
        let hint = "where a value may be absent, ask before with has(…), or give the parameter a default";
        found.hint_if(absent.then(|| hint.to_owned()))
    })
}
