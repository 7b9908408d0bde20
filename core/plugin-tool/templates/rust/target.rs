//! A target: writes what shall run, as one document, to a service that runs it.
//!
//! The document is stamped with the fence and the operation of its last writer, and is only replaced when it is still the one that was
//! read: so a write that arrives late changes nothing.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use towpath_sdk::helpers::retry;
use towpath_sdk::helpers::stamp::{Order, Stamp};
use towpath_sdk::powers::http::{Request, Response};
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
    /// Who wrote it last.
    labels: BTreeMap<String, String>,
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
        Ok(observation(&read(call)?.unwrap_or_default().0))
    }

    fn reconcile(call: &Call<Settings>, desired: &Desired) -> Progress {
        step(call, desired).unwrap_or_else(Progress::Failed)
    }

    fn preview(call: &Call<Settings>, desired: &Desired) -> Result<Vec<String>, Fault> {
        let (now, then) = (read(call)?.unwrap_or_default().0, document(call, desired));
        let same = Document { labels: now.labels.clone(), ..then } == now;
        Ok(if same { Vec::new() } else { vec![format!("the document of {} is replaced", call.context.service)] })
    }
}

/// Goes as far as one call can.
fn step(call: &Call<Settings>, desired: &Desired) -> Result<Progress, Fault> {
    let found = read(call)?;
    let (now, version) = found.map_or((Document::default(), None), |(document, version)| (document, Some(version)));
    match Stamp::order(&now.labels, call.context.fence) {
        Order::MayWrite => {}
        Order::Superseded(highest) => return Ok(Progress::Superseded(highest)),
        Order::Unreadable => return Err(Fault::permanent("the fence in the service's document is no number")),
    }
    let wanted = document(call, desired);
    if now == wanted {
        return Ok(Progress::Converged(observation(&now)));
    }
    let request = request(call, "PUT").json(&wanted);
    // `if-match` has the service refuse the write when somebody else wrote since.
    let request = match version {
        Some(version) => request.header("if-match", version),
        None => request.header("if-none-match", "*"),
    };
    let answer = send(call, &request)?;
    let message = match answer.status {
        200..=299 => "the document was written, and has to be seen",
        412 => "somebody else wrote first",
        _ => return Err(retry::fault("writing the service's document", &answer)),
    };
    Ok(Progress::InProgress(Pending { observation: observation(&now), retry_after_ms: RETRY_MS, message: message.to_owned() }))
}

fn document(call: &Call<Settings>, desired: &Desired) -> Document {
    let running = |side: &SideDesired| Running {
        release: side.release.clone(),
        digest: side.artifact_digest.clone(),
        percent: side.capacity_percent,
    };
    let mut labels = BTreeMap::new();
    Stamp::of(&call.context).write(&mut labels);
    Document {
        labels,
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
        highest_fence: Stamp::read(&document.labels).map_or(0, |stamp| stamp.fence),
        drift: Vec::new(),
        state: None,
    }
}

/// Returns the document and its version, if there is one.
fn read(call: &Call<Settings>) -> Result<Option<(Document, String)>, Fault> {
    let answer = send(call, &request(call, "GET"))?;
    match answer.status {
        404 => return Ok(None),
        200 => {}
        _ => return Err(retry::fault("reading the service's document", &answer)),
    }
    let version = answer.header("etag").ok_or_else(|| Fault::permanent("the service's document has no version (etag)"))?;
    Ok(Some((answer.json().map_err(Fault::permanent)?, version.to_owned())))
}

fn request(call: &Call<Settings>, method: &str) -> Request {
    let url = call.settings.url.trim_end_matches('/');
    Request::new(method, format!("{url}/{}/{}", call.context.service, call.context.environment)).timeout_ms(TIMEOUT_MS)
}

/// Sends a request. No answer may mean that it was done: the next call reads before it writes.
fn send(call: &Call<Settings>, request: &Request) -> Result<Response, Fault> {
    let doing = format!("{} of {}'s document", request.method, call.context.service);
    request.send().map_err(|error| retry::unanswered(&doing, &error))
}

towpath_sdk::export_target!(Plugin);

#[cfg(test)]
mod tests;
