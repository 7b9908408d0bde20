//! https: the host is proven by the authorities that the machine trusts, and those that the operator named.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// What https connections are made with. The authorities are read at the first connection: most hosts never make one.
pub(crate) struct Tls {
    ca_file: Option<PathBuf>,
    connector: OnceCell<TlsConnector>,
}

impl Tls {
    pub(crate) fn new(ca_file: Option<PathBuf>) -> Self {
        Self { ca_file, connector: OnceCell::new() }
    }

    /// Returns an encrypted stream to the host, which proved its name; or why there is none.
    pub(crate) async fn connect<S>(&self, host: &str, stream: S) -> Result<TlsStream<S>, String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = self.connector.get_or_try_init(|| self.read_authorities()).await?;
        let name = ServerName::try_from(host.to_owned()).map_err(|error| format!("{host}: {error}"))?;
        connector.connect(name, stream).await.map_err(|error| format!("{host}: {error}"))
    }

    async fn read_authorities(&self) -> Result<TlsConnector, String> {
        let ca_file = self.ca_file.clone();
        let reading = tokio::task::spawn_blocking(move || authorities(ca_file.as_deref()));
        let roots = reading.await.map_err(|error| error.to_string())??;
        Ok(TlsConnector::from(Arc::new(trusting(roots)?)))
    }
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, String> {
    let versions = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
    Ok(versions.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// Returns what the host's own https connections are made with: the machine's authorities, and those of a PEM file. Blocks.
///
/// # Errors
/// Returns a sentence on what cannot be read, or that nobody would be trusted.
pub fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    trusting(authorities(ca_file)?)
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
