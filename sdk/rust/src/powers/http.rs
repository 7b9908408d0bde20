//! Requests to the places that the operator allowed.
//!
//! Credentials are added by the host for the place that the operator named; those that a plugin sets itself are removed. A health check may
//! bring a session of its own (`authorization`, `cookie`) to what it is told to judge.
//!
//! ```
//! use towpath_sdk::powers::http::{Error, Request, Response};
//!
//! fn scale(replicas: u32) -> Result<Response, Error> {
//!     Request::new("PUT", "https://api.example.com/services/web")
//!         .json(&serde_json::json!({ "replicas": replicas }))
//!         .timeout_ms(2_000)
//!         .send()
//! }
//! # let refused = scale(3).expect_err("no world, no grant");
//! # assert!(refused.sentence().starts_with("not allowed"));
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::bindings::powers::towpath::plugin::http::{Error, Request, Response};
use crate::helpers::time::http_date_ms;

/// How long a request waits for the answer unless it says otherwise.
const PATIENCE_MS: u32 = 5_000;

/// Sends a GET request and returns the answer. A redirect is an answer.
pub fn get(url: &str) -> Result<Response, Error> {
    Request::get(url).send()
}

/// Sends a request and returns the answer.
pub fn fetch(request: &Request) -> Result<Response, Error> {
    ask!(http::fetch => fetch(request))
}

impl Request {
    /// Returns a request without headers and body, that waits 5 seconds and follows no redirect.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: PATIENCE_MS,
            redirects_max: 0,
        }
    }

    /// Returns a GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// Returns the request with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Returns the request with these bytes as its body.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self
    }

    /// Returns the request with a value as its body, as `application/json`.
    ///
    /// # Panics
    ///
    /// If the value cannot be written as JSON, like a map whose keys are no texts: that is a mistake in the plugin.
    #[must_use]
    pub fn json(self, value: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(value).expect("BUG: a body must be a value that JSON can say");
        self.header("content-type", "application/json").body(bytes)
    }

    /// Returns the request with how long it waits for the whole answer, redirects included.
    #[must_use]
    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }

    /// Returns the request with how many redirects the host may follow, 10 at most. Each is checked against the grant. Headers like
    /// `accept` and `content-type` go along to another host; every other one that was set here stays behind.
    #[must_use]
    pub fn redirects(mut self, most: u8) -> Self {
        self.redirects_max = most;
        self
    }

    /// Sends the request and returns the answer.
    pub fn send(&self) -> Result<Response, Error> {
        fetch(self)
    }
}

impl Response {
    /// Returns an answer without headers, as a test's world gives one.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), elapsed_ms: 1, certificate_expires_ms: None }
    }

    /// Returns whether the status is one of success, 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns when the place says that it answered (the header `date`, to the second), in Unix milliseconds. It tells how far its clock is
    /// from ours.
    pub fn date_ms(&self) -> Option<i64> {
        http_date_ms(self.header("date")?)
    }

    /// Returns the body read as JSON, or a sentence fragment that says what does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body)
            .map_err(|error| format!("the answer of status {} cannot be read: {error}", self.status))
    }
}

impl Error {
    /// Returns the error as a sentence fragment.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => format!("not allowed: {why}"),
            Self::Invalid(why) => format!("not a request: {why}"),
            Self::Unreachable(why) => format!("no connection: {why}"),
            Self::Timeout => "no answer in time".to_owned(),
            Self::TooLarge(limit) => format!("the answer is larger than {limit} bytes"),
            Self::Broken(why) => format!("the connection broke: {why}"),
        }
    }
}
