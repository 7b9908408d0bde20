//! One request to a registry: encrypted, bounded in time and size, asked again where that may help.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HOST, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long a registry may think about an answer: one that commits a large blob hashes it first.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// How long the largest body may take: 64 MiB over a line of 2 Mbit/s.
const BODY_MAX: Duration = Duration::from_secs(300);
/// How often the same thing is asked: four times over about two seconds outlast a restart of a proxy.
const ATTEMPTS_MAX: u32 = 4;
/// The first pause; each one doubles.
const PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest pause, also where the registry asks for a longer one.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// What is asked.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// How many bytes of an answer are taken.
    pub(super) bytes_max: usize,
}

impl Ask {
    pub(super) fn get(url: Uri, bytes_max: usize) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new(), bytes_max }
    }
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why nothing came back.
pub(super) enum Failed {
    /// No connection, no answer, or a broken one.
    Broken(String),
    /// More than is taken.
    TooLarge,
}

/// What connections are made with.
pub(super) struct Http {
    ca_file: Option<PathBuf>,
    tls: OnceCell<TlsConnector>,
}

impl Http {
    pub(super) fn new(ca_file: Option<PathBuf>) -> Self {
        Self { ca_file, tls: OnceCell::new() }
    }

    /// Asks, and again while the registry is busy or out of reach.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, Failed> {
        let mut pause = PAUSE_MIN;
        for attempt in 1.. {
            let answer = self.ask_once(ask).await;
            let wanted = match &answer {
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS || answer.status.is_server_error() => {
                    answer.header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs)
                }
                Err(Failed::Broken(_)) => None,
                Ok(_) | Err(Failed::TooLarge) => return answer,
            };
            if attempt == ATTEMPTS_MAX {
                return answer;
            }
            tokio::time::sleep(wanted.unwrap_or(pause).min(PAUSE_MAX)).await;
            pause *= 2;
        }
        unreachable!("BUG: the loop ends with its last attempt")
    }

    async fn ask_once(&self, ask: &Ask) -> Result<Answer, Failed> {
        let host = ask.url.host().ok_or_else(|| Failed::Broken(format!("{} names no host", ask.url)))?;
        let encrypted = ask.url.scheme_str() == Some("https");
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let port = ask.url.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let connecting = TcpStream::connect((name, port));
        let stream = timeout(CONNECT_MAX, connecting).await.map_err(|_| late("connection", CONNECT_MAX))?.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        if !encrypted {
            return exchange(stream, ask).await;
        }
        let tls = self.tls.get_or_try_init(|| connector(self.ca_file.clone())).await.map_err(Failed::Broken)?;
        let proven = ServerName::try_from(name.to_owned()).map_err(broken)?;
        let connecting = tls.connect(proven, stream);
        let stream = timeout(CONNECT_MAX, connecting).await.map_err(|_| late("encryption", CONNECT_MAX))?.map_err(broken)?;
        exchange(stream, ask).await
    }
}

async fn exchange<S>(stream: S, ask: &Ask) -> Result<Answer, Failed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Whatever breaks the connection reaches the sender as well; it ends with the sender.
    let driving = tokio::spawn(async move { drop(connection.await) });
    let answer = exchange_over(&mut sender, ask).await;
    driving.abort();
    answer
}

async fn exchange_over(sender: &mut http1::SendRequest<Full<Bytes>>, ask: &Ask) -> Result<Answer, Failed> {
    let mut request = http::Request::new(Full::new(ask.body.clone()));
    *request.method_mut() = ask.method.clone();
    let path = ask.url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    *request.uri_mut() = path.parse().map_err(broken)?;
    *request.headers_mut() = ask.headers.clone();
    let authority = ask.url.authority().map_or("", http::uri::Authority::as_str);
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority).map_err(broken)?);
    let patience = if ask.body.is_empty() { ANSWER_MAX } else { BODY_MAX };
    let sent = timeout(patience, sender.send_request(request)).await;
    let (head, body) = sent.map_err(|_| late("answer", patience))?.map_err(broken)?.into_parts();
    let body = timeout(BODY_MAX, collect(body, ask.bytes_max)).await.map_err(|_| late("end of the answer", BODY_MAX))??;
    Ok(Answer { status: head.status, headers: head.headers, body })
}

async fn collect(mut body: Incoming, bytes_max: usize) -> Result<Bytes, Failed> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(broken)?.into_data() {
            if whole.len() + data.len() > bytes_max {
                return Err(Failed::TooLarge);
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

/// Returns where an answer sends whoever asked, if it does.
pub(super) fn location(asked: &Uri, answer: &Answer) -> Option<Result<Uri, String>> {
    let location = answer.header(LOCATION)?;
    let unusable = |error: &dyn std::fmt::Display| format!("the place `{location}` that it names cannot be used: {error}");
    let absolute = match location.starts_with('/') && !location.starts_with("//") {
        true => format!(
            "{}://{}{location}",
            asked.scheme_str().unwrap_or("https"),
            asked.authority().map_or("", |host| host.as_str())
        ),
        false => location.to_owned(),
    };
    Some(match absolute.parse::<Uri>() {
        Ok(url) if url.host().is_none() => Err(unusable(&"it names no host")),
        Ok(url) => Ok(url),
        Err(error) => Err(unusable(&error)),
    })
}

fn broken(error: impl std::fmt::Display) -> Failed {
    Failed::Broken(error.to_string())
}

fn late(what: &str, patience: Duration) -> Failed {
    Failed::Broken(format!("no {what} within {} s", patience.as_secs()))
}

async fn connector(ca_file: Option<PathBuf>) -> Result<TlsConnector, String> {
    let reading = tokio::task::spawn_blocking(move || authorities(ca_file.as_deref()));
    let roots = reading.await.map_err(|error| error.to_string())??;
    let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let config = versions.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn authorities(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    // One authority of the machine's that cannot be read does not make the others useless.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = ca_file {
        let wrong = |error: &dyn std::fmt::Display| format!("the authorities in {} cannot be used: {error}", file.display());
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
    }
    match roots.is_empty() {
        true => Err("this machine trusts no authority: install its CA certificates, or name a `caFile`".to_owned()),
        false => Ok(roots),
    }
}
