//! A target, as a third party would write it: what shall run is one document at a service that knows versions (`etag`).
//!
//! The fence is in the document, and a write says which version it replaces. So the service itself refuses a write that arrives late:
//! whoever read before a newer one wrote replaces nothing. That is native fencing.

mod document;
mod store;

use document::Document;
use schemars::JsonSchema;
use serde::Deserialize;
use store::Written;
use towpath_sdk::prelude::*;
use towpath_sdk::target::{Fencing, Pending};

/// How the target is set up in an environment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Where the service keeps its documents; service and environment are added.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "^https?://"), example = "https://deploy.example.com/documents")]
    pub url: String,
    /// Where what runs can be reached, if it can: health checks look there.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// How long one request may take, in milliseconds.
    #[serde(default = "timeout_ms")]
    #[schemars(range(min = 10, max = 30_000))]
    pub timeout_ms: u32,
    /// When a write that lost a race is tried again, in milliseconds.
    #[serde(default = "retry_after_ms")]
    #[schemars(range(min = 10, max = 60_000))]
    pub retry_after_ms: u32,
}

/// Where the service answers for what it runs, as `HOST:PORT`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Endpoints {
    /// The stable side.
    #[schemars(example = "stable.deploy.example.com:80")]
    pub stable: Option<String>,
    /// The candidate.
    #[schemars(example = "candidate.deploy.example.com:80")]
    pub candidate: Option<String>,
    /// Where callers come in.
    #[schemars(example = "web.example.com:80")]
    pub public: Option<String>,
}

fn timeout_ms() -> u32 {
    5_000
}

fn retry_after_ms() -> u32 {
    200
}

/// The target.
pub struct TargetDocuments;

impl Target for TargetDocuments {
    type Settings = Settings;

    fn describe(_: &Settings) -> Descriptor {
        Descriptor {
            weights: true,
            weight_granularity_basis_points: 1,
            header_match: false,
            cookie_match: false,
            sticky: false,
            mirror: false,
            instant_switch: true,
            fencing: Fencing::Native,
        }
    }

    fn observe(call: &Call<Settings>) -> Result<Observation, Fault> {
        Ok(store::read(call)?.map_or_else(Document::default, |found| found.document).observation(&call.settings.endpoints))
    }

    fn reconcile(call: &Call<Settings>, desired: &Desired) -> Progress {
        step(call, desired).unwrap_or_else(Progress::Failed)
    }

    fn preview(call: &Call<Settings>, desired: &Desired) -> Result<Vec<String>, Fault> {
        let found = store::read(call)?.map(|found| found.document);
        Ok(document::changes(found.as_ref(), &Document::wanted(call, desired)?))
    }
}

/// Goes as far as one call can: reads, compares, replaces what was read, and reads what is there.
fn step(call: &Call<Settings>, desired: &Desired) -> Result<Progress, Fault> {
    let wanted = Document::wanted(call, desired)?;
    let found = store::read(call)?;
    if let Some(found) = &found {
        if found.document.fence > call.context.fence {
            return Ok(Progress::Superseded(found.document.fence));
        }
        if found.document == wanted {
            return Ok(Progress::Converged(wanted.observation(&call.settings.endpoints)));
        }
    }
    let written = store::replace(call, found.as_ref(), &wanted)?;
    let there = store::read(call)?.map_or_else(Document::default, |found| found.document);
    if there.fence > call.context.fence {
        return Ok(Progress::Superseded(there.fence));
    }
    if there == wanted {
        return Ok(Progress::Converged(there.observation(&call.settings.endpoints)));
    }
    let message = match written {
        Written::Done => "the document was written, and is not what is there",
        Written::Overtaken => "somebody else wrote first",
    };
    Ok(Progress::InProgress(Pending {
        observation: there.observation(&call.settings.endpoints),
        retry_after_ms: call.settings.retry_after_ms,
        message: message.to_owned(),
    }))
}

towpath_sdk::export_target!(TargetDocuments);

#[cfg(test)]
mod tests;
