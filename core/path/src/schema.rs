//! JSON Schema (2020-12), with errors that know their place in the file.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::text::diagnostic::Diagnostic;
use crate::text::node::described;
use crate::text::source::Place;
use crate::text::suggest::did_you_mean;

/// Finds the place of a value by its JSON pointer; with a key, the place of that key inside it. The note says how the value
/// got where it is used, when that is another place.
pub(crate) type Locate<'l> = &'l dyn Fn(&str, Option<&str>) -> (Place, Option<String>);

/// How messages name one of the values that are checked.
#[derive(Clone, Copy)]
pub(crate) struct What<'w> {
    /// One of them: "parameter", "setting".
    pub(crate) one: &'w str,
    /// Whose, with a space before it, or nothing: " of health-http".
    pub(crate) of: &'w str,
}

/// Compiles a schema. Nothing is fetched: a reference must point into the schema itself.
pub(crate) fn compile(schema: &Value) -> Result<Validator, (String, String)> {
    // The engine's own regular expressions could be made to run for minutes; these cannot.
    let patterns = jsonschema::PatternOptions::regex();
    let options = jsonschema::draft202012::options().offline().with_pattern_options(patterns);
    options.build(schema).map_err(|error| {
        let words = match error.kind() {
            ValidationErrorKind::Referencing(_) => "a reference must lead into the schema itself; nothing is fetched".to_owned(),
            _ => error.to_string(),
        };
        (error.instance_path().as_str().to_owned(), words)
    })
}

/// Returns everything in `value` that does not fit. `what` names one value of its kind ("parameter", "setting").
pub(crate) fn check(validator: &Validator, schema: &Value, value: &Value, what: What<'_>, locate: Locate<'_>) -> Vec<Diagnostic> {
    validator.iter_errors(value).flat_map(|error| diagnostics(&error, schema, what, locate)).collect()
}

fn diagnostics(error: &ValidationError<'_>, schema: &Value, what: What<'_>, locate: Locate<'_>) -> Vec<Diagnostic> {
    let pointer = error.instance_path().as_str();
    let What { one: what, of } = what;
    let at = |message: String, key: Option<&str>| {
        let (place, note) = locate(pointer, key);
        Diagnostic { notes: note.into_iter().collect(), ..Diagnostic::placed(place, message) }
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let known = known_keys(schema, error.schema_path().as_str());
            let one = |key: &String| {
                let found = at(format!("unknown {what} {key:?}{of}"), Some(key));
                let hint = did_you_mean(key, known.iter().map(String::as_str));
                match known.is_empty() {
                    true => found.note("there are none here"),
                    false => found.note(format!("known: {}", known.join(", "))).hint_if(hint),
                }
            };
            unexpected.iter().map(one).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let found = at(format!("the {what} {name:?}{of} is missing"), None);
            vec![match description(schema, pointer, name) {
                Some(text) => found.note(format!("{name}: {text}")),
                None => found,
            }]
        }
        kind => {
            let name = if pointer.is_empty() { format!("{what}{of}") } else { format!("{what} {:?}{of}", dotted(pointer)) };
            let label = format!("expected {}, found {}", expectation(kind, error), described(error.instance()));
            vec![at(format!("the {name} {}", verdict(kind)), None).label(label)]
        }
    }
}

fn verdict(kind: &ValidationErrorKind) -> &'static str {
    match kind {
        ValidationErrorKind::Maximum { .. }
        | ValidationErrorKind::Minimum { .. }
        | ValidationErrorKind::ExclusiveMaximum { .. }
        | ValidationErrorKind::ExclusiveMinimum { .. } => "is out of range",
        ValidationErrorKind::Type { .. } => "has the wrong type",
        _ => "does not fit",
    }
}

fn expectation(kind: &ValidationErrorKind, error: &ValidationError<'_>) -> String {
    match kind {
        ValidationErrorKind::Maximum { limit } => format!("at most {limit}"),
        ValidationErrorKind::Minimum { limit } => format!("at least {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        ValidationErrorKind::MaxLength { limit } => format!("at most {limit} characters"),
        ValidationErrorKind::MinLength { limit } => format!("at least {limit} characters"),
        ValidationErrorKind::MaxItems { limit } => format!("at most {limit} entries"),
        ValidationErrorKind::MinItems { limit } => format!("{limit} or more entries"),
        ValidationErrorKind::Enum { options } => match options.as_array() {
            Some(options) => options.iter().map(Value::to_string).collect::<Vec<_>>().join(" or "),
            None => options.to_string(),
        },
        ValidationErrorKind::Constant { expected_value } => expected_value.to_string(),
        ValidationErrorKind::Pattern { pattern } => format!("a text that matches {pattern:?}"),
        ValidationErrorKind::Type { kind: TypeKind::Single(wanted) } => format!("a value of type {wanted}"),
        ValidationErrorKind::Type { kind: TypeKind::Multiple(wanted) } => {
            let words: Vec<String> = wanted.iter().map(|t| t.to_string()).collect();
            format!("a value of type {}", words.join(" or "))
        }
        _ => format!("what the schema says ({error})"),
    }
}

/// Writes `/a/0/b` as `a.0.b`, as a person would say it.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}

/// Returns the keys that the schema around `…/additionalProperties` knows.
fn known_keys(schema: &Value, schema_path: &str) -> Vec<String> {
    let parent = schema_path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let properties = schema.pointer(parent).and_then(|parent| parent.get("properties")).and_then(Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

fn description<'s>(schema: &'s Value, pointer: &str, name: &str) -> Option<&'s str> {
    let top = pointer.is_empty().then_some(schema)?;
    top.get("properties")?.get(name)?.get("description")?.as_str()
}

/// Fills in the defaults of properties that are absent, down through nested objects.
pub(crate) fn fill_defaults(schema: &Value, value: &mut Value) {
    let (Some(properties), Some(object)) = (schema.get("properties").and_then(Value::as_object), value.as_object_mut()) else {
        return;
    };
    for (name, property) in properties {
        if let (false, Some(default)) = (object.contains_key(name), property.get("default")) {
            object.insert(name.clone(), default.clone());
        }
        if let Some(inner) = object.get_mut(name) {
            fill_defaults(property, inner);
        }
    }
}
