//! Conditions: CEL over the numbers `candidate`, `stable` and `baseline`.
//!
//! A condition is read with the settings, so that a typing error is found at the first look and with its place. Whoever writes one must
//! not be able to hold up who evaluates it: text, nesting and loops are bounded.
//!
//! It is read by the crate's second parser, which gives the same trees as the first one (a test compares them) and is a third of its size:
//! a component is compiled on every machine that it runs on.
//!
//! All numbers are floating-point, whole ones too: `2 * stable` and `1 / 3` are what people mean by them. That is the one thing that differs from CEL.

use std::borrow::Cow;
use std::str::FromStr;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use cel::parser::PrattParser;
use cel::{Context, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::number::read;

/// The longest condition, in bytes.
const BYTES_MAX: usize = 600;

/// How deep a condition may be nested: reading and evaluating recurse, on the small stack of a sandbox.
const NESTING_MAX: u16 = 24;

/// How many loops (`exists`, `all`) a condition may have: each one multiplies its cost.
const LOOPS_MAX: usize = 2;

/// How many parts a condition may have once its loops are written out.
const NODES_MAX: usize = 1_000;

/// The longest part of the parser's own words that is repeated.
const PARSER_WORDS_MAX: usize = 120;

/// What a condition may speak of, in the order of [`Known`].
const NAMES: [&str; 3] = ["candidate", "stable", "baseline"];

/// The functions that it may call. `exists`, `all` and their like are macros.
const FUNCTIONS: [&str; 3] = ["size", "double", "int"];

/// The numbers that are known, in the order of [`NAMES`].
pub(crate) type Known = [Option<f64>; 3];

/// A condition, in CEL: `candidate < 0.01 || candidate < 1.5 * stable`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    tree: IdedExpr,
    uses: [bool; 3],
}

/// What a condition comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Yes,
    No,
    /// It hangs on a number that is not known, or on one that is none: 0 divided by 0 compares with nothing.
    Unknown,
    /// Its value is of another kind.
    Broken(String),
}

impl Condition {
    /// Returns the condition as it was written, on one line.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns which numbers it speaks of, in the order of [`NAMES`].
    pub(crate) fn uses(&self) -> [bool; 3] {
        self.uses
    }

    /// Returns whether it holds. A number that is not known matters only where the others do not decide: `true || unknown` holds.
    pub(crate) fn truth(&self, known: Known) -> Truth {
        match evaluate(&self.tree, known) {
            Ok(value) => truth(&value),
            // Kinds that do not fit were found when it was read.
            Err(_) => Truth::Unknown,
        }
    }

    /// Returns what the candidate's number is compared with, where it is compared once and with something that is known.
    pub(crate) fn limit(&self, known: Known) -> Option<f64> {
        let mut limits = Vec::new();
        limits_in(&self.tree, &mut limits);
        let [limit] = limits.as_slice() else { return None };
        match evaluate(limit, known) {
            Ok(Value::Float(limit)) if limit.is_finite() => Some(limit),
            _ => None,
        }
    }
}

fn evaluate(tree: &IdedExpr, known: Known) -> Result<Value, String> {
    thread_local! {
        /// What CEL itself knows, which takes longer to put together than a condition to evaluate.
        static STANDARD: Context<'static, 'static> = Context::default();
    }
    STANDARD.with(|standard| {
        let mut context = standard.new_inner_scope();
        for (name, number) in NAMES.iter().zip(known) {
            if let Some(number) = number {
                context.add_variable_from_value(*name, Value::Float(number));
            }
        }
        Value::resolve(tree, &context).map_err(|error| shortened(&error.to_string()))
    })
}

fn truth(value: &Value) -> Truth {
    match value {
        Value::Bool(true) => Truth::Yes,
        Value::Bool(false) => Truth::No,
        other => Truth::Broken(format!("gives a value of the kind {}, expected true or false", other.type_of())),
    }
}

/// Finds what the candidate's number is compared with.
fn limits_in<'t>(tree: &'t IdedExpr, limits: &mut Vec<&'t IdedExpr>) {
    let Expr::Call(call) = &tree.expr else { return };
    let is_comparison = [operators::LESS, operators::LESS_EQUALS, operators::GREATER, operators::GREATER_EQUALS]
        .contains(&call.func_name.as_str());
    let is_candidate = |side: &IdedExpr| matches!(&side.expr, Expr::Ident(name) if name == NAMES[0]);
    match call.args.as_slice() {
        [left, right] if is_comparison && is_candidate(left) => limits.push(right),
        [left, right] if is_comparison && is_candidate(right) => limits.push(left),
        arguments => arguments.iter().for_each(|argument| limits_in(argument, limits)),
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() > BYTES_MAX {
            return Err(format!("a condition has {} bytes, at most {BYTES_MAX} are read", text.len()));
        }
        let wrong = |why: &str| format!("the condition `{}` {why}", shortened(text));
        let mut tree = parse(text).map_err(|why| wrong(&why))?;
        let mut walk = Walk::default();
        walk.visit(&mut tree, 1).map_err(|why| wrong(&why))?;
        if !walk.uses[0] {
            return Err(wrong("does not speak of the candidate, and so judges nobody"));
        }
        let condition = Self { text: text.split_whitespace().collect::<Vec<_>>().join(" "), tree, uses: walk.uses };
        // Kinds that do not fit do so for any numbers; some orders of the three lead into either part of a choice.
        for numbers in [[2.0, 3.0, 5.0], [5.0, 2.0, 3.0], [0.2, 0.5, 0.3]] {
            if let Truth::Broken(why) = truth(&evaluate(&condition.tree, numbers.map(Some)).map_err(|why| wrong(&why))?) {
                return Err(wrong(&why));
            }
        }
        Ok(condition)
    }
}

