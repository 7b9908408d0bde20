//! A Prometheus that answers only those who prove themselves: the host does, with what the grant names, and the plugin sees none of it.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::exporter::Canned;
use super::*;

/// A user whose password is [`PASSWORD`], as Prometheus keeps it (bcrypt of the least cost: the test's time is not the point).
const USERS: &str = "basic_auth_users:\n  reader: $2y$04$JfqYnMnXofvwimBQS5XL1ebhXD/i2CGULOKe3J56iKCduDGH55nQO\n";

const PASSWORD: &str = "not-a-secret-word";

fn settings(url: &str) -> Value {
    json!({ "url": url, "metrics": [{ "name": "it", "query": "vector(0)", "failure": "candidate > 5" }] })
}

#[tokio::test]
async fn basic_credentials_open_a_real_prometheus() {
    let prometheus = Prometheus::start_guarded("# EOF\n", USERS, &[]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("password"), PASSWORD).unwrap();
    fs::write(folder.path().join("wrong"), "another-word").unwrap();
    let look = async |credentials: Value| {
        let grants = grants("http", "127.0.0.1", prometheus.address().port(), &credentials);
        look(check(), &settings(&prometheus.url()), &grants, "good").await.expect("an answer").answer
    };
    let with = |file: &str| json!({ "basic": { "user": "reader", "password": { "file": folder.path().join(file) } } });
    let proven = look(with("password")).await;
    assert_eq!((proven.verdict, proven.sentence.as_str()), (HealthVerdict::Healthy, "it is 0, and not candidate > 5"));
    for nobody in [Value::Null, with("wrong")] {
        let found = look(nobody).await;
        assert!(found.verdict == HealthVerdict::Error && found.sentence.contains("status 401"), "{}", found.sentence);
        assert!(found.sentence.ends_with("its credentials are those of the grant"), "{}", found.sentence);
        assert!(!found.sentence.contains("another-word"));
    }
}

#[tokio::test]
async fn a_bearer_token_is_added_by_the_host() {
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1790000000,"0"]}]}}"#;
    let server = Canned::start(body.to_owned()).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), "a-token-of-the-operators\n").unwrap();
    let grants = grants("http", "127.0.0.1", server.port, &json!({ "bearer": { "file": folder.path().join("token") } }));
    let called =
        look(check(), &settings(&format!("http://127.0.0.1:{}", server.port)), &grants, "good").await.expect("an answer");
    assert_eq!(called.answer.verdict, HealthVerdict::Healthy, "{}", called.answer.sentence);
    let asked = server.asked().concat();
    assert!(asked.starts_with("POST /api/v1/query HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("authorization: Bearer a-token-of-the-operators\r\n"), "{asked}");
    assert!(asked.ends_with("query=vector%280%29&timeout=5000ms"), "{asked}");
}

/// Writes an authority, a server's certificate for localhost, and a client's, all of which it vouches for.
fn certificates(folder: &TempDir) {
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    write("ca.pem", params.self_signed(&key).unwrap().pem());
    let authority = Issuer::new(params, key);
    for (name, subject) in [("server", "localhost"), ("client", "towpath")] {
        let key = KeyPair::generate().unwrap();
        write(
            &format!("{name}.pem"),
            CertificateParams::new(vec![subject.to_owned()]).unwrap().signed_by(&key, &authority).unwrap().pem(),
        );
        write(&format!("{name}.key"), key.serialize_pem());
    }
}

#[tokio::test]
async fn a_client_certificate_opens_a_real_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    certificates(&folder);
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let web = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";
    let [ca, certificate, key] = ["ca.pem", "server.pem", "server.key"].map(text);
    let prometheus =
        Prometheus::start_guarded("# EOF\n", web, &[("ca.pem", &ca), ("server.pem", &certificate), ("server.key", &key)]);
    let port = prometheus.address().port();
    let file = |name: &str| folder.path().join(name);
    let plugin = check_trusting(Some(file("ca.pem")));
    let settings = settings(&format!("https://localhost:{port}"));
    let certificate = json!({ "certificate": { "certificateFile": file("client.pem"), "keyFile": file("client.key") } });
    let found =
        look(&plugin, &settings, &grants("https", "localhost", port, &certificate), "good").await.expect("an answer").answer;
    assert_eq!((found.verdict, found.sentence.as_str()), (HealthVerdict::Healthy, "it is 0, and not candidate > 5"));
    let nobody = grants("https", "localhost", port, &Value::Null);
    let found = look(&plugin, &settings, &nobody, "good").await.expect("an answer").answer;
    assert!(
        found.verdict == HealthVerdict::Inconclusive && found.sentence.starts_with("Prometheus cannot be asked: "),
        "{}",
        found.sentence
    );
}
