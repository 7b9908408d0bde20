//! Requests to the places that the operator allowed. Redirects are answers: nobody follows them.

pub use crate::bindings::powers::towpath::plugin::http::{Error, Request, Response};

/// How long [`get`] waits for an answer.
const PATIENCE_MS: u32 = 5_000;

/// Sends a GET request and returns the answer.
pub fn get(url: &str) -> Result<Response, Error> {
    fetch(&Request {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout_ms: PATIENCE_MS,
    })
}

/// Sends a request and returns the answer.
#[cfg(target_arch = "wasm32")]
pub fn fetch(request: &Request) -> Result<Response, Error> {
    crate::bindings::powers::towpath::plugin::http::fetch(request)
}

/// Sends a request and returns the answer.
#[cfg(not(target_arch = "wasm32"))]
pub fn fetch(request: &Request) -> Result<Response, Error> {
    crate::testing::with(|world| world.fetch(request))
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
