//! `kind: GoldenPath`: the versioned template that a platform team publishes.

use model::{Digest, EnvironmentName, InconclusiveAction, Millis, ServiceName, UnhealthyAction};
use semver::Version;
use serde_json::Value;

use super::header;
use super::health::{self, HealthRule};
use super::plugins::{self, GateRule};
use super::policies::{self, PolicyRules};
use super::strategy::{self, StrategyRule, WatchRule};
use crate::expression::Expression;
use crate::schema::{self, What};
use crate::text::diagnostic::{Diagnostic, in_order};
use crate::text::node::{Content, Node};
use crate::text::reader::{Reader, Setting};
use crate::text::source::{Source, Span};
use crate::text::suggest::did_you_mean;
use crate::text::yaml;

const KNOWN: [&str; 15] = [
    "apiVersion",
    "kind",
    "metadata",
    "parameters",
    "environments",
    "run",
    "gates",
    "approval",
    "strategy",
    "health",
    "soak",
    "onFailure",
    "onInconclusive",
    "patience",
    "policies",
];

/// A golden path whose own file is in order.
#[derive(Clone, Debug)]
pub struct GoldenPath {
    /// Its name ("web-canary").
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is for, in a sentence.
    pub description: Option<String>,
    /// The environments it may be used in, in the order of promotion; none named means any.
    pub environments: Vec<EnvironmentName>,
    /// Hash of what the file says, without its comments and its layout.
    pub digest: Digest,
    pub(crate) source: Source,
    pub(crate) rules: PathRules,
}

/// What a path says, as far as the compiler needs it.
#[derive(Clone, Debug)]
pub(crate) struct PathRules {
    pub(crate) parameters: Parameters,
    pub(crate) run: Node,
    pub(crate) gates: Vec<GateRule>,
    pub(crate) approval: Option<ApprovalRule>,
    pub(crate) strategy: StrategyRule,
    pub(crate) strategy_span: Span,
    pub(crate) health: Vec<HealthRule>,
    pub(crate) soak: Option<SoakRule>,
    pub(crate) on_failure: UnhealthyAction,
    pub(crate) on_inconclusive: InconclusiveAction,
    pub(crate) patience: Option<Setting<Millis>>,
    pub(crate) policies: PolicyRules,
}

/// The schema of the parameters.
#[derive(Clone, Debug)]
pub(crate) struct Parameters {
    /// With `additionalProperties: false` where the file does not say: a misspelt parameter must not go unnoticed.
    pub(crate) schema: Value,
    pub(crate) node: Node,
}

/// Who is asked, and when.
#[derive(Clone, Debug)]
pub(crate) struct ApprovalRule {
    pub(crate) when: Option<Expression>,
    pub(crate) from: Vec<String>,
    pub(crate) quorum: Option<Setting<u32>>,
    pub(crate) expires_after: Option<Setting<Millis>>,
    pub(crate) requester_may_approve: bool,
}

/// Watching behind the promotion.
#[derive(Clone, Debug)]
pub(crate) struct SoakRule {
    pub(crate) watch: WatchRule,
    pub(crate) on_failure: UnhealthyAction,
    pub(crate) on_failure_span: Option<Span>,
    /// What a watch that nobody could decide leads to here, where it is said, and where.
    pub(crate) on_inconclusive: Option<(InconclusiveAction, Span)>,
}

