//! One question to a Prometheus over the network: bounded in time and size, the server proven where it is asked over https.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use prometheus::question::FORM;
use prometheus::{Answer, Limits, Question, answer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::args::Secret;
use crate::settings::{self, PROMETHEUS_PASSWORD, PROMETHEUS_TOKEN};
use crate::verdict::args::RangeArgs;

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long an answer may take: a thousand steps of a hundred series are a second's work.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// How much of an answer is taken, in bytes: a thousand steps of a thousand series.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How much of an answer is read.
const LIMITS: Limits = Limits { series: 1_000, points: 1_000_000 };

/// The largest file that holds a secret, in bytes.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// A Prometheus.
pub(super) struct Server {
    url: String,
    place: Place,
    proof: Option<HeaderValue>,
    tls: Option<TlsConnector>,
}

/// Where it is.
struct Place {
    host: String,
    port: u16,
    authority: String,
}

impl Server {
    /// Finds out what it takes to ask; the error is a sentence.
    pub(super) fn new(args: &RangeArgs) -> Result<Self, String> {
        let url = args.prometheus.clone().unwrap_or_default();
        let wrong = |why: &str| format!("--prometheus is {url:?}, {why}");
        if url.contains('@') {
            // It stands in no message: whoever wrote it there wrote a password there.
            return Err(
                "--prometheus holds credentials, which everybody sees who lists processes; name a file or a variable".to_owned()
            );
        }
        let parsed: Uri = url.parse().map_err(|error| wrong(&format!("which is no address: {error}")))?;
        let encrypted = match parsed.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("expected one that begins with http:// or https://")),
        };
        let (Some(host), Some(authority)) = (parsed.host(), parsed.authority()) else { return Err(wrong("which names no host")) };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = parsed.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let proof = proof(args)?;
        if proof.is_some() && !encrypted && !is_this_machine(&host) {
            return Err(wrong("over which credentials would travel in the open; ask over https"));
        }
        let tls = encrypted.then(|| connector(args.ca_file.as_deref())).transpose()?;
        let place = Place { host, port, authority: authority.as_str().to_owned() };
        Ok(Self { url, place, proof, tls })
    }

    /// Returns what people call it.
    pub(super) fn name(&self) -> &str {
        &self.url
    }

    /// Asks.
    pub(super) async fn ask(&self, question: &Question) -> Result<Answer, String> {
        let (status, body) = self.exchange(question).await.map_err(|why| format!("{} cannot be asked: {why}", self.url))?;
        answer::read(status, &body, LIMITS).map_err(|unusable| unusable.to_string())
    }

    async fn exchange(&self, question: &Question) -> Result<(u16, Bytes), String> {
        let connecting = TcpStream::connect((self.place.host.as_str(), self.place.port));
        let stream = timeout(CONNECT_MAX, connecting).await.map_err(|_| late("connection", CONNECT_MAX))?.map_err(said)?;
        let Some(tls) = &self.tls else { return self.over(stream, question).await };
        let name = ServerName::try_from(self.place.host.clone()).map_err(said)?;
        let connecting = tls.connect(name, stream);
        let stream = timeout(CONNECT_MAX, connecting).await.map_err(|_| late("encryption", CONNECT_MAX))?.map_err(said)?;
        self.over(stream, question).await
    }

    async fn over<S>(&self, stream: S, question: &Question) -> Result<(u16, Bytes), String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let patience_ms = u64::try_from(ANSWER_MAX.as_millis()).unwrap_or(u64::MAX);
        let path = question.url(&self.url).parse::<Uri>().ok().and_then(|url| url.path_and_query().cloned());
        let mut request = Request::post(path.ok_or("its address has no path")?.as_str())
            .header(HOST, &self.place.authority)
            .header(CONTENT_TYPE, FORM)
            .body(Full::new(Bytes::from(question.form(patience_ms))))
            .map_err(said)?;
        if let Some(proof) = &self.proof {
            request.headers_mut().insert(AUTHORIZATION, proof.clone());
        }
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
        // Whatever breaks the connection reaches the sender as well; it ends with the sender.
        let driving = tokio::spawn(async move { drop(connection.await) });
        let exchanging = async {
            let answer = sender.send_request(request).await.map_err(said)?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok((
                status,
                body.map_err(|error| format!("the answer broke off or is larger than {ANSWER_BYTES_MAX} bytes: {error}"))?
                    .to_bytes(),
            ))
        };
        let exchanged = timeout(ANSWER_MAX, exchanging).await.unwrap_or_else(|_| Err(late("answer", ANSWER_MAX)));
        driving.abort();
        exchanged
    }
}

/// Returns what is proven with, from a file or the environment; never from the command line, which everybody sees.
fn proof(args: &RangeArgs) -> Result<Option<HeaderValue>, String> {
    let kept = |file: Option<&Path>, variable: &str| match file {
        Some(file) => secret_in(file).map(Some),
        None => Ok(settings::secret(variable)),
    };
    let text = if let Some(user) = &args.user {
        let password = kept(args.password_file.as_deref(), PROMETHEUS_PASSWORD)?;
        let password = password.ok_or_else(|| format!("--user is given without --password-file or {PROMETHEUS_PASSWORD}"))?;
        format!("Basic {}", BASE64.encode(format!("{user}:{}", password.0)))
    } else {
        match kept(args.bearer_file.as_deref(), PROMETHEUS_TOKEN)? {
            Some(token) => format!("Bearer {}", token.0),
            None => return Ok(None),
        }
    };
    let mut proof =
        HeaderValue::from_str(&text).map_err(|_| "the credentials hold characters that no header may have".to_owned())?;
    proof.set_sensitive(true);
    Ok(Some(proof))
}

fn secret_in(file: &Path) -> Result<Secret, String> {
    let unreadable = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
    let size = std::fs::metadata(file).map_err(|error| unreadable(&error))?.len();
    if size > SECRET_BYTES_MAX {
        return Err(unreadable(&format!("it has {size} bytes, at most {SECRET_BYTES_MAX} are read")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(&error))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn late(what: &str, patience: Duration) -> String {
    format!("no {what} within {} s", patience.as_secs())
}

fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    // One authority of the machine's that cannot be read does not make the others useless.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = ca_file {
        let wrong = |error: &dyn std::fmt::Display| format!("the authorities in {} cannot be used: {error}", file.display());
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
    }
    if roots.is_empty() {
        return Err("this machine trusts no authority: install its CA certificates, or name a --ca-file".to_owned());
    }
    let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    let config = versions.map_err(said)?.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
