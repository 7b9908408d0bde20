//! Over https, a place must prove its name to authorities that the operator trusts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use plugin_host::{
    CertificateCredentials, Grants, HealthVerdict, HttpCredentials, HttpGrant, HttpRule, Limits, Options, PluginHost, Scheme,
    Subjects, Window,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

use crate::bundled::loaded;
use crate::fixture::{OK, PATIENCE, assess, context, hostile};

/// When the server's certificate expires, in Unix milliseconds: at the beginning of 2040.
const EXPIRES_MS: f64 = 2_208_988_800_000.0;

/// An authority of our own, and a server that it vouches for under one name.
struct Https {
    port: u16,
    folder: TempDir,
}

impl Https {
    async fn start(name: &str) -> Self {
        Self::start_demanding(name, false).await
    }

    /// Starts one that may demand a certificate of its clients, which its own authority vouches for: it is in the files `client.pem` and
    /// `client.key`. In `stranger.pem` and `stranger.key` is one that nobody vouches for.
    async fn start_demanding(name: &str, certificate_demanded: bool) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let authority = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(2040, 1, 1);
        let certificate = params.signed_by(&key, &authority).unwrap();
        let provider = Arc::new(ring::default_provider());
        let versions = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
        let clients = match certificate_demanded {
            false => versions.with_no_client_auth(),
            true => versions.with_client_cert_verifier(clients_of(&authority, folder.path(), provider)),
        };
        let config =
            clients.with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into())).unwrap();
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
        self.asked_by(ca_file, None).await
    }

    /// The same, by a host that proves itself.
    async fn asked_by(&self, ca_file: Option<PathBuf>, client: Option<&str>) -> String {
        let credentials = client.map(|name| {
            let file = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
            HttpCredentials::Certificate(CertificateCredentials { certificate_file: file("pem"), key_file: file("key") })
        });
        let host = PluginHost::new(Options { limits: Limits::default(), ca_file, ..Options::default() }).unwrap();
        let settings = format!(r#"{{"fetch":"https://localhost:{}/"}}"#, self.port);
        assess(&host.load(hostile()).unwrap(), &settings, &self.grants(credentials)).await.unwrap().answer.sentence
    }

    /// Returns a grant to ask the server, with these credentials.
    fn grants(&self, credentials: Option<HttpCredentials>) -> Grants {
        let rule = HttpRule {
            scheme: Scheme::Https,
            host: "localhost".to_owned(),
            port: Some(self.port),
            methods: Vec::new(),
            path: "/".to_owned(),
            private: true,
            response_bytes_max: None,
            timeout_ms: None,
            credentials,
        };
        Grants { http: Some(HttpGrant { subjects: false, allow: vec![rule] }), ..Grants::default() }
    }
}

/// Writes down two clients' certificates, and returns who takes the one that the authority vouches for.
fn clients_of(
    authority: &Issuer<'_, KeyPair>,
    folder: &Path,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Arc<dyn ClientCertVerifier> {
    let stranger = KeyPair::generate().unwrap();
    for (name, issuer) in
        [("client", authority), ("stranger", &Issuer::new(CertificateParams::new(Vec::new()).unwrap(), stranger))]
    {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["towpath".to_owned()]).unwrap().signed_by(&key, issuer).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(folder.join("ca.pem")).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap()
}

#[tokio::test]
async fn a_place_that_demands_a_certificate_gets_the_hosts_and_takes_no_other() {
    let server = Https::start_demanding("localhost", true).await;
    assert_eq!(server.asked_by(Some(server.ca_file()), Some("client")).await, "200 hello");
    // The reason may be lost with the connection, which the server closes while the request is under way.
    for nobody in [None, Some("stranger")] {
        let said = server.asked_by(Some(server.ca_file()), nobody).await;
        assert!(said.contains("the connection broke"), "{nobody:?}: {said}");
    }
    let said = server.asked_by(Some(server.ca_file()), Some("absent")).await;
    assert!(said.contains("absent.pem"), "{said}");
    std::fs::copy(server.folder.path().join("stranger.key"), server.folder.path().join("client.key")).unwrap();
    let said = server.asked_by(Some(server.ca_file()), Some("client")).await;
    assert!(said.contains("is not that of"), "{said}");
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

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how long a certificate is valid depends on the day")]
async fn a_check_learns_until_when_the_servers_certificate_is_valid() {
    let server = Https::start("localhost").await;
    let plugin = loaded("health-http", Options { ca_file: Some(server.ca_file()), ..Options::default() });
    let subjects = Subjects { public_endpoint: Some(format!("localhost:{}", server.port)), ..Subjects::default() };
    let assess = async |days_min: u32| {
        let settings = json!({ "subject": "public", "journeys": [{
            "name": "tls", "scheme": "https", "steps": [{ "path": "/", "expect": { "certificateDaysMin": days_min } }]
        }] });
        let context = context(&settings.to_string(), PATIENCE);
        plugin.assess(&context, &subjects, &Window::default(), &server.grants(None)).await.unwrap().answer
    };
    let found = assess(14).await;
    assert_eq!(found.verdict, HealthVerdict::Healthy, "{}", found.sentence);
    let days = found.measurements.iter().find(|measured| measured.name == "tls-certificate-days").unwrap();
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as f64;
    // The two readings of the clock are far less than a thousandth of a day apart.
    assert!((days.value - (EXPIRES_MS - now_ms) / 86_400_000.0).abs() < 0.01, "{days:?}");
    let found = assess(3_650 * 3).await;
    assert_eq!(found.verdict, HealthVerdict::Unhealthy, "{}", found.sentence);
    assert!(found.sentence.contains("the certificate expires in"), "{}", found.sentence);
}
