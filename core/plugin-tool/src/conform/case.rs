//! What a plugin must be told before it can prove itself.

use plugin_host::Grants;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ToolError;
use crate::call::{DesiredForm, EvidenceForm};

/// How often a health check is asked at most before it must have come to a verdict.
const LOOKS: u32 = 20;

/// A case, as its file says it: JSON, camelCase, unknown fields refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Case {
    /// The plugin's settings; in them, `{world}` stands for the world's `host:port`.
    pub settings: Value,
    /// What the plugin may do beside asking the world.
    pub grants: Grants,
    /// For a gate.
    pub gate: GateCase,
    /// For a health check.
    pub health: HealthCase,
    /// For a target.
    pub target: TargetCase,
}

/// What a gate lets pass, and what not.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GateCase {
    /// Evidence that must pass.
    pub pass: Vec<EvidenceForm>,
    /// Evidence that must not.
    pub fail: Vec<EvidenceForm>,
}

/// How a candidate answers that is well, and one that is not.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HealthCase {
    /// Answers of a candidate that must be found healthy.
    pub healthy: Vec<ScriptedAnswer>,
    /// Answers of one that must not.
    pub unhealthy: Vec<ScriptedAnswer>,
    /// How many looks it may take.
    pub looks: u32,
}

/// What a target is to bring about. Its settings must lead it to `http://{world}/documents/`, where documents are kept by name: GET, PUT
/// and DELETE, with `etag`, `if-match` and `if-none-match`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TargetCase {
    /// Two desired states that differ in the release of a side.
    pub desired: Vec<DesiredForm>,
}

/// What the world answers to requests for a path.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScriptedAnswer {
    /// The path, without the query; `*` stands for every one.
    pub path: String,
    /// The status.
    pub status: u16,
    /// The body.
    #[serde(default)]
    pub body: String,
    /// Its media type.
    #[serde(default = "plain")]
    pub media_type: String,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            settings: Value::Object(Map::new()),
            grants: Grants::default(),
            gate: GateCase::default(),
            health: HealthCase::default(),
            target: TargetCase::default(),
        }
    }
}

impl Default for HealthCase {
    fn default() -> Self {
        Self { healthy: Vec::new(), unhealthy: Vec::new(), looks: LOOKS }
    }
}

impl Case {
    /// Reads a case.
    pub fn read(text: &[u8]) -> Result<Self, ToolError> {
        let case: Self = serde_json::from_slice(text).map_err(|error| ToolError::Case { why: error.to_string() })?;
        match case.target.desired.len() {
            0 | 2 => Ok(case),
            found => Err(ToolError::Case { why: format!("`target.desired` has {found} states, expected two") }),
        }
    }
}

fn plain() -> String {
    "text/plain".to_owned()
}
