//! Where requests go instead of the network: fake worlds, for those who try a plugin out.

use async_trait::async_trait;

/// A request that was checked against the grant. Credentials are not in it: they are added on the way to the network alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAsked {
    /// GET, POST, …
    pub method: String,
    /// The absolute address.
    pub url: String,
    /// Header names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body; the host refuses it where it is larger than a plugin may get.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// No connection; nothing was sent.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// Answers requests in the network's place. The host keeps time and limits.
#[async_trait]
pub trait HttpBackend: Send + Sync + 'static {
    /// Answers a request.
    async fn send(&self, asked: HttpAsked) -> Result<HttpAnswer, HttpFault>;
}
