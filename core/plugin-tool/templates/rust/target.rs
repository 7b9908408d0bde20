//! A target: writes what shall run, as one document, to a service that runs it.
//!
//! The document holds the highest fence that was seen, and is only replaced when it is still the one that was read: so a write that
//! arrives late changes nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_sdk::powers::http;
use towpath_sdk::prelude::*;
use towpath_sdk::target::{Fencing, Pending, SideDesired, SideObservation};

/// How long one request may take, and when a write that lost a race is tried again.
const TIMEOUT_MS: u32 = 5_000;
const RETRY_MS: u32 = 100;

/// How the target is set up; these comments become the descriptions of the settings.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Where the service keeps its documents.
    pub url: String,
}

/// What the service is told, and tells.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    fence: u64,
    stable: Option<Running>,
    candidate: Option<Running>,
    candidate_basis_points: u16,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    release: String,
    digest: String,
    percent: u8,
}

/// The target.
pub struct Plugin;

impl Target for Plugin {
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
        Ok(read(call)?.map_or_else(|| observation(&Document::default()), |(document, _)| observation(&document)))
    }

    fn reconcile(call: &Call<Settings>, desired: &Desired) -> Progress {
        step(call, desired).unwrap_or_else(Progress::Failed)
    }

    fn preview(call: &Call<Settings>, desired: &Desired) -> Result<Vec<String>, Fault> {
        let (now, then) = (read(call)?.unwrap_or_default().0, document(call, desired));
        let same = Document { fence: now.fence, ..then.clone() } == now;
        Ok(if same { Vec::new() } else { vec![format!("the document of {} is replaced", call.context.service)] })
    }
}

/// Goes as far as one call can.
fn step(call: &Call<Settings>, desired: &Desired) -> Result<Progress, Fault> {
    let found = read(call)?;
    let (now, version) = found.map_or((Document::default(), None), |(document, version)| (document, Some(version)));
    if now.fence > call.context.fence {
        return Ok(Progress::Superseded(now.fence));
    }
    let wanted = document(call, desired);
    if now == wanted {
        return Ok(Progress::Converged(observation(&now)));
    }
    // `if-match` has the service refuse the write when somebody else wrote since.
    let condition = version.map_or(("if-none-match", "*".to_owned()), |version| ("if-match", version));
    let body = serde_json::to_vec(&wanted).map_err(|error| Fault::permanent(error.to_string()))?;
    let answer = send(call, "PUT", vec![condition], body)?;
    let message = match answer.status {
        200..=299 => "the document was written, and has to be seen",
        412 => "somebody else wrote first",
        status => return Err(Fault::retryable(format!("the service answers with status {status}"))),
    };
    Ok(Progress::InProgress(Pending { observation: observation(&now), retry_after_ms: RETRY_MS, message: message.to_owned() }))
}

fn document(call: &Call<Settings>, desired: &Desired) -> Document {
    let running = |side: &SideDesired| Running {
        release: side.release.clone(),
        digest: side.artifact_digest.clone(),
        percent: side.capacity_percent,
    };
    Document {
        fence: call.context.fence,
        stable: desired.stable.as_ref().map(running),
        candidate: desired.candidate.as_ref().map(running),
        candidate_basis_points: desired.traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points),
    }
}

fn observation(document: &Document) -> Observation {
    let sides = [(Side::Stable, &document.stable), (Side::Candidate, &document.candidate)];
    let seen = |(side, running): (Side, &Option<Running>)| {
        let Running { release, digest, .. } = running.clone()?;
        Some(SideObservation { side, release, artifact_digest: digest, ready: 1, wanted: 1, endpoint: None })
    };
    Observation {
        sides: sides.into_iter().filter_map(seen).collect(),
        candidate_basis_points: document.candidate_basis_points,
        public_endpoint: None,
        highest_fence: document.fence,
        drift: Vec::new(),
        state: None,
    }
}

/// Returns the document and its version, if there is one.
fn read(call: &Call<Settings>) -> Result<Option<(Document, String)>, Fault> {
    let answer = send(call, "GET", Vec::new(), Vec::new())?;
    match answer.status {
        404 => return Ok(None),
        200 => {}
        status => return Err(Fault::retryable(format!("the service answers with status {status}"))),
    }
    let version = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("etag")).map(|(_, value)| value.clone());
    let version = version.ok_or_else(|| Fault::permanent("the service's document has no version (etag)"))?;
    let document = serde_json::from_slice(&answer.body).map_err(|error| Fault::permanent(format!("the document cannot be read: {error}")))?;
    Ok(Some((document, version)))
}

fn send(call: &Call<Settings>, method: &str, headers: Vec<(&str, String)>, body: Vec<u8>) -> Result<http::Response, Fault> {
    let url = format!("{}/{}/{}", call.settings.url.trim_end_matches('/'), call.context.service, call.context.environment);
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let request = http::Request { method: method.to_owned(), url, headers, body, timeout_ms: TIMEOUT_MS, redirects_max: 0 };
    http::fetch(&request).map_err(|error| Fault::retryable(error.sentence()))
}

towpath_sdk::export_target!(Plugin);

#[cfg(test)]
mod tests;
