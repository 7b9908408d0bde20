//! `${…}`: expressions in CEL. They keep their type; there is no text templating.
//!
//! An expression is checked when its file is read (syntax, names) and evaluated when a plan is compiled. Both are bounded:
//! whoever publishes a path must not be able to hold up the server that compiles it.

use std::collections::HashMap;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::objects::Key;
use cel::{Context, ExecutionError, Program};
use serde_json::Value;

use crate::text::diagnostic::Diagnostic;
use crate::text::source::{Source, Span};
use crate::text::suggest::did_you_mean;

/// The longest expression, in bytes. What an expression can build grows with the product of its parts; this keeps the worst
/// one, together with [`SCOPE_BYTES_MAX`] and [`LOOPS_MAX`], within what a server can bear.
const EXPRESSION_BYTES_MAX: usize = 600;

/// How many loops (`exists`, `all`, `map`, `filter`) an expression may have: each one multiplies its cost.
const LOOPS_MAX: usize = 2;

/// How deep an expression may be nested: evaluation and checks recurse.
const NESTING_MAX: usize = 40;

/// The most that all variables together may hold, in bytes of JSON.
const SCOPE_BYTES_MAX: usize = 16 * 1024;

/// The largest result, in bytes of JSON: more than any setting or configuration needs.
const RESULT_BYTES_MAX: usize = 64 * 1024;

/// The longest part of the parser's own words that is repeated.
const PARSER_WORDS_MAX: usize = 120;

/// What an expression may speak of. `has`, `exists` and their like are macros and no functions.
pub(crate) const VARIABLES: [&str; 5] = ["parameters", "environment", "service", "release", "change"];

const FUNCTIONS: [&str; 13] =
    ["size", "contains", "startsWith", "endsWith", "string", "int", "uint", "double", "bool", "bytes", "dyn", "type", "value"];

/// An expression and its place; what is inside `${…}`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expression {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A field that an expression reads: `parameters.port` is (`parameters`, `port`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FieldUse {
    pub(crate) variable: String,
    pub(crate) field: String,
}

/// How a text contains an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embedded<'t> {
    /// Not at all.
    None,
    /// It is one, from end to end; this is what is inside.
    Whole(&'t str),
    /// Among other text.
    Mixed,
    /// It begins and does not end.
    Unclosed,
}

/// Returns how a text contains an expression. Braces inside CEL's own texts and maps do not end it.
pub(crate) fn embedded(text: &str) -> Embedded<'_> {
    let Some(start) = text.find("${") else { return Embedded::None };
    let inner = &text[start + 2..];
    let Some(end) = closing_brace(inner) else { return Embedded::Unclosed };
    match start == 0 && inner.len() == end + 1 {
        true => Embedded::Whole(&inner[..end]),
        false => Embedded::Mixed,
    }
}

fn closing_brace(inner: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

impl Expression {
    /// Returns what is wrong with the expression by itself.
    pub(crate) fn check(&self, source: &Source) -> Option<Diagnostic> {
        let program = match self.compile() {
            Ok(program) => program,
            Err((at, words)) => {
                let span = at.filter(|at| *at <= self.span.width).map_or(self.span, |at| Span {
                    column: self.span.column + at,
                    width: 1,
                    ..self.span
                });
                return Some(Diagnostic::at(source, span, "the expression cannot be read").label(words));
            }
        };
        let walk = Walk::over(program.expression());
        let fault = |message: String, label: String| {
            Some(Diagnostic::at(source, self.span, message).label(label).note(format!("in {}", self.text)))
        };
        if walk.nesting > NESTING_MAX {
            return fault("the expression is nested too deep".into(), format!("at most {NESTING_MAX} levels"));
        }
        if walk.loops > LOOPS_MAX {
            let label = format!("at most {LOOPS_MAX} loops, found {}", walk.loops);
            return fault("the expression loops too often".into(), label);
        }
        if let Some(name) = walk.variables.iter().find(|name| !VARIABLES.contains(&name.as_str())) {
            let known = format!("known variables: {}", VARIABLES.join(", "));
            let hint = did_you_mean(name, VARIABLES);
            return fault(format!("unknown variable {name:?}"), String::new()).map(|d| d.note(known).hint_if(hint));
        }
        if let Some(name) = walk.functions.iter().find(|name| !FUNCTIONS.contains(&name.as_str())) {
            let known = format!("known functions: {}", FUNCTIONS.join(", "));
            let hint = did_you_mean(name, FUNCTIONS);
            return fault(format!("unknown function {name:?}"), String::new()).map(|d| d.note(known).hint_if(hint));
        }
        None
    }

    /// Returns the fields of the variables that the expression reads.
    pub(crate) fn field_uses(&self) -> Vec<FieldUse> {
        self.compile().map(|program| Walk::over(program.expression()).fields).unwrap_or_default()
    }

    /// Returns the value, or a fragment that says why there is none.
    pub(crate) fn evaluate(&self, variables: &Variables) -> Result<Value, String> {
        let program = self.compile().map_err(|(_, words)| words)?;
        let value = program.execute(&variables.context).map_err(|error| in_our_words(&error))?;
        let mut room = RESULT_BYTES_MAX;
        from_cel(&value, &mut room)
    }

    /// Compiles, or says where (in characters from the beginning, on the first line) and why not.
    fn compile(&self) -> Result<Program, (Option<usize>, String)> {
        if self.text.len() > EXPRESSION_BYTES_MAX {
            let words = format!("at most {EXPRESSION_BYTES_MAX} bytes are read, found {}", self.text.len());
            return Err((None, words));
        }
        Program::compile(&self.text).map_err(|errors| {
            let Some(first) = errors.errors.first() else { return (None, errors.to_string()) };
            let words = first.msg.lines().next().unwrap_or_default();
            let words = words.split(" expecting ").next().unwrap_or(words).trim_start_matches("Syntax error: ");
            let words = words.replace("mismatched input '<EOF>'", "it ends too early");
            let at = usize::try_from(first.pos.1 - 1).ok().filter(|_| first.pos.0 == 1);
            (at, words.chars().take(PARSER_WORDS_MAX).collect())
        })
    }
}

/// Says why an expression has no value, as a fragment like our own.
fn in_our_words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no {key:?}"),
        other => {
            let words = other.to_string();
            let first: String = words.chars().take(1).flat_map(char::to_lowercase).collect();
            first + &words.chars().skip(1).collect::<String>()
        }
    }
}

