//! A health check: asks a path of the candidate; an answer with success is healthy.

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::prelude::*;

/// How the check is set up; these comments become the descriptions of the settings.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The path that must answer with success.
    pub path: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { path: "/".to_owned() }
    }
}

/// The check.
pub struct Plugin;

impl HealthCheck for Plugin {
    type Settings = Settings;

    fn assess(look: &Look<Settings>) -> Assessment {
        // No data is not healthy.
        let Some(endpoint) = look.candidate_endpoint() else { return Assessment::inconclusive("the candidate has no endpoint") };
        match powers::http::get(&format!("http://{endpoint}{}", look.settings.path)) {
            Ok(answer) if answer.is_success() => {
                let measured = Measurement::new("latency", f64::from(answer.elapsed_ms), "ms").on(Side::Candidate);
                Assessment::healthy("the candidate answers").measured([measured])
            }
            Ok(answer) => Assessment::unhealthy(format!("the candidate answers with status {}", answer.status)),
            Err(error) => Assessment::unhealthy(error.sentence()),
        }
    }
}

towpath_sdk::export_health_check!(Plugin);

#[cfg(test)]
mod tests;
