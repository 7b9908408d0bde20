//! Reading the service's document, and replacing the one that was read.

use towpath_sdk::powers::http::{Error, Request, Response};
use towpath_sdk::prelude::*;

use crate::Settings;
use crate::document::Document;

/// A document, and the version that it was read as.
pub(crate) struct Found {
    pub(crate) document: Document,
    version: String,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is there.
    Done,
    /// Somebody else wrote since: nothing was changed.
    Overtaken,
}

/// Returns the document; `None` if there is none.
pub(crate) fn read(call: &Call<Settings>) -> Result<Option<Found>, Fault> {
    let answer = ask(call, &request(call, "GET"))?;
    match answer.status {
        404 => return Ok(None),
        200 => {}
        status => return Err(unexpected(status)),
    }
    let version = answer.header("etag").ok_or_else(|| Fault::permanent("the service's document has no version (etag)"))?;
    let document = answer.json().map_err(Fault::permanent)?;
    Ok(Some(Found { document, version: version.to_owned() }))
}

/// Replaces what was read, unless somebody else did.
pub(crate) fn replace(call: &Call<Settings>, found: Option<&Found>, wanted: &Document) -> Result<Written, Fault> {
    let request = request(call, "PUT").json(wanted);
    let request = match found {
        Some(found) => request.header("if-match", &found.version),
        None => request.header("if-none-match", "*"),
    };
    match ask(call, &request)?.status {
        200..=299 => Ok(Written::Done),
        412 => Ok(Written::Overtaken),
        status => Err(unexpected(status)),
    }
}

fn request(call: &Call<Settings>, method: &str) -> Request {
    let Settings { url, timeout_ms, .. } = &call.settings;
    let place = format!("{}/{}/{}", url.trim_end_matches('/'), call.context.service, call.context.environment);
    Request::new(method, place).timeout_ms(*timeout_ms)
}

/// Sends a request. No answer may mean that it was done: the next call reads before it writes.
fn ask(call: &Call<Settings>, request: &Request) -> Result<Response, Fault> {
    request.send().map_err(|error| {
        let message = format!("{} of {}'s document: {}", request.method, call.context.service, error.sentence());
        match error {
            Error::Refused(_) | Error::Invalid(_) => Fault::permanent(message),
            Error::Unreachable(_) | Error::Timeout | Error::TooLarge(_) | Error::Broken(_) => Fault::retryable(message),
        }
    })
}

fn unexpected(status: u16) -> Fault {
    let message = format!("the service answers with status {status}");
    // A busy or broken service recovers; one that says no says it again.
    if status >= 500 || status == 429 { Fault::retryable(message) } else { Fault::permanent(message) }
}