fn parse(text: &str) -> Result<IdedExpr, String> {
    let parser = PrattParser::new().max_recursion_depth(NESTING_MAX).max_expression_node_count(NODES_MAX);
    parser.parse(text).map_err(|errors| {
        let Some(first) = errors.errors.first() else { return "cannot be read".to_owned() };
        let words = shortened(first.msg.lines().next().unwrap_or_default());
        match first.pos {
            // It has no place: it is too deep, or too much.
            (..=0, _) => format!("cannot be read: {words}"),
            (1, column) => format!("cannot be read at column {column}: {words}"),
            (line, column) => format!("cannot be read at line {line}, column {column}: {words}"),
        }
    })
}

fn shortened(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(PARSER_WORDS_MAX).collect()
}

/// A walk over a condition's tree: what it speaks of, whether it is bounded; and whole numbers become floating-point ones.
#[derive(Default)]
struct Walk {
    uses: [bool; 3],
    loops: usize,
    bound: Vec<String>,
}

impl Walk {
    fn visit(&mut self, tree: &mut IdedExpr, depth: u16) -> Result<(), String> {
        if depth > NESTING_MAX {
            return Err(format!("is nested deeper than {NESTING_MAX} levels"));
        }
        let deeper = depth + 1;
        match &mut tree.expr {
            Expr::Literal(literal) => {
                in_floating_point(literal);
                Ok(())
            }
            Expr::Ident(name) if self.bound.contains(name) => Ok(()),
            Expr::Ident(name) => {
                let place = NAMES.iter().position(|known| known == name);
                self.uses[place.ok_or_else(|| format!("speaks of {name:?}, known are {}", NAMES.join(", ")))?] = true;
                Ok(())
            }
            Expr::Call(call) => {
                let is_function = call.func_name.starts_with(|c: char| c.is_ascii_alphabetic());
                if is_function && !FUNCTIONS.contains(&call.func_name.as_str()) {
                    return Err(format!("calls {:?}, known are {}", call.func_name, FUNCTIONS.join(", ")));
                }
                let target = call.target.iter_mut().map(AsMut::as_mut);
                target.chain(&mut call.args).try_for_each(|part| self.visit(part, deeper))
            }
            Expr::List(list) => list.elements.iter_mut().try_for_each(|element| self.visit(element, deeper)),
            Expr::Comprehension(each) => {
                self.loops += 1;
                if self.loops > LOOPS_MAX {
                    return Err(format!("loops more than {LOOPS_MAX} times"));
                }
                self.visit(&mut each.iter_range, deeper)?;
                let before = self.bound.len();
                self.bound.extend([each.iter_var.clone(), each.accu_var.clone()]);
                self.bound.extend(each.iter_var2.clone());
                let parts = [&mut each.accu_init, &mut each.loop_cond, &mut each.loop_step, &mut each.result];
                let visited = parts.into_iter().try_for_each(|part| self.visit(part, deeper));
                self.bound.truncate(before);
                visited
            }
            Expr::Unspecified | Expr::Map(_) | Expr::Select(_) | Expr::Struct(_) => {
                Err("holds something that is neither a number nor a comparison of numbers".to_owned())
            }
        }
    }
}

/// Makes a whole number a floating-point one.
#[expect(clippy::cast_precision_loss, reason = "numbers of conditions are far below what a cast loses")]
fn in_floating_point(literal: &mut LiteralValue) {
    let number = match literal {
        LiteralValue::Int(whole) => *whole.inner() as f64,
        LiteralValue::UInt(whole) => *whole.inner() as f64,
        LiteralValue::Boolean(_)
        | LiteralValue::Bytes(_)
        | LiteralValue::Double(_)
        | LiteralValue::Null
        | LiteralValue::String(_) => return,
    };
    *literal = LiteralValue::Double(number.into());
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl JsonSchema for Condition {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    /// A plan is refused over a condition that is too long or speaks of no candidate; the rest is found at the first look.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "\\bcandidate\\b", "maxLength": BYTES_MAX })
    }
}

#[cfg(test)]
mod tests;