impl GoldenPath {
    /// Returns the plugins that the path uses, each once, in the order of the file.
    pub fn plugins(&self) -> Vec<&str> {
        let gates = self.rules.gates.iter().map(|gate| gate.uses.plugin.as_str());
        let mut names: Vec<&str> = Vec::new();
        for name in gates.chain(self.rules.health.iter().map(|health| health.uses.plugin.as_str())) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Returns the JSON Schema of the parameters.
    pub fn parameters(&self) -> &Value {
        &self.rules.parameters.schema
    }

    /// Returns the path as people name it: `web-canary@1.2.0`.
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// Reads a golden path. `file` is how diagnostics name the text.
///
/// # Errors
///
/// Returns everything that is wrong in the file, in the file's order.
pub fn parse_path(text: &str, file: &str) -> Result<GoldenPath, Vec<Diagnostic>> {
    let source = Source::new(file, text);
    let root = yaml::read(&source).map_err(in_order)?;
    let mut reader = Reader::new(&source);
    let path = read(&mut reader, &root);
    let (found, expressions) = (std::mem::take(&mut reader.found), std::mem::take(&mut reader.expressions));
    let mut found = found;
    if let Some(path) = &path {
        found.extend(unknown_fields(&source, &expressions, &path.rules.parameters.schema));
    }
    match path {
        Some(path) if found.is_empty() => Ok(path),
        Some(_) | None => Err(in_order(found)),
    }
}

fn read(reader: &mut Reader<'_>, root: &Node) -> Option<GoldenPath> {
    let fields = reader.fields(root, "a golden path", &KNOWN)?;
    let metadata = header::metadata(reader, &fields, "GoldenPath", &["name", "version", "owner", "description"]);
    let parameters = fields.get("parameters");
    let parameters = match parameters {
        Some(node) => self::parameters(reader, node),
        None => Some(no_parameters(root.span)),
    };
    let environments = fields.get("environments").map(|node| environments(reader, node)).unwrap_or_default();
    let run = reader.required(&fields, "run", "what the target needs to run a release").cloned();
    if let Some(run) = &run {
        match run.content {
            Content::Mapping(_) => reader.template(run),
            _ => reader.expected(run, "run", "a mapping for the target"),
        }
    }
    let gates = plugins::gates(reader, fields.get("gates"));
    let health = health::health(reader, fields.get("health"));
    let approval = fields.get("approval").and_then(|node| approval(reader, node));
    let strategy = reader.required(&fields, "strategy", "{ canary: … }");
    let strategy = strategy.and_then(|node| strategy::strategy(reader, node, &health));
    let declared =
        fields.get("health").is_some_and(|node| matches!(&node.content, Content::Sequence(items) if !items.is_empty()));
    if let (Some((_, span)), false) = (&strategy, declared) {
        let found = reader.at(*span, "there is no health check to watch with");
        reader.push(found.hint("declare one under health, or the path would find everything healthy without a look"));
    }
    let soak = fields.get("soak").and_then(|node| soak(reader, node, &health));
    if let Some((strategy, _)) = &strategy {
        health::fit(reader, strategy, soak.as_ref(), &health);
    }
    let on_failure = policies::on_failure(reader, fields.get("onFailure"));
    let on_inconclusive = policies::on_inconclusive(reader, fields.get("onInconclusive"));
    let patience = reader.setting_of(&fields, "patience", "patience");
    let policies = policies::policies(reader, fields.get("policies"));

    let metadata = metadata?;
    let (strategy, strategy_span) = strategy.unzip();
    let name = reader.required(&metadata, "name", "web-canary");
    let name = name.and_then(|node| reader.name(node, "the path's name", ServiceName::new));
    let version = reader.required(&metadata, "version", "1.0.0").and_then(|node| version(reader, node));
    let (owner, description) =
        (header::optional_text(reader, &metadata, "owner"), header::optional_text(reader, &metadata, "description"));
    let rules = PathRules {
        parameters: parameters?,
        run: run?,
        gates,
        approval,
        strategy: strategy?,
        strategy_span: strategy_span?,
        health,
        soak,
        on_failure,
        on_inconclusive,
        patience,
        policies,
    };
    Some(GoldenPath {
        name: name?.as_str().to_owned(),
        version: version?,
        owner,
        description,
        environments,
        digest: crate::plan::hash::document(&root.to_json()),
        source: reader.source.clone(),
        rules,
    })
}

fn version(reader: &mut Reader<'_>, node: &Node) -> Option<Version> {
    let version = node.text().and_then(|text| Version::parse(text).ok());
    if version.is_none() {
        reader.expected(node, "the path's version", "a semantic version like \"1.2.0\"");
    }
    version
}

fn environments(reader: &mut Reader<'_>, node: &Node) -> Vec<EnvironmentName> {
    let items = reader.items(node, "environments").unwrap_or_default();
    items.iter().filter_map(|item| reader.name(item, "an environment", EnvironmentName::new)).collect()
}

fn no_parameters(span: Span) -> Parameters {
    let schema = serde_json::json!({ "type": "object", "additionalProperties": false });
    Parameters { schema, node: Node { content: Content::Null, span } }
}

/// Reads the parameters' schema, and checks that it is one and that its defaults fit it.
fn parameters(reader: &mut Reader<'_>, node: &Node) -> Option<Parameters> {
    let Value::Object(mut schema) = node.to_json() else {
        reader.expected(node, "parameters", "a JSON Schema of type object");
        return None;
    };
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        let found = reader.at(node.span, "the parameters' schema must say type: object");
        reader.push(found.label("expected type: object"));
        return None;
    }
    let says = schema.contains_key("additionalProperties") || schema.contains_key("unevaluatedProperties");
    if !says {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    let schema = Value::Object(schema);
    if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
        let (place, _) = node.follow(error.instance_path().as_str());
        let found = reader.at(place.span, "the parameters are not a JSON Schema").label(error.to_string());
        reader.push(found);
        return None;
    }
    if let Err((pointer, words)) = schema::compile(&schema) {
        let found = reader.at(node.follow(&pointer).0.span, "the parameters' schema cannot be used").label(words);
        reader.push(found);
        return None;
    }
    defaults_fit(reader, &schema, node);
    Some(Parameters { schema, node: node.clone() })
}

const DEFAULT: What<'static> = What { one: "default of", of: "" };

fn defaults_fit(reader: &mut Reader<'_>, schema: &Value, node: &Node) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let Some(default) = property.get("default") else { continue };
        // The property is checked inside the whole, so that references into it still lead somewhere.
        let only = serde_json::json!({ name: default });
        let mut alone = schema.clone();
        if let Some(alone) = alone.as_object_mut() {
            alone.remove("required");
        }
        let Ok(validator) = schema::compile(&alone) else { continue };
        let place = node.get("properties").and_then(|node| node.get(name)).and_then(|node| node.get("default"));
        let place = reader.source.place(place.map_or(node.span, |node| node.span));
        let found = schema::check(&validator, &alone, &only, DEFAULT, &|_, _| (place.clone(), None));
        found.into_iter().for_each(|one| reader.push(one));
    }
}

