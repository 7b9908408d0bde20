//! What a plugin must be told before it can prove itself.

use std::collections::BTreeMap;

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
    /// What the gate finds where it asks.
    pub world: WorldForm,
}

/// How a candidate answers that is well, and one that is not.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HealthCase {
    /// Answers of a candidate that must be found healthy.
    pub healthy: Vec<ScriptedAnswer>,
    /// Answers of one that must not.
    pub unhealthy: Vec<ScriptedAnswer>,
    /// What else there is to be found where the candidate is well.
    pub healthy_world: WorldForm,
    /// The same where it is not.
    pub unhealthy_world: WorldForm,
    /// Whether it judges without asking the candidate itself: then it needs no endpoint.
    pub without_endpoint: bool,
    /// How many looks it may take.
    pub looks: u32,
}

/// What a target is to bring about, and where.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TargetCase {
    /// Two desired states that differ in the release of a side.
    pub desired: Vec<DesiredForm>,
    /// What keeps what the target writes.
    pub keeps: Keeper,
}

/// What keeps what a target writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Keeper {
    /// Documents by name at `http://{world}/documents/`, where the settings must lead: GET, PUT, POST, PATCH and DELETE, with `etag`,
    /// `if-match` and `if-none-match`.
    #[default]
    Documents,
    /// A local runtime, for the power `runtime`.
    Runtime,
}

/// What a plugin finds where it asks. In the texts and numbers of it, `"{started}"` stands for the instant at which the watch began.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WorldForm {
    /// Answers to requests at `{world}`.
    pub answers: Vec<ScriptedAnswer>,
    /// The status of the local runtime, as its protocol has it.
    pub runtime: Option<Value>,
    /// What the service measured of itself.
    pub telemetry: Vec<SeriesForm>,
    /// What is usual for it.
    pub usual: Vec<UsualForm>,
    /// Programs, by the names that the plugin calls them by.
    pub commands: Vec<CommandForm>,
}

/// What a service measured under one name, with one set of attributes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeriesForm {
    /// The metric.
    pub metric: String,
    /// The release that measured it (`v1` is stable, `v2` the candidate); absent: none.
    #[serde(default)]
    pub release: Option<String>,
    /// Its attributes.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// What was measured.
    pub windows: Vec<MeasuredForm>,
}

/// What was measured in a window.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MeasuredForm {
    /// When it began, in milliseconds after the watch did; negative for before.
    pub after_ms: i64,
    /// How long it is.
    pub length_ms: u32,
    /// How many values there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// The growing upper bounds of a histogram's buckets.
    pub bounds: Vec<f64>,
    /// How many values were in each bucket; one more than there are bounds.
    pub counts: Vec<u64>,
}

/// What is usual for a metric.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsualForm {
    /// The metric.
    pub metric: String,
    /// What of it.
    pub aspect: AspectForm,
    /// Over how many minutes it was learnt.
    pub minutes: u32,
    /// The mean.
    pub mean: f64,
    /// The deviation of a minute.
    pub deviation: f64,
    /// The mean of the last days over that of before.
    #[serde(default)]
    pub drift: Option<f64>,
}

/// What of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AspectForm {
    /// The mean of its values.
    Mean,
    /// The share of errors.
    Errors,
    /// How many a second.
    Rate,
}

/// A program, and what comes of it whatever its arguments.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommandForm {
    /// What the plugin calls it.
    pub name: String,
    /// What it prints.
    #[serde(default)]
    pub stdout: String,
    /// What it says on standard error.
    #[serde(default)]
    pub stderr: String,
    /// How it ends.
    #[serde(default)]
    pub exit_code: u8,
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
        let (healthy_world, unhealthy_world) = Default::default();
        Self { healthy: Vec::new(), unhealthy: Vec::new(), healthy_world, unhealthy_world, without_endpoint: false, looks: LOOKS }
    }
}

impl HealthCase {
    /// Returns what a candidate that is well is found in; none where the case does not say it.
    pub(super) fn well(&self) -> Option<WorldForm> {
        together(&self.healthy, &self.healthy_world)
    }

    /// The same of one that is not.
    pub(super) fn ill(&self) -> Option<WorldForm> {
        together(&self.unhealthy, &self.unhealthy_world)
    }
}

fn together(answers: &[ScriptedAnswer], world: &WorldForm) -> Option<WorldForm> {
    let answers: Vec<_> = answers.iter().chain(&world.answers).cloned().collect();
    let world = WorldForm { answers, ..world.clone() };
    let says_something = !world.answers.is_empty()
        || world.runtime.is_some()
        || !world.telemetry.is_empty()
        || !world.usual.is_empty()
        || !world.commands.is_empty();
    says_something.then_some(world)
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
