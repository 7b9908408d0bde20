//! What is asked, in JSON.

use std::path::Path;

use plugin_host::{CallContext, Desired, Evidence, Grants, Subject, Subjects, Window};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Bytes, DesiredForm};
use crate::ToolError;

/// How long a call may take when the file does not say.
const TIMEOUT_MS: u32 = 30_000;

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallForm {
    /// What is asked.
    pub call: Question,
    /// What every call is told.
    #[serde(default)]
    pub context: ContextForm,
    /// The plugin's settings.
    #[serde(default = "empty")]
    pub settings: Value,
    /// What the plugin may do.
    #[serde(default)]
    pub grants: Grants,
    /// For `reconcile` and `preview`: what shall run.
    #[serde(default)]
    pub desired: DesiredForm,
    /// For `evaluate`: what CI attached.
    #[serde(default)]
    pub evidence: Vec<EvidenceForm>,
    /// For `assess`: what is judged.
    #[serde(default)]
    pub subjects: SubjectsForm,
    /// For `assess`: the time that is judged.
    #[serde(default)]
    pub window: WindowForm,
}

/// The questions of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Question {
    /// What a target can do.
    Describe,
    /// What really runs.
    Observe,
    /// To move the world.
    Reconcile,
    /// What a reconcile would change.
    Preview,
    /// A gate's.
    Evaluate,
    /// A health check's.
    Assess,
}

/// What every call is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ContextForm {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The deployment.
    pub deployment: String,
    /// The operation key.
    pub operation_key: String,
    /// The fence.
    pub fence: u64,
    /// Counts from 1.
    pub attempt: u32,
    /// How long the call may take.
    pub timeout_ms: u32,
    /// Whether an earlier attempt may have had an effect.
    pub outcome_unknown: bool,
    /// What the plugin returned as its state last time.
    pub state: Option<Bytes>,
    /// The digest of the artifact that is being deployed.
    pub artifact_digest: Option<String>,
}

/// A result of CI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EvidenceForm {
    /// What kind of result.
    pub kind: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its media type.
    #[serde(default)]
    pub media_type: String,
    /// The digest of its content.
    #[serde(default)]
    pub digest: String,
    /// Its content.
    pub content: Bytes,
}

/// What is judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SubjectsForm {
    /// What served before.
    pub stable: Option<SubjectForm>,
    /// What is being tried.
    pub candidate: Option<SubjectForm>,
    /// Where callers reach the service: `host:port`.
    pub public_endpoint: Option<String>,
}

/// One side that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SubjectForm {
    /// Its release.
    pub release: String,
    /// What people call it; the release itself where nothing is said.
    pub label: Option<String>,
    /// What it runs.
    pub artifact_digest: String,
    /// Where it is reached: `host:port`.
    pub endpoint: Option<String>,
    /// Units that can serve.
    pub ready: u32,
    /// Units that shall.
    pub wanted: u32,
    /// Its share of the traffic.
    pub basis_points: u16,
}

/// The time that is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WindowForm {
    /// When the watch began, in Unix milliseconds.
    pub started_ms: i64,
    /// When it ends at the earliest.
    pub ends_ms: i64,
}

impl Default for ContextForm {
    fn default() -> Self {
        Self {
            service: "web".to_owned(),
            environment: "test".to_owned(),
            deployment: "d-1".to_owned(),
            operation_key: "d-1/step/1".to_owned(),
            fence: 1,
            attempt: 1,
            timeout_ms: TIMEOUT_MS,
            outcome_unknown: false,
            state: None,
            artifact_digest: None,
        }
    }
}

impl CallForm {
    /// Reads a call.
    pub fn read(text: &[u8]) -> Result<Self, ToolError> {
        serde_json::from_slice(text).map_err(|error| ToolError::Call { why: error.to_string() })
    }

    /// Returns what the call is told, with a deadline counted from `now_ms`; files are looked for in `folder`.
    pub fn context(&self, folder: &Path, now_ms: i64) -> Result<CallContext, ToolError> {
        let ContextForm { service, environment, deployment, operation_key, fence, attempt, .. } = self.context.clone();
        Ok(CallContext {
            service,
            environment,
            settings: self.settings.to_string(),
            deployment,
            operation_key,
            fence,
            attempt,
            deadline_ms: now_ms.saturating_add(i64::from(self.context.timeout_ms)),
            outcome_unknown: self.context.outcome_unknown,
            state: self.context.state.as_ref().map(|state| state.read(folder)).transpose()?,
            artifact_digest: self.context.artifact_digest.clone(),
        })
    }

    /// Returns the evidence; files are looked for in `folder`.
    pub fn evidence(&self, folder: &Path) -> Result<Vec<Evidence>, ToolError> {
        self.evidence.iter().map(|form| form.evidence(folder)).collect()
    }

    /// Returns the desired state.
    pub fn desired(&self) -> Desired {
        Desired::from(&self.desired)
    }

    /// Returns the subjects.
    pub fn subjects(&self) -> Subjects {
        let subject = |form: &SubjectForm| Subject {
            release: form.release.clone(),
            label: form.label.clone().unwrap_or_else(|| form.release.clone()),
            artifact_digest: form.artifact_digest.clone(),
            endpoint: form.endpoint.clone(),
            ready: form.ready,
            wanted: form.wanted,
            basis_points: form.basis_points,
        };
        Subjects {
            stable: self.subjects.stable.as_ref().map(subject),
            candidate: self.subjects.candidate.as_ref().map(subject),
            public_endpoint: self.subjects.public_endpoint.clone(),
        }
    }

    /// Returns the window.
    pub fn window(&self) -> Window {
        Window { started_ms: self.window.started_ms, ends_ms: self.window.ends_ms }
    }
}

impl EvidenceForm {
    /// Returns the evidence; a file is looked for in `folder`.
    pub fn evidence(&self, folder: &Path) -> Result<Evidence, ToolError> {
        Ok(Evidence {
            kind: self.kind.clone(),
            name: self.name.clone(),
            media_type: self.media_type.clone(),
            digest: self.digest.clone(),
            content: self.content.read(folder)?,
        })
    }
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}
