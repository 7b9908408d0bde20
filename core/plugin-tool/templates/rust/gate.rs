//! A gate: lets a release pass when few enough of its checks failed.

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::prelude::*;

/// The kind of evidence that is read: a JSON object with the numbers `passed` and `failed`.
const KIND: &str = "summary";

/// How the gate is set up; these comments become the descriptions of the settings.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub struct Settings {
    /// How many checks may have failed.
    pub failed_max: u32,
}

#[derive(Deserialize)]
struct Summary {
    passed: u32,
    failed: u32,
}

/// The gate.
pub struct Plugin;

impl Gate for Plugin {
    type Settings = Settings;

    fn evaluate(question: &Question<Settings>) -> Answer {
        // It fails closed: no evidence is no pass, and evidence that cannot be read is an error.
        let Some(evidence) = question.evidence.iter().find(|one| one.kind == KIND) else {
            return Answer::fail(format!("the artifact has no evidence of kind `{KIND}`"));
        };
        let summary: Summary = match serde_json::from_slice(&evidence.content) {
            Ok(summary) => summary,
            Err(error) => return Answer::error(format!("the evidence {:?} cannot be read: {error}", evidence.name)),
        };
        let limit = question.settings.failed_max;
        let measured = [Measurement::new("failed-checks", f64::from(summary.failed), "1").against(f64::from(limit))];
        if summary.failed > limit {
            return Answer::fail(format!("{} checks failed, at most {limit} may", summary.failed)).measured(measured);
        }
        Answer::pass(format!("{} checks passed, {} failed", summary.passed, summary.failed)).measured(measured)
    }
}

towpath_sdk::export_gate!(Plugin);

#[cfg(test)]
mod tests;
