//! OTLP over HTTP: `POST /v1/metrics`, in protobuf or JSON, plain or with gzip.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use prost::Message;

use super::Shared;
use super::admission::Refused;
use super::connection::Response;
use super::understand::{Form, understand};
use crate::limits::{REQUEST_BYTES_MAX, REQUEST_TIMEOUT, RETRY_AFTER_SECONDS};
use crate::otlp;
use crate::otlp::census::Unusable;

/// Where metrics are taken.
const PATH: &str = "/v1/metrics";

/// What is said where something is wrong: the message that OTLP names for it, `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message, serde::Serialize)]
struct Problem {
    /// A code of gRPC; OTLP does not use it over HTTP.
    #[prost(int32, tag = "1")]
    #[serde(skip)]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// Answers a request.
pub(super) async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Response {
    let form = form(request.headers());
    match take(shared, request, form).await {
        Ok(response) => response,
        Err(why) => why.response(form.unwrap_or(Form::Json)),
    }
}

/// Answers a request that took too long.
pub(super) fn too_slow() -> Response {
    Failure::new(StatusCode::REQUEST_TIMEOUT, format!("the request did not come within {} s", REQUEST_TIMEOUT.as_secs()))
        .response(Form::Json)
}

async fn take(shared: &Arc<Shared>, request: Request<Incoming>, form: Option<Form>) -> Result<Response, Failure> {
    let admission = &shared.options.admission;
    if request.method() == Method::OPTIONS && admission.origin(request.headers()).is_some() {
        return Ok(preflight());
    }
    admission.check(request.headers()).map_err(Failure::refused)?;
    if request.uri().path() != PATH {
        return Err(Failure::new(StatusCode::NOT_FOUND, format!("metrics are taken here, at {PATH}")));
    }
    if request.method() != Method::POST {
        let failure =
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, format!("metrics are taken with POST, not {}", request.method()));
        return Err(failure.with(header::ALLOW, "POST"));
    }
    let wrong = |what: &str| Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, what.to_owned());
    let form = form.ok_or_else(|| wrong("metrics are taken as application/x-protobuf or application/json"))?;
    let gzip = gzip(request.headers()).ok_or_else(|| wrong("metrics are taken plain or with gzip"))?;
    let Ok(_permit) = shared.requests.try_acquire() else {
        return Err(Failure::not_now("too many requests at once: come again".to_owned()));
    };
    let body = body(request.into_body()).await?;
    let outcome = understand(shared, body, form, gzip).await.map_err(Failure::unusable)?;
    let answer = otlp::answer(&outcome);
    Ok(written(StatusCode::OK, form, answer.encode_to_vec(), serde_json::to_vec(&answer)))
}

async fn body(body: Incoming) -> Result<Bytes, Failure> {
    let read = Limited::new(body, REQUEST_BYTES_MAX).collect().await;
    read.map(http_body_util::Collected::to_bytes).map_err(|error| match error.is::<LengthLimitError>() {
        true => Failure::unusable(Unusable::TooLarge(format!("it has more than {REQUEST_BYTES_MAX} bytes: send it in pieces"))),
        false => Failure::unusable(Unusable::Malformed(format!("it broke off: {error}"))),
    })
}

fn form(headers: &HeaderMap) -> Option<Form> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-protobuf" => Some(Form::Protobuf),
        "application/json" => Some(Form::Json),
        _ => None,
    }
}

/// Returns whether a body is packed; `None` where it is packed in a way that is not known.
fn gzip(headers: &HeaderMap) -> Option<bool> {
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Some(false),
        Some(b"gzip") => Some(true),
        Some(_) => None,
    }
}

/// Why a request was not taken.
struct Failure {
    status: StatusCode,
    message: String,
    headers: HeaderMap,
}

impl Failure {
    fn new(status: StatusCode, message: String) -> Self {
        Self { status, message, headers: HeaderMap::new() }
    }

    fn refused(why: Refused) -> Self {
        match why {
            Refused::Token => {
                Self::new(StatusCode::UNAUTHORIZED, why.sentence().to_owned()).with(header::WWW_AUTHENTICATE, "Bearer")
            }
            Refused::Origin => Self::new(StatusCode::FORBIDDEN, why.sentence().to_owned()),
        }
    }

    fn unusable(why: Unusable) -> Self {
        match why {
            Unusable::Malformed(why) => Self::new(StatusCode::BAD_REQUEST, why),
            Unusable::TooLarge(why) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, why),
            Unusable::NotNow(why) => Self::not_now(why),
        }
    }

    /// Has the client come again.
    fn not_now(why: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, why).with(header::RETRY_AFTER, &RETRY_AFTER_SECONDS.to_string())
    }

    fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    fn response(self, form: Form) -> Response {
        let problem = Problem { code: 0, message: self.message };
        let mut response = written(self.status, form, problem.encode_to_vec(), serde_json::to_vec(&problem));
        response.headers_mut().extend(self.headers);
        response
    }
}

/// Returns an answer in the form of the request.
fn written(status: StatusCode, form: Form, protobuf: Vec<u8>, json: serde_json::Result<Vec<u8>>) -> Response {
    let (kind, body) = match form {
        Form::Protobuf => ("application/x-protobuf", protobuf),
        Form::Json => ("application/json", json.expect("BUG: an answer of texts and numbers is always JSON")),
    };
    let mut response = http::Response::new(tonic::body::Body::new(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Tells a browser that the page may send.
fn preflight() -> Response {
    let mut response = http::Response::new(tonic::body::Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    let allowed = HeaderValue::from_static("authorization, content-type, content-encoding");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}
