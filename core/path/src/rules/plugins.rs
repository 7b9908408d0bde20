//! How files use plugins: gates, the target, and what health checks have in common with them.

use std::collections::HashSet;

use model::{Millis, StepId};

use crate::expression::Expression;
use crate::text::node::Node;
use crate::text::reader::{Fields, Reader, Setting};
use crate::text::source::Span;

/// The longest name of a plugin or check: step names are made of them.
const USE_BYTES_MAX: usize = 40;

/// One use of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UseRule {
    /// The plugin.
    pub(crate) plugin: String,
    /// Where it is named.
    pub(crate) span: Span,
    /// Its settings, with expressions.
    pub(crate) with: Option<Node>,
}

/// A gate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GateRule {
    pub(crate) name: String,
    pub(crate) uses: UseRule,
    pub(crate) when: Option<Expression>,
    pub(crate) deadline: Option<Setting<Millis>>,
}

/// Reads `{ use: …, with: … }` out of the fields around it.
pub(crate) fn uses(reader: &mut Reader<'_>, fields: &Fields<'_>, expressions: bool) -> Option<UseRule> {
    let node = reader.required(fields, "use", "the name of a plugin")?;
    let plugin = short_name(reader, node, "use")?;
    let with = fields.get("with");
    if let Some(with) = with {
        if !matches!(with.content, crate::text::node::Content::Mapping(_)) {
            reader.expected(with, "with", "a mapping with the plugin's settings");
        }
        if expressions {
            reader.template(with);
        }
    }
    Some(UseRule { plugin, span: node.span, with: with.cloned() })
}

fn short_name(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<String> {
    let name = reader.name(node, what, StepId::new)?;
    if name.as_str().len() > USE_BYTES_MAX {
        reader.expected(node, what, &format!("a name of at most {USE_BYTES_MAX} letters"));
        return None;
    }
    Some(name.as_str().to_owned())
}

/// Reads the gates.
pub(crate) fn gates(reader: &mut Reader<'_>, node: Option<&Node>) -> Vec<GateRule> {
    let items = node.and_then(|node| reader.items(node, "gates")).unwrap_or_default();
    let mut names = HashSet::new();
    let mut one = |item: &Node| {
        let fields = reader.fields(item, "a gate", &["use", "with", "name", "when", "deadline"])?;
        let uses = uses(reader, &fields, true);
        let when = fields.get("when").and_then(|node| reader.condition(node, "when"));
        let deadline = reader.setting_of(&fields, "deadline", "deadline");
        let uses = uses?;
        let name = unique_name(reader, &fields, &uses, &mut names, "gates")?;
        Some(GateRule { name, uses, when, deadline })
    };
    items.iter().filter_map(&mut one).collect()
}

/// Returns the rule's own name, or its plugin's; a name may be there once.
pub(crate) fn unique_name(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    uses: &UseRule,
    names: &mut HashSet<String>,
    what: &str,
) -> Option<String> {
    let (name, span) = match fields.get("name") {
        Some(node) => (short_name(reader, node, "name")?, node.span),
        None => (uses.plugin.clone(), uses.span),
    };
    if !names.insert(name.clone()) {
        let found = reader.at(span, format!("two {what} are called {name:?}"));
        reader.push(found.hint("give one of them a name of its own: name: …"));
        return None;
    }
    Some(name)
}
