//! Sending one request over one connection to one address that was checked.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::address;
use super::grant::{Reach, Scheme};
use super::headers;
use super::place::Place;
use super::tls::{self, Certificate, Tls};

/// A request that was checked and may be sent.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) place: Place,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) reach: Reach,
    /// What the host proves itself with, over https.
    pub(crate) certificate: Option<Certificate>,
    /// For everything together: name, connection, answer.
    pub(crate) patience: Duration,
    pub(crate) response_bytes_max: usize,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Until when the certificate that the place showed is valid, in Unix milliseconds; none over plain http.
    pub(crate) certificate_expires_ms: Option<i64>,
}

/// Why nothing came back.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The name leads only to addresses that the grant does not reach.
    Inside(Vec<IpAddr>),
    /// No connection; nothing was sent.
    Unreachable(String),
    /// No answer in time.
    Timeout,
    /// The answer is larger than allowed.
    TooLarge(u64),
    /// The connection broke.
    Broken(String),
}

/// Sends the request; `before_sending` is called when the first byte is about to leave.
pub(crate) async fn send(outgoing: Outgoing, tls: &Tls, before_sending: impl FnOnce()) -> Result<Incoming, Failed> {
    let patience = outgoing.patience;
    timeout(patience, exchange(outgoing, tls, before_sending)).await.map_err(|_| Failed::Timeout)?
}

async fn exchange(outgoing: Outgoing, tls: &Tls, before_sending: impl FnOnce()) -> Result<Incoming, Failed> {
    let stream = connect(&outgoing.place, outgoing.reach).await?;
    match outgoing.place.scheme {
        Scheme::Http => exchange_over(stream, outgoing, before_sending).await,
        Scheme::Https => {
            let certificate = outgoing.certificate.clone();
            let stream = tls.connect(&outgoing.place.host, certificate, stream).await.map_err(Failed::Unreachable)?;
            let certificate_expires_ms = tls::expires_ms(&stream);
            let incoming = exchange_over(stream, outgoing, before_sending).await?;
            Ok(Incoming { certificate_expires_ms, ..incoming })
        }
    }
}

async fn exchange_over<S>(stream: S, outgoing: Outgoing, before_sending: impl FnOnce()) -> Result<Incoming, Failed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Failed::Broken(with_cause(&error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // The connection lives as long as this call: dropping the guard closes it.
    let _driving = Driving(tokio::spawn(async move {
        // Whatever breaks the connection reaches the sender as well.
        let _ = connection.await;
    }));
    let mut request = http::Request::new(Full::new(outgoing.body));
    *request.method_mut() = outgoing.method;
    *request.uri_mut() = outgoing.place.path_and_query.parse().map_err(|error| Failed::Broken(format!("{error}")))?;
    *request.headers_mut() = outgoing.headers;
    before_sending();
    let response = sender.send_request(request).await.map_err(broken)?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, outgoing.response_bytes_max).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Failed::TooLarge(outgoing.response_bytes_max as u64)
        } else {
            Failed::Broken(with_cause(&*error))
        }
    })?;
    let headers = headers::received(&head.headers);
    Ok(Incoming { status: head.status.as_u16(), headers, body: body.to_bytes().to_vec(), certificate_expires_ms: None })
}

/// Returns an error with the last of its causes: "connection error" alone tells nobody that a certificate is missing.
fn with_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let last = std::iter::successors(error.source(), |cause| cause.source()).last();
    last.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// Connects to the first address that is allowed and answers. The name is resolved once: what was checked is what is connected to.
async fn connect(place: &Place, reach: Reach) -> Result<TcpStream, Failed> {
    let addresses = resolve(place).await?;
    let allowed: Vec<_> = addresses.iter().filter(|found| address::allowed(found.ip(), &place.host, reach)).collect();
    if allowed.is_empty() {
        return Err(Failed::Inside(addresses.iter().map(SocketAddr::ip).collect()));
    }
    let mut last = String::new();
    for address in allowed {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // One small request: waiting to fill a packet would only add delay.
                stream.set_nodelay(true).map_err(|error| Failed::Unreachable(error.to_string()))?;
                return Ok(stream);
            }
            Err(error) => last = format!("{address}: {error}"),
        }
    }
    Err(Failed::Unreachable(last))
}

async fn resolve(place: &Place) -> Result<Vec<SocketAddr>, Failed> {
    if let Ok(address) = place.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, place.port)]);
    }
    let unknown = |error: std::io::Error| Failed::Unreachable(format!("{}: {error}", place.host));
    Ok(tokio::net::lookup_host((place.host.as_str(), place.port)).await.map_err(unknown)?.collect())
}

/// The task that drives a connection; it ends with the call.
struct Driving(JoinHandle<()>);

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.abort();
    }
}
