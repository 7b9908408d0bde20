//! What the guest may call.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use tokio::time::{Instant, timeout_at};

use super::backend::{HttpAnswer, HttpAsked, HttpBackend, HttpFault};
use super::credentials::{self, Telling};
use super::grant::{self, Reach};
use super::headers;
use super::place::Place;
use super::redirect::{self, REDIRECTS_MAX};
use super::send::{Failed, Incoming, Outgoing, send};
use crate::call::CallState;
use crate::usage::Refusable;
use crate::v0_3::bindings::powers::towpath::plugin::http::{Error, Host, Request, Response};

/// How much of a request is named in traces, in characters.
const NAMED_CHARS_MAX: usize = 300;

/// What is asked at one place.
struct Hop {
    method: Method,
    place: Place,
    body: Bytes,
}

impl Host for CallState {
    async fn fetch(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        let what = named(&request);
        self.using("http", what, async |state| fetch(state, request).await).await
    }
}

async fn fetch(state: &mut CallState, request: Request) -> wasmtime::Result<Result<Response, Error>> {
    let begun = Instant::now();
    let deadline = begun + state.time_left(request.timeout_ms);
    let (theirs, mut left) = (request.headers, request.redirects_max.min(REDIRECTS_MAX));
    let mut hop = match first(&request.method, &request.url, request.body) {
        Ok(hop) => hop,
        Err(why) => return Ok(Err(Error::Invalid(why))),
    };
    let mut with_body = true;
    loop {
        let incoming = match ask(state, &hop, &theirs, with_body, deadline).await? {
            Ok(incoming) => incoming,
            Err(error) => return Ok(Err(error)),
        };
        let next = if left > 0 { redirect::next(&hop.method, &hop.place, &incoming) } else { None };
        let Some(next) = next else { return Ok(Ok(response(incoming, begun))) };
        match next {
            Ok(next) => {
                left -= 1;
                with_body &= next.with_body;
                hop = Hop { method: next.method, place: next.place, body: if with_body { hop.body } else { Bytes::new() } };
            }
            Err(why) => return Ok(Err(Error::Broken(why))),
        }
    }
}

/// Returns what is asked first, or why nothing is.
fn first(method: &str, url: &str, body: Vec<u8>) -> Result<Hop, String> {
    let method: Method = method.to_ascii_uppercase().parse().map_err(|error| format!("{error}"))?;
    if method == Method::CONNECT || method == Method::TRACE {
        return Err(format!("method {method} is not for plugins"));
    }
    Ok(Hop { method, place: Place::of(url)?, body: body.into() })
}

/// Asks at one place, if the grant allows it at this moment.
async fn ask(
    state: &mut CallState,
    hop: &Hop,
    theirs: &[(String, String)],
    with_body: bool,
    deadline: Instant,
) -> wasmtime::Result<Result<Incoming, Error>> {
    let allowed = match grant::check(state, hop.method.as_str(), &hop.place) {
        Ok(allowed) => allowed,
        Err(sentence) => return Ok(Err(Error::Refused(sentence))),
    };
    let mut headers = match headers::sent(theirs, &hop.place.host_header(), allowed.session) {
        Ok(headers) => headers,
        Err(why) => return Ok(Err(Error::Invalid(why))),
    };
    if !with_body {
        headers.remove(header::CONTENT_TYPE);
    }
    let host = Arc::clone(&state.host);
    let transcript = Arc::clone(&state.transcript);
    let asking = async {
        let _permit = host.requests.acquire().await.map_err(|error| Failed::Unreachable(error.to_string()))?;
        let response_bytes_max = host.limits.http_response_bytes;
        if let Some(backend) = &host.http {
            transcript.note_sent();
            return instead(&**backend, hop, &headers, response_bytes_max).await;
        }
        let mut outgoing = Outgoing {
            method: hop.method.clone(),
            place: hop.place.clone(),
            headers,
            body: hop.body.clone(),
            reach: allowed.reach,
            certificate: None,
            patience: deadline.saturating_duration_since(Instant::now()),
            response_bytes_max,
        };
        let telling = match &allowed.credentials {
            Some(found) => credentials::add(&host, found, &mut outgoing).await.map_err(Failed::Unreachable)?,
            None => Telling::new(),
        };
        let incoming = send(outgoing, &host.tls, || transcript.note_sent()).await?;
        if credentials::repeated(&incoming, &telling) {
            return Err(Failed::Broken("the answer repeats the credentials of the request, and is withheld".to_owned()));
        }
        Ok(incoming)
    };
    let answer = timeout_at(deadline, asking).await.unwrap_or(Err(Failed::Timeout));
    Ok(answer.map_err(|failed| error(state, &hop.method, &hop.place, allowed.reach, failed)))
}

/// Asks whoever stands in the network's place.
async fn instead(
    backend: &dyn HttpBackend,
    hop: &Hop,
    headers: &HeaderMap,
    response_bytes_max: usize,
) -> Result<Incoming, Failed> {
    let headers = headers::received(headers);
    let asked = HttpAsked { method: hop.method.to_string(), url: hop.place.url(), headers, body: hop.body.to_vec() };
    match backend.send(asked).await {
        Ok(HttpAnswer { body, .. }) if body.len() > response_bytes_max => Err(Failed::TooLarge(response_bytes_max as u64)),
        Ok(HttpAnswer { status, headers, body }) => Ok(Incoming { status, headers, body, certificate_expires_ms: None }),
        Err(HttpFault::Unreachable(why)) => Err(Failed::Unreachable(why)),
        Err(HttpFault::Timeout) => Err(Failed::Timeout),
        Err(HttpFault::Broken(why)) => Err(Failed::Broken(why)),
    }
}

/// Returns how a request is called in traces: without its query, which may carry secrets.
fn named(request: &Request) -> String {
    let url = request.url.split(['?', '#']).next().unwrap_or_default();
    let named = format!("{} {url}", request.method);
    named.chars().take(NAMED_CHARS_MAX).collect()
}

impl Refusable for Error {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn sentence(&self) -> String {
        match self {
            Self::Refused(why) | Self::Invalid(why) | Self::Unreachable(why) | Self::Broken(why) => why.clone(),
            Self::Timeout => "no answer in time".to_owned(),
            Self::TooLarge(limit) => format!("the answer is larger than {limit} bytes"),
        }
    }
}

fn response(incoming: Incoming, begun: Instant) -> Response {
    let Incoming { status, headers, body, certificate_expires_ms } = incoming;
    let elapsed_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    Response { status, headers, body, elapsed_ms, certificate_expires_ms }
}

fn error(state: &CallState, method: &Method, place: &Place, reach: Reach, failed: Failed) -> Error {
    match failed {
        Failed::Inside(addresses) => {
            let reason = match reach {
                Reach::Public => format!("{} leads inside, to {addresses}", place.host),
                Reach::Private => format!("{} leads to {addresses}, which must be named literally", place.host),
            };
            Error::Refused(state.refuse("http", reason, grant::line(method.as_str(), place, true)))
        }
        Failed::Unreachable(why) => Error::Unreachable(why),
        Failed::Timeout => Error::Timeout,
        Failed::TooLarge(limit) => Error::TooLarge(limit),
        Failed::Broken(why) => Error::Broken(why),
    }
}
