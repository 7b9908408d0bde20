//! Parameters, checked and filled in; and with them, everything that expressions see.

use serde_json::{Value, json};

use super::input::CompileInput;
use crate::expression::Variables;
use crate::schema::{self, What};
use crate::text::diagnostic::Diagnostic;
use crate::text::node::Node;
use crate::text::source::Place;

/// The parameters of one plan.
pub(crate) struct Scope {
    pub(crate) variables: Variables,
    pub(crate) parameters: Value,
    /// What the service gives, with its places; without defaults.
    pub(crate) given: Node,
}

/// Checks that the three files belong together, then the parameters.
pub(crate) fn resolve(input: &CompileInput<'_>) -> Result<Scope, Vec<Diagnostic>> {
    let mut found = strangers(input);
    let given = input.service.parameters_in(input.environment.name.as_str());
    let schema = &input.path.rules.parameters.schema;
    let mut parameters = given.to_json();
    bring_artifact(input, schema, &mut parameters);
    schema::fill_defaults(schema, &mut parameters);
    match schema::compile(schema) {
        Ok(validator) => {
            let locate = |pointer: &str, key: Option<&str>| (place(input, &given, pointer, key), None);
            let what = What { one: "parameter", of: "" };
            found.extend(schema::check(&validator, schema, &parameters, what, &locate));
        }
        Err((_, words)) => found.push(Diagnostic::nowhere("the parameters' schema cannot be used").label(words)),
    }
    let variables = Variables::new(&[
        ("parameters", &parameters),
        ("environment", &environment(input)),
        ("service", &json!({ "name": input.service.name.as_str() })),
        ("release", &release(input)),
        ("change", &input.change.to_json(input.first)),
    ]);
    match variables {
        Ok(variables) if found.is_empty() => Ok(Scope { variables, parameters, given }),
        Ok(_) => Err(found),
        Err(words) => {
            found.push(Diagnostic::nowhere("the parameters are too large").label(words));
            Err(found)
        }
    }
}

fn environment(input: &CompileInput<'_>) -> Value {
    let environment = input.environment;
    json!({
        "name": environment.name.as_str(),
        "tier": environment.tier.as_str(),
        "configuration": environment.configuration,
    })
}

fn release(input: &CompileInput<'_>) -> Value {
    let artifact = &input.release.artifact;
    json!({
        "label": input.release.label,
        "artifact": { "reference": artifact.reference, "digest": artifact.digest.to_string() },
    })
}

/// The release says what runs. A service file that names an artifact names a default at most.
fn bring_artifact(input: &CompileInput<'_>, schema: &Value, parameters: &mut Value) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let marked = |property: &Value| property.get("x-towpath").and_then(Value::as_str) == Some("artifact");
    let Some(parameters) = parameters.as_object_mut() else { return };
    for (name, _) in properties.into_iter().flatten().filter(|(_, property)| marked(property)) {
        let artifact = &input.release.artifact;
        parameters.insert(name.clone(), Value::String(format!("{}@{}", artifact.reference, artifact.digest)));
    }
}

/// Returns where a parameter stands: in the service file, or in the path where the path gave it.
pub(crate) fn place(input: &CompileInput<'_>, given: &Node, pointer: &str, key: Option<&str>) -> Place {
    let (node, whole) = given.follow(pointer);
    if let Some(entry) = key.and_then(|key| node.entries().iter().find(|entry| entry.key == key)) {
        return input.service.source.place(entry.key_span);
    }
    if whole || pointer.is_empty() {
        return input.service.source.place(node.span);
    }
    let name = pointer.split('/').nth(1).unwrap_or_default();
    let declared = input.path.rules.parameters.node.get("properties").and_then(|properties| properties.get(name));
    let declared = declared.unwrap_or(&input.path.rules.parameters.node);
    input.path.source.place(declared.get("default").unwrap_or(declared).span)
}

/// Returns what does not belong together: the path that the service names, its version, the environments of the path.
fn strangers(input: &CompileInput<'_>) -> Vec<Diagnostic> {
    let (path, service, environment) = (input.path, input.service, input.environment);
    let mut found = Vec::new();
    if service.path != path.name {
        let one = Diagnostic::at(&service.source, service.path_span, "the service goes another path");
        found.push(one.label(format!("found {:?}, this path is {:?}", service.path, path.name)));
    }
    if !service.path_versions.matches(&path.version) {
        let one = Diagnostic::at(&service.source, service.version_span, "the service does not take this version of the path");
        found.push(one.label(format!("takes {}, this path is {}", service.path_versions, path.version)));
    }
    if !path.environments.is_empty() && !path.environments.contains(&environment.name) {
        let message = format!("the path {} does not lead to the environment {}", path.label(), environment.name);
        let known: Vec<&str> = path.environments.iter().map(|name| name.as_str()).collect();
        found.push(Diagnostic::nowhere(message).note(format!("it leads to {}", known.join(", "))));
    }
    found
}
