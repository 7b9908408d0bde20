//! One place that names the API, so that tests name data only.

use model::{Artifact, BasisPoints, Digest, Plan};
use path::{
    Change, CompileInput, Diagnostic, PluginCatalog, PluginFacts, PluginKind, ReleaseInput, TargetDescriptor, compile,
    parse_environment, parse_path, parse_service,
};
use serde_json::{Value, json};

pub(crate) const CANARY: &str = include_str!("../../../../examples/paths/web-canary.yaml");
pub(crate) const BLUE_GREEN: &str = include_str!("../../../../examples/paths/web-blue-green.yaml");
pub(crate) const ROLLING: &str = include_str!("../../../../examples/paths/worker-rolling.yaml");
pub(crate) const HELLO: &str = include_str!("../../../../examples/services/hello.yaml");
pub(crate) const LOCAL: &str = include_str!("../../../../examples/environments/local.yaml");

/// Plugins as their manifests describe them.
pub(crate) struct Plugins;

impl PluginCatalog for Plugins {
    fn find(&self, name: &str) -> Option<PluginFacts> {
        let (kind, byte, properties) = match name {
            "target-local" => (PluginKind::Target, 1, json!({})),
            "health-http" => {
                (PluginKind::Health, 2, json!({"path": {"type": "string"}, "probes": {"type": "integer", "maximum": 20}}))
            }
            "health-traffic" => (
                PluginKind::Health,
                3,
                json!({
                    "maxErrorRate": {"type": "number", "minimum": 0, "maximum": 1},
                    "maxLatencyMs": {"type": "integer"},
                    "minRequests": {"type": "integer"},
                    "worseThanStable": {"type": "object"},
                }),
            ),
            "gate-junit" => (PluginKind::Gate, 4, json!({"failuresMax": {"type": "integer"}, "testsMin": {"type": "integer"}})),
            "gate-and-health" => return Some(gate_and_health()),
            _ => return None,
        };
        let settings_schema = closed(&properties);
        Some(PluginFacts { digest: Digest([byte; 32]), kinds: vec![kind], settings_schemas: vec![(kind, settings_schema)] })
    }

    fn names(&self) -> Vec<String> {
        ["target-local", "health-http", "health-traffic", "gate-junit"].map(str::to_owned).to_vec()
    }
}

fn closed(properties: &Value) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// Returns a plugin that is two things, with settings of their own each.
fn gate_and_health() -> PluginFacts {
    let gate = (PluginKind::Gate, closed(&json!({"linesMin": {"type": "number"}})));
    let health = (PluginKind::Health, closed(&json!({"path": {"type": "string"}})));
    PluginFacts { digest: Digest([5; 32]), kinds: vec![gate.0, health.0], settings_schemas: vec![gate, health] }
}

/// A target that can do everything, in whole percents.
pub(crate) fn able() -> TargetDescriptor {
    TargetDescriptor {
        weights: true,
        weight_granularity: BasisPoints::new(100).unwrap(),
        header_match: true,
        cookie_match: true,
        sticky: true,
        mirror: true,
        instant_switch: true,
    }
}

/// The files and facts of one compilation; tests change what they are about.
pub(crate) struct World {
    pub(crate) path: String,
    pub(crate) service: String,
    pub(crate) environment: String,
    pub(crate) first: bool,
    pub(crate) change: Change,
    pub(crate) target: TargetDescriptor,
}

impl World {
    pub(crate) fn of(path: &str) -> Self {
        let name = path.lines().find_map(|line| line.strip_prefix("  name: ")).unwrap_or("web-canary");
        Self {
            path: path.to_owned(),
            service: HELLO.replace("name: web-canary", &format!("name: {name}")),
            environment: LOCAL.to_owned(),
            first: false,
            change: Change::default(),
            target: able(),
        }
    }

    /// A world whose service gives a path only what every path needs.
    pub(crate) fn plain(path: &str) -> Self {
        let name = path.lines().find_map(|line| line.strip_prefix("  name: ")).unwrap_or("small");
        let service = format!(
            "apiVersion: towpath.dev/v1\nkind: Service\nmetadata: {{ name: hello }}\npath: {{ name: {name}, version: \"^1.0\" }}\n\
             parameters: {{ command: [./hello], port: 8080 }}\n"
        );
        Self { service, ..Self::of(path) }
    }

    pub(crate) fn compile(&self) -> Result<Plan, Vec<Diagnostic>> {
        let path = parse_path(&self.path, "path.yaml")?;
        let service = parse_service(&self.service, "service.yaml")?;
        let environment = parse_environment(&self.environment, "environment.yaml")?;
        let artifact = Artifact { reference: "file:///releases/v2".to_owned(), digest: Digest([9; 32]) };
        let release = ReleaseInput { id: None, label: "v2".to_owned(), artifact };
        let plan = compile(&CompileInput {
            path: &path,
            service: &service,
            environment: &environment,
            release: &release,
            first: self.first,
            change: &self.change,
            plugins: &Plugins,
            target: &self.target,
        })?;
        machine::check_plan(&plan).unwrap_or_else(|fault| panic!("the machine refuses the plan: {fault}"));
        Ok(plan)
    }

    pub(crate) fn plan(&self) -> Plan {
        self.compile().unwrap_or_else(|found| panic!("{}", path::render_diagnostics(&found)))
    }
}

/// Refusals as one text, a heading for each.
#[derive(Default)]
pub(crate) struct Transcript {
    pub(crate) text: String,
}

impl Transcript {
    pub(crate) fn refused<T>(&mut self, what: &str, result: Result<T, Vec<Diagnostic>>) {
        match result {
            Ok(_) => panic!("{what}: expected diagnostics, the input was taken"),
            Err(found) => self.text.push_str(&format!("## {what}\n\n{}\n", path::render_diagnostics(&found))),
        }
    }
}

/// A small path around a strategy and a health list.
pub(crate) fn small(strategy: &str) -> String {
    format!(
        "apiVersion: towpath.dev/v1\nkind: GoldenPath\nmetadata: {{ name: small, version: 1.0.0 }}\n\
         parameters:\n  type: object\n  properties:\n    command: {{ type: array }}\n    port: {{ type: integer, maximum: 65535 }}\n\
         run: {{ command: \"${{parameters.command}}\", port: \"${{parameters.port}}\" }}\n\
         strategy:\n  {strategy}\n\
         health:\n  - {{ use: health-http, with: {{ path: /healthz }} }}\n"
    )
}
