//! What the guest may call.

use std::sync::Arc;

use http::Method;

use super::grant::{self, Reach};
use super::headers;
use super::place::Place;
use super::send::{Failed, Incoming, Outgoing, send};
use crate::call::CallState;
use crate::usage::Refusable;
use crate::v0_2::bindings::powers::towpath::plugin::http::{Error, Host, Request, Response};

/// How much of a request is named in traces, in characters.
const NAMED_CHARS_MAX: usize = 300;

impl Host for CallState {
    async fn fetch(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        let what = named(&request);
        self.using("http", what, async |state| {
            let outgoing = match checked(state, request) {
                Ok(outgoing) => outgoing,
                Err(error) => return Ok(Err(error)),
            };
            let host = Arc::clone(&state.host);
            let _permit = host.requests.acquire().await?;
            let (method, place, reach) = (outgoing.method.clone(), outgoing.place.clone(), outgoing.reach);
            let transcript = Arc::clone(&state.transcript);
            let answer = send(outgoing, &host.tls, || transcript.note_sent()).await;
            Ok(answer.map(response).map_err(|failed| error(state, &method, &place, reach, failed)))
        })
        .await
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

/// Returns the request as it is sent, or why it is not.
fn checked(state: &CallState, request: Request) -> Result<Outgoing, Error> {
    let method: Method = request.method.to_ascii_uppercase().parse().map_err(|error| Error::Invalid(format!("{error}")))?;
    if method == Method::CONNECT || method == Method::TRACE {
        return Err(Error::Invalid(format!("method {method} is not for plugins")));
    }
    let place = Place::of(&request.url).map_err(Error::Invalid)?;
    let reach = grant::check(state, method.as_str(), &place).map_err(Error::Refused)?;
    let headers = headers::sent(&request.headers, &place.authority()).map_err(Error::Invalid)?;
    Ok(Outgoing {
        method,
        place,
        headers,
        body: request.body.into(),
        reach,
        patience: state.time_left(request.timeout_ms),
        response_bytes_max: state.host.limits.http_response_bytes,
    })
}

fn response(incoming: Incoming) -> Response {
    let Incoming { status, headers, body, elapsed_ms } = incoming;
    Response { status, headers, body, elapsed_ms }
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