fn approval(reader: &mut Reader<'_>, node: &Node) -> Option<ApprovalRule> {
    let known = ["when", "from", "quorum", "expiresAfter", "requesterMayApprove"];
    let fields = reader.fields(node, "approval", &known)?;
    let when = fields.get("when").and_then(|node| reader.condition(node, "when"));
    let from = reader.required(&fields, "from", "[group:release-managers]");
    let from: Vec<String> =
        from.map(|node| reader.texts(node, "from")).unwrap_or_default().into_iter().map(|(who, _)| who).collect();
    if let (Some(node), true) = (fields.get("from"), from.is_empty()) {
        reader.expected(node, "from", "at least one person or group");
    }
    let requester = fields.get("requesterMayApprove");
    let requester = requester.and_then(|node| reader.boolean(node, "requesterMayApprove")).unwrap_or(false);
    Some(ApprovalRule {
        when,
        from,
        quorum: reader.setting_of(&fields, "quorum", "quorum"),
        expires_after: reader.setting_of(&fields, "expiresAfter", "expiresAfter"),
        requester_may_approve: requester,
    })
}

fn soak(reader: &mut Reader<'_>, node: &Node, health: &[HealthRule]) -> Option<SoakRule> {
    let fields = reader.fields(node, "soak", &["for", "health", "onFailure", "onInconclusive"])?;
    let watch = strategy::watch(reader, &fields, "for", health);
    let on_failure = policies::on_failure(reader, fields.get("onFailure"));
    let on_failure_span = fields.get("onFailure").map(|node| node.span);
    let undecided = fields.get("onInconclusive");
    let on_inconclusive = undecided.map(|node| (policies::on_inconclusive(reader, Some(node)), node.span));
    Some(SoakRule { watch: watch?, on_failure, on_failure_span, on_inconclusive })
}

/// The fields of every variable but `parameters`, which the path's own schema names.
const FIELDS: [(&str, &[&str]); 4] = [
    ("environment", &["name", "tier", "configuration"]),
    ("service", &["name"]),
    ("release", &["label", "artifact"]),
    ("change", &["migrations", "risk", "first"]),
];

/// Returns the fields that expressions read and nobody declares.
fn unknown_fields(source: &Source, expressions: &[Expression], schema: &Value) -> Vec<Diagnostic> {
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let properties = schema.get("properties").and_then(Value::as_object);
    let declared: Vec<&str> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let mut found = Vec::new();
    for expression in expressions {
        for used in expression.field_uses() {
            let fixed = FIELDS.iter().find(|(variable, _)| *variable == used.variable).map(|(_, fields)| *fields);
            let known: &[&str] = match fixed {
                Some(fields) => fields,
                None if used.variable == "parameters" && closed => &declared,
                None => continue,
            };
            if !known.contains(&used.field.as_str()) {
                let name = format!("{}.{}", used.variable, used.field);
                let span = source.find_within(expression.span, &name).unwrap_or(expression.span);
                let one = Diagnostic::at(source, span, format!("there is no {name}"));
                let hint = did_you_mean(&used.field, known.iter().copied());
                found.push(one.note(format!("known: {}", known.join(", "))).hint_if(hint));
            }
        }
    }
    found
}
