//! A target, as a third party would write it: what shall run is one document at a service that knows versions (`etag`).
//!
//! The fence is in the document, and a write says which version it changes. So the service itself refuses a write that arrives late:
//! whoever read before a newer one wrote changes nothing. That is native fencing.
//!
//! A write changes our fields alone: those that somebody else keeps in the document stay, and what somebody else changed of ours is said
//! as drift until the next deployment sets it right.

mod document;
mod store;

use document::Runs;
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Found, Written};
use towpath_sdk::helpers::stamp::Order;
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
        observation(call, store::read(call)?.as_ref())
    }

    fn reconcile(call: &Call<Settings>, desired: &Desired) -> Progress {
        step(call, desired).unwrap_or_else(Progress::Failed)
    }

    fn preview(call: &Call<Settings>, desired: &Desired) -> Result<Vec<String>, Fault> {
        let now = store::read(call)?.map_or_else(|| Ok(Runs::default()), |found| found.live.runs())?;
        Ok(now.changes(&Runs::wanted(desired)?))
    }
}

/// Goes as far as one call can: reads, compares, changes what was read, and reads what is there.
fn step(call: &Call<Settings>, desired: &Desired) -> Result<Progress, Fault> {
    let wanted = Runs::wanted(desired)?;
    let found = store::read(call)?;
    if let Some(over) = over(call, found.as_ref(), &wanted)? {
        return Ok(over);
    }
    let written = match &found {
        Some(found) => store::change(call, found, &found.live.compared(call, &wanted).patch)?,
        None => store::create(call, &wanted.document(call))?,
    };
    let there = store::read(call)?;
    if let Some(over) = over(call, there.as_ref(), &wanted)? {
        return Ok(over);
    }
    let soon_ms = call.settings.retry_after_ms;
    let (retry_after_ms, message) = match written {
        Written::Done => (soon_ms, "the document was written, and is not what is there"),
        Written::Overtaken => (soon_ms, "somebody else wrote first"),
        Written::Later(wait_ms) => (wait_ms.max(soon_ms), "the service is busy and says when to come again"),
    };
    let observation = observation(call, there.as_ref())?;
    Ok(Progress::InProgress(Pending { observation, retry_after_ms, message: message.to_owned() }))
}

/// Returns how a call ends with what was read, if there is nothing to write.
fn over(call: &Call<Settings>, found: Option<&Found>, wanted: &Runs) -> Result<Option<Progress>, Fault> {
    let Some(there) = found else { return Ok(None) };
    match there.live.order(call) {
        Order::Superseded(highest) => return Ok(Some(Progress::Superseded(highest))),
        Order::Unreadable => return Err(Fault::permanent("the fence in the service's document is no number")),
        Order::MayWrite => {}
    }
    if !there.live.compared(call, wanted).is_as_desired() {
        return Ok(None);
    }
    observation(call, found).map(Progress::Converged).map(Some)
}

fn observation(call: &Call<Settings>, found: Option<&Found>) -> Result<Observation, Fault> {
    let endpoints = &call.settings.endpoints;
    found.map_or_else(|| Ok(Runs::default().observation(endpoints)), |found| found.live.observation(endpoints))
}

towpath_sdk::export_target!(TargetDocuments);

#[cfg(test)]
mod tests;
