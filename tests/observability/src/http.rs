//! A request and its answer, on a connection of its own. Blocks, wherever it is called from.

use std::net::SocketAddr;
use std::time::Duration;

use ::http::header::{CONTENT_TYPE, HOST};
use ::http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long an answer may take. Long, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header `content-type`; empty where there is none.
    pub content_type: String,
    /// The body; bytes that are not UTF-8 were replaced.
    pub body: String,
}

impl Answer {
    /// Returns the body of a good answer as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        assert!((200..300).contains(&self.status), "status {}: {}", self.status, self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Asks with GET. `target` is path and query.
///
/// # Panics
///
/// When there is no answer.
pub fn get(address: SocketAddr, target: &str) -> Answer {
    try_get(address, target).unwrap_or_else(|error| panic!("GET http://{address}{target}: {error}"))
}

/// Asks with GET, where nobody may listen yet.
pub fn try_get(address: SocketAddr, target: &str) -> Result<Answer, String> {
    ask(address, Method::GET, target, &[], Vec::new())
}

/// Sends a body with POST.
///
/// # Panics
///
/// When there is no answer.
pub fn post(address: SocketAddr, target: &str, content_type: &str, body: &str) -> Answer {
    let headers = [(CONTENT_TYPE.as_str(), content_type)];
    let answer = ask(address, Method::POST, target, &headers, body.as_bytes().to_vec());
    answer.unwrap_or_else(|error| panic!("POST http://{address}{target}: {error}"))
}

/// Sends any request.
pub fn ask(address: SocketAddr, method: Method, target: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Answer, String> {
    let request = Request::builder().method(method).uri(target).header(HOST, address.to_string());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
    // In a thread of its own: the caller's may belong to a runtime, and must not wait inside of another one.
    let exchanged = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let late = |_| format!("no answer within {} s", PATIENCE.as_secs());
        runtime.block_on(async { tokio::time::timeout(PATIENCE, exchange(address, request)).await.map_err(late)? })
    });
    exchanged.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked))
}

async fn exchange(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    driver.abort();
    Ok(Answer { status, content_type, body: String::from_utf8_lossy(&body).into_owned() })
}