/// What a walk over an expression's tree finds.
#[derive(Default)]
struct Walk {
    variables: Vec<String>,
    functions: Vec<String>,
    fields: Vec<FieldUse>,
    loops: usize,
    nesting: usize,
    bound: Vec<String>,
}

impl Walk {
    fn over(expression: &IdedExpr) -> Self {
        let mut walk = Self::default();
        walk.visit(expression, 1);
        walk
    }

    fn visit(&mut self, expression: &IdedExpr, depth: usize) {
        self.nesting = self.nesting.max(depth);
        // Deeper than allowed: the verdict is known, and the walk itself must not run out of stack.
        if depth > NESTING_MAX {
            return;
        }
        let deeper = depth + 1;
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) if self.bound.contains(name) => {}
            Expr::Ident(name) => self.variables.push(name.clone()),
            Expr::Select(select) => {
                if let Expr::Ident(variable) = &select.operand.expr
                    && !self.bound.contains(variable)
                {
                    self.fields.push(FieldUse { variable: variable.clone(), field: select.field.clone() });
                }
                self.visit(&select.operand, deeper);
            }
            Expr::Call(call) => {
                if call.func_name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    self.functions.push(call.func_name.clone());
                }
                call.target.iter().for_each(|target| self.visit(target, deeper));
                call.args.iter().for_each(|argument| self.visit(argument, deeper));
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element, deeper)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.entry(&entry.expr, deeper)),
            Expr::Struct(built) => built.entries.iter().for_each(|entry| self.entry(&entry.expr, deeper)),
            Expr::Comprehension(each) => {
                self.loops += 1;
                self.visit(&each.iter_range, deeper);
                let before = self.bound.len();
                self.bound.extend([each.iter_var.clone(), each.accu_var.clone()]);
                self.bound.extend(each.iter_var2.clone());
                for part in [&each.accu_init, &each.loop_cond, &each.loop_step, &each.result] {
                    self.visit(part, deeper);
                }
                self.bound.truncate(before);
            }
        }
    }

    fn entry(&mut self, entry: &EntryExpr, depth: usize) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value, depth),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, depth);
                self.visit(&entry.value, depth);
            }
        }
    }
}

/// What expressions speak of while one plan is compiled.
pub(crate) struct Variables {
    context: Context<'static, 'static>,
}

impl Variables {
    /// Returns the variables, or how many bytes they have when those are too many.
    pub(crate) fn new(values: &[(&str, &Value)]) -> Result<Self, String> {
        let bytes: usize = values.iter().map(|(_, value)| value.to_string().len()).sum();
        if bytes > SCOPE_BYTES_MAX {
            return Err(format!("expressions can see at most {SCOPE_BYTES_MAX} bytes of values, found {bytes}"));
        }
        let mut context = Context::default();
        for (name, value) in values {
            context.add_variable_from_value(*name, to_cel(value));
        }
        Ok(Self { context })
    }
}

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => cel::Value::Int(integer),
            (None, Some(integer)) => cel::Value::UInt(integer),
            (None, None) => cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(entries) => {
            let map: HashMap<Key, cel::Value> =
                entries.iter().map(|(key, value)| (Key::String(Arc::new(key.clone())), to_cel(value))).collect();
            cel::Value::Map(cel::objects::Map { map: Arc::new(map) })
        }
    }
}

