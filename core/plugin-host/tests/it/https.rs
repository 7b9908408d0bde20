//! Over https, a place must prove its name to authorities that the operator trusts.

use std::path::PathBuf;
use std::sync::Arc;

use plugin_host::{Grants, HttpGrant, HttpRule, Limits, Options, PluginHost, Scheme};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::fixture::{OK, assess, hostile};

/// An authority of our own, and a server that it vouches for under one name.
struct Https {
    port: u16,
    folder: TempDir,
}

impl Https {
    async fn start(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let authority = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                // A client that does not trust us goes away in the middle.
                let Ok(mut stream) = acceptor.accept(connection).await else { continue };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(OK.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { port, folder }
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Has a plugin ask the server for its page; returns what it heard.
    async fn asked(&self, ca_file: Option<PathBuf>) -> String {
        let host = PluginHost::new(Options { limits: Limits::default(), ca_file, ..Options::default() }).unwrap();
        let rule = HttpRule {
            scheme: Scheme::Https,
            host: "localhost".to_owned(),
            port: Some(self.port),
            methods: Vec::new(),
            path: "/".to_owned(),
            private: true,
            credentials: None,
        };
        let grants = Grants { http: Some(HttpGrant { subjects: false, allow: vec![rule] }), ..Grants::default() };
        let settings = format!(r#"{{"fetch":"https://localhost:{}/"}}"#, self.port);
        assess(&host.load(hostile()).unwrap(), &settings, &grants).await.unwrap().answer.sentence
    }
}

#[tokio::test]
async fn a_place_whose_authority_is_trusted_is_asked() {
    let server = Https::start("localhost").await;
    assert_eq!(server.asked(Some(server.ca_file())).await, "200 hello");
}

#[tokio::test]
async fn a_place_that_nobody_vouches_for_hears_nothing() {
    let server = Https::start("localhost").await;
    let said = server.asked(None).await;
    assert!(said.contains("certificate") || said.contains("authority"), "{said}");
}

#[tokio::test]
async fn a_place_with_another_name_hears_nothing() {
    let server = Https::start("elsewhere.example").await;
    let said = server.asked(Some(server.ca_file())).await;
    assert!(said.contains("elsewhere.example") || said.contains("not valid for name"), "{said}");
}

#[tokio::test]
async fn a_file_that_holds_no_authority_is_named() {
    let server = Https::start("localhost").await;
    std::fs::write(server.ca_file(), "-----BEGIN CERTIFICATE-----\nnonsense").unwrap();
    let said = server.asked(Some(server.ca_file())).await;
    assert!(said.contains("ca.pem"), "{said}");
}
