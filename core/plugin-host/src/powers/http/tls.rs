//! https: the host is proven by the authorities that the machine trusts, and those that the operator named.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WantsClientCert;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use x509_cert::der::Decode as _;

/// What https connections are made with. The authorities are read at the first connection: most hosts never make one.
pub(crate) struct Tls {
    ca_file: Option<PathBuf>,
    trusted: OnceCell<Trusted>,
}

/// What was read once.
struct Trusted {
    roots: Arc<RootCertStore>,
    connector: TlsConnector,
}

/// How the host proves itself, where a place wants it to: PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// The certificate and those that vouch for it.
    pub(crate) certificate_file: PathBuf,
    /// Its key.
    pub(crate) key_file: PathBuf,
}

impl Tls {
    pub(crate) fn new(ca_file: Option<PathBuf>) -> Self {
        Self { ca_file, trusted: OnceCell::new() }
    }

    /// Returns an encrypted stream to the host, which proved its name; or why there is none.
    pub(crate) async fn connect<S>(&self, host: &str, certificate: Option<Certificate>, stream: S) -> Result<TlsStream<S>, String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let trusted = self.trusted.get_or_try_init(|| self.read_authorities()).await?;
        let connector = match certificate {
            None => trusted.connector.clone(),
            Some(certificate) => proving(Arc::clone(&trusted.roots), certificate).await?,
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|error| format!("{host}: {error}"))?;
        connector.connect(name, stream).await.map_err(|error| format!("{host}: {error}"))
    }

    async fn read_authorities(&self) -> Result<Trusted, String> {
        let ca_file = self.ca_file.clone();
        let reading = tokio::task::spawn_blocking(move || authorities(ca_file.as_deref()));
        let roots = reading.await.map_err(|error| error.to_string())??;
        let roots = Arc::new(roots);
        let config = trusting(Arc::clone(&roots))?.with_no_client_auth();
        Ok(Trusted { roots, connector: TlsConnector::from(Arc::new(config)) })
    }
}

/// Returns until when the certificate that the host showed is valid, in Unix milliseconds.
pub(crate) fn expires_ms<S>(stream: &TlsStream<S>) -> Option<i64> {
    let shown = stream.get_ref().1.peer_certificates()?.first()?;
    let certificate = x509_cert::Certificate::from_der(shown).ok()?;
    let until = certificate.tbs_certificate.validity.not_after.to_unix_duration();
    i64::try_from(until.as_millis()).ok()
}

fn trusting(roots: Arc<RootCertStore>) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, String> {
    let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    Ok(versions.map_err(|error| error.to_string())?.with_root_certificates(roots))
}

/// Returns a connector that proves itself. The files are read at each connection: certificates are renewed often.
async fn proving(roots: Arc<RootCertStore>, certificate: Certificate) -> Result<TlsConnector, String> {
    let reading = tokio::task::spawn_blocking(move || {
        let Certificate { certificate_file, key_file } = certificate;
        // What is wrong with a key is not said with a part of it.
        let cannot = |file: &Path| format!("the client certificate or key in {} cannot be read", file.display());
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(&certificate_file).map_err(|_| cannot(&certificate_file))?.collect();
        let chain = chain.map_err(|_| cannot(&certificate_file))?;
        let key = PrivateKeyDer::from_pem_file(&key_file).map_err(|_| cannot(&key_file))?;
        let config = trusting(roots)?.with_client_auth_cert(chain, key);
        let unfit = |_| format!("the key in {} is not that of {}", key_file.display(), certificate_file.display());
        Ok(TlsConnector::from(Arc::new(config.map_err(unfit)?)))
    });
    reading.await.map_err(|error| error.to_string())?
}

/// Returns what the host's own https connections are made with: the machine's authorities, and those of a PEM file. Blocks.
///
/// # Errors
/// Returns a sentence on what cannot be read, or that nobody would be trusted.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    Ok(trusting(Arc::new(authorities(ca_file)?))?.with_no_client_auth())
}

fn authorities(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    // One authority of the machine's that cannot be read does not make the others useless.
    for error in found.errors {
        tracing::warn!(%error, "an authority of this machine cannot be read");
    }
    roots.add_parsable_certificates(found.certs);
    if let Some(file) = ca_file {
        let wrong = |error: &dyn std::fmt::Display| format!("the authorities in {} cannot be used: {error}", file.display());
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
    }
    match roots.is_empty() {
        true => Err("this machine trusts no authority: install its CA certificates, or name a file of some".to_owned()),
        false => Ok(roots),
    }
}