/// Returns the value as JSON. `room` is what may still be written, in bytes.
fn from_cel(value: &cel::Value, room: &mut usize) -> Result<Value, String> {
    let size = match value {
        cel::Value::String(text) => text.len() + 2,
        _ => 1,
    };
    *room = room.checked_sub(size).ok_or_else(|| format!("the result is larger than {RESULT_BYTES_MAX} bytes"))?;
    match value {
        cel::Value::Null => Ok(Value::Null),
        cel::Value::Bool(value) => Ok(Value::Bool(*value)),
        cel::Value::Int(integer) => Ok(Value::from(*integer)),
        cel::Value::UInt(integer) => Ok(Value::from(*integer)),
        cel::Value::Float(float) => serde_json::Number::from_f64(*float)
            .map(Value::Number)
            .ok_or_else(|| format!("the result is not a number that can be written: {float}")),
        cel::Value::String(text) => Ok(Value::String(text.to_string())),
        cel::Value::List(items) => items.iter().map(|item| from_cel(item, room)).collect::<Result<_, _>>().map(Value::Array),
        cel::Value::Map(map) => {
            let entry = |(key, value): (&Key, &cel::Value)| match key {
                Key::String(key) => Ok((key.to_string(), from_cel(value, room)?)),
                Key::Int(_) | Key::Uint(_) | Key::Bool(_) => Err("the result is a map whose keys are not texts".to_owned()),
            };
            map.map.iter().map(entry).collect::<Result<_, _>>().map(Value::Object)
        }
        other => Err(format!("the result is a {}, which no file can hold", other.type_of())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn evaluate(text: &str) -> Result<Value, String> {
        let parameters = json!({"port": 8080, "rate": 0.01, "list": [1, 2, 3], "name": "web"});
        let change = json!({"migrations": [{"name": "a", "irreversible": true}], "risk": "low"});
        let variables = Variables::new(&[("parameters", &parameters), ("change", &change)]).unwrap();
        let span = Span { line: 1, column: 1, width: text.len() };
        Expression { text: text.to_owned(), span }.evaluate(&variables)
    }

    #[test]
    fn a_value_keeps_its_type() {
        assert_eq!(evaluate("parameters.port"), Ok(json!(8080)));
        assert_eq!(evaluate("parameters.rate"), Ok(json!(0.01)));
        assert_eq!(evaluate("['./' + parameters.name, string(parameters.port)]"), Ok(json!(["./web", "8080"])));
        assert_eq!(evaluate("{'a': parameters.list}"), Ok(json!({"a": [1, 2, 3]})));
        assert_eq!(evaluate("change.migrations.exists(m, m.irreversible) || change.risk == 'high'"), Ok(json!(true)));
        assert!(evaluate("parameters.nothing").is_err());
        assert!(evaluate("1 / 0").is_err());
    }

    #[test]
    fn braces_inside_texts_and_maps_do_not_end_an_expression() {
        assert_eq!(embedded("plain"), Embedded::None);
        assert_eq!(embedded("${a}"), Embedded::Whole("a"));
        assert_eq!(embedded("${{'a': '}'}}"), Embedded::Whole("{'a': '}'}"));
        assert_eq!(embedded("${a} and ${b}"), Embedded::Mixed);
        assert_eq!(embedded("x${a}"), Embedded::Mixed);
        assert_eq!(embedded("${a"), Embedded::Unclosed);
    }

    #[test]
    fn what_costs_too_much_is_refused_before_it_runs() {
        let source = Source::new("f", "");
        let check = |text: &str| {
            let span = Span { line: 1, column: 1, width: 1 };
            Expression { text: text.to_owned(), span }.check(&source).map(|d| d.message)
        };
        let loops = "parameters.list.map(a, parameters.list.map(b, parameters.list.map(c, c)))";
        assert_eq!(check(loops).as_deref(), Some("the expression loops too often"));
        assert!(check(&"(".repeat(300)).is_some());
        assert!(check(&format!("1{}", " + 1".repeat(200))).is_some());
        assert_eq!(check("paramaters.port").as_deref(), Some("unknown variable \"paramaters\""));
        assert_eq!(check("siz(parameters.list)").as_deref(), Some("unknown function \"siz\""));
        assert_eq!(check("parameters.list.all(x, x > 0)"), None);
    }
}
