//! Reading the service's document, and changing the one that was read.

use serde_json::Value;
use towpath_sdk::helpers::patch::MERGE_PATCH;
use towpath_sdk::helpers::retry;
use towpath_sdk::powers::clock;
use towpath_sdk::powers::http::{Request, Response};
use towpath_sdk::prelude::*;

use crate::Settings;
use crate::document::Live;

/// A document, and the version that it was read as.
pub(crate) struct Found {
    pub(crate) live: Live,
    version: String,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is there.
    Done,
    /// Somebody else wrote since: nothing was changed.
    Overtaken,
    /// The service wants to be asked again after so many milliseconds.
    Later(u32),
}

/// Returns the document; `None` if there is none.
pub(crate) fn read(call: &Call<Settings>) -> Result<Option<Found>, Fault> {
    let answer = ask(call, &request(call, "GET"))?;
    match answer.status {
        404 => return Ok(None),
        200 => {}
        _ => return Err(retry::fault("reading the service's document", &answer)),
    }
    let version = answer.header("etag").ok_or_else(|| Fault::permanent("the service's document has no version (etag)"))?;
    let live = Live::of(answer.json().map_err(Fault::permanent)?)?;
    Ok(Some(Found { live, version: version.to_owned() }))
}

/// Writes the first document, unless there is one.
pub(crate) fn create(call: &Call<Settings>, document: &Value) -> Result<Written, Fault> {
    written(call, &request(call, "PUT").header("if-none-match", "*").json(document))
}

/// Changes what was read, unless somebody else did.
pub(crate) fn change(call: &Call<Settings>, found: &Found, patch: &Value) -> Result<Written, Fault> {
    let body = patch.to_string();
    written(call, &request(call, "PATCH").header("if-match", &found.version).header("content-type", MERGE_PATCH).body(body))
}

fn written(call: &Call<Settings>, request: &Request) -> Result<Written, Fault> {
    let answer = ask(call, request)?;
    match answer.status {
        200..=299 => return Ok(Written::Done),
        412 => return Ok(Written::Overtaken),
        _ => {}
    }
    let fault = retry::fault("writing the service's document", &answer);
    match retry::after_ms(&answer, clock::now_ms()) {
        Some(wait_ms) if fault.retryable => Ok(Written::Later(wait_ms)),
        _ => Err(fault),
    }
}

fn request(call: &Call<Settings>, method: &str) -> Request {
    let Settings { url, timeout_ms, .. } = &call.settings;
    let place = format!("{}/{}/{}", url.trim_end_matches('/'), call.context.service, call.context.environment);
    Request::new(method, place).timeout_ms(*timeout_ms)
}

/// Sends a request. No answer may mean that it was done: the next call reads before it writes.
fn ask(call: &Call<Settings>, request: &Request) -> Result<Response, Fault> {
    let doing = format!("{} of {}'s document", request.method, call.context.service);
    request.send().map_err(|error| retry::unanswered(&doing, &error))
}
