//! `kind: Environment`: where services run.

use std::fmt;

use model::EnvironmentName;
use serde_json::Value;

use super::header;
use super::plugins::{self, UseRule};
use crate::text::diagnostic::{Diagnostic, in_order};
use crate::text::node::{Content, Node};
use crate::text::reader::Reader;
use crate::text::source::Source;
use crate::text::yaml;

/// How much an environment matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// For trying things out.
    Development,
    /// As production, without its users.
    Staging,
    /// With users.
    Production,
    /// Made for one change, gone after it.
    Ephemeral,
}

const TIERS: [(&str, Tier); 4] = [
    ("development", Tier::Development),
    ("staging", Tier::Staging),
    ("production", Tier::Production),
    ("ephemeral", Tier::Ephemeral),
];

impl Tier {
    /// Returns the tier as files and expressions spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
            Self::Ephemeral => "ephemeral",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An environment whose own file is in order. The target's settings are checked when a plan is compiled.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// How much it matters.
    pub tier: Tier,
    /// The plugin that is its target.
    pub target: String,
    /// What expressions see as `environment.configuration`.
    pub configuration: Value,
    pub(crate) target_rule: UseRule,
    pub(crate) source: Source,
}

impl Environment {
    /// Returns the target's settings as a JSON object: what `describe` is asked with before a plan can be compiled.
    pub fn target_settings(&self) -> String {
        let settings = self.target_rule.with.as_ref().map(Node::to_json);
        crate::plan::hash::canonical(&settings.unwrap_or_else(|| Value::Object(Default::default())))
    }
}

/// Reads an environment. `file` is how diagnostics name the text.
///
/// # Errors
///
/// Returns everything that is wrong in the file, in the file's order.
pub fn parse_environment(text: &str, file: &str) -> Result<Environment, Vec<Diagnostic>> {
    let source = Source::new(file, text);
    let root = yaml::read(&source).map_err(in_order)?;
    let mut reader = Reader::new(&source);
    match read(&mut reader, &root) {
        Some(environment) if reader.found.is_empty() => Ok(environment),
        Some(_) | None => Err(in_order(reader.found)),
    }
}

fn read(reader: &mut Reader<'_>, root: &Node) -> Option<Environment> {
    let known = ["apiVersion", "kind", "metadata", "tier", "target", "configuration"];
    let fields = reader.fields(root, "an environment", &known)?;
    let metadata = header::metadata(reader, &fields, "Environment", &["name", "owner", "description"]);
    let tier = reader.required(&fields, "tier", "development").and_then(|node| reader.choice(node, "tier", &TIERS));
    let target = reader.required(&fields, "target", "{ use: target-local }");
    let target = target.and_then(|node| {
        let fields = reader.fields(node, "target", &["use", "with"])?;
        plugins::uses(reader, &fields, false)
    });
    let configuration = match fields.get("configuration") {
        Some(node) if !matches!(node.content, Content::Mapping(_)) => {
            reader.expected(node, "configuration", "a mapping");
            None
        }
        Some(node) => Some(node.to_json()),
        None => Some(Value::Object(Default::default())),
    };
    let metadata = metadata?;
    let name = reader.required(&metadata, "name", "production");
    let name = name.and_then(|node| reader.name(node, "the environment's name", EnvironmentName::new));
    let target_rule = target?;
    Some(Environment {
        name: name?,
        tier: tier?,
        target: target_rule.plugin.clone(),
        configuration: configuration?,
        target_rule,
        source: reader.source.clone(),
    })
}
