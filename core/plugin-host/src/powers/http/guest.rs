//! What the guest may call.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use tokio::time::{Instant, timeout_at};

use super::backend::{HttpAnswer, HttpAsked, HttpBackend, HttpFault};
use super::credentials::{self, Telling};
use super::grant;
use super::headers;
use super::place::Place;
use super::redirect::{self, Next, REDIRECTS_MAX};
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

/// What a place answered, and what that wants to be asked next.
struct Answered {
    incoming: Incoming,
    next: Option<Next>,
}

impl Host for CallState {
    /// Each place of a chain of redirects is a use of its own: it is checked, counted and traced like a request.
    async fn fetch(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        let begun = Instant::now();
        let deadline = begun + self.time_left(request.timeout_ms);
        let what = named(&request);
        let (mut theirs, mut left) = (request.headers, request.redirects_max.min(REDIRECTS_MAX));
        let mut hop = match first(&request.method, &request.url, request.body) {
            Ok(hop) => hop,
            Err(why) => return self.using("http", what, async |_| Ok(Err(Error::Invalid(why)))).await,
        };
        let mut with_body = true;
        loop {
            let asked = async |state: &mut Self| {
                let incoming = match ask(state, &hop, &theirs, with_body, deadline).await? {
                    Ok(incoming) => incoming,
                    Err(error) => return Ok(Err(error)),
                };
                state.told = format!("status {}", incoming.status);
                let next = if left > 0 { redirect::next(&hop.method, &hop.place, &incoming) } else { None };
                Ok(next.transpose().map(|next| Answered { incoming, next }).map_err(Error::Broken))
            };
            let Answered { incoming, next } = match self.using("http", hop.named(), asked).await? {
                Ok(answered) => answered,
                Err(error) => return Ok(Err(error)),
            };
            let Some(next) = next else { return Ok(Ok(response(incoming, begun))) };
            left -= 1;
            with_body &= next.with_body;
            if !next.place.is_beside(&hop.place) {
                headers::retain_for_others(&mut theirs);
            }
            hop = Hop { method: next.method, place: next.place, body: if with_body { hop.body } else { Bytes::new() } };
        }
    }
}

impl Hop {
    /// Returns how it is called in traces.
    fn named(&self) -> String {
        format!("{} {}", self.method, self.place.without_query()).chars().take(NAMED_CHARS_MAX).collect()
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
    let within = allowed.timeout.map_or(deadline, |timeout| deadline.min(Instant::now() + timeout));
    let host = Arc::clone(&state.host);
    let transcript = Arc::clone(&state.transcript);
    let asking = async {
        let _permit = host.requests.acquire().await.map_err(|error| Failed::Unreachable(error.to_string()))?;
        let response_bytes_max = allowed.response_bytes_max;
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
            patience: within.saturating_duration_since(Instant::now()),
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
    let answer = timeout_at(within, asking).await.unwrap_or(Err(Failed::Timeout));
    Ok(answer.map_err(|failed| error(state, hop, failed)))
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

/// Returns how what is no request is called in traces: without its query, which may carry secrets.
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

fn error(state: &CallState, hop: &Hop, failed: Failed) -> Error {
    match failed {
        Failed::Inside(addresses) => Error::Refused(grant::leads_inside(state, hop.method.as_str(), &hop.place, &addresses)),
        Failed::Unreachable(why) => Error::Unreachable(why),
        Failed::Timeout => Error::Timeout,
        Failed::TooLarge(limit) => Error::TooLarge(limit),
        Failed::Broken(why) => Error::Broken(why),
    }
}
