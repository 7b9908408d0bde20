//! Registries that ask for tokens: whoever asks gets one from a server that the registry names, for its credentials or for nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use distribution::{Error, Registries, Trust, pull, push};
use rcgen::{CertificateParams, KeyPair};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;

use crate::liar::{Liar, answer, with_header};
use crate::registry::{PASSWORD, Registry, USER};
use crate::{component, none, reference};

const SERVICE: &str = "registry.example";
const ISSUER: &str = "tokens.example";

/// Somebody who may pull, and not push.
const READER: &str = "reader";

/// What tokens are signed with, and the certificate that the registry believes.
struct Signer {
    key: KeyPair,
    certificate_der: Vec<u8>,
    certificate_pem: String,
}

impl Signer {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        Self { key, certificate_der: certificate.der().to_vec(), certificate_pem: certificate.pem() }
    }

    /// Returns a token for a scope, `repository:name:actions`, as far as the actions are allowed.
    fn token(&self, scope: &str, allowed: &[&str]) -> String {
        let [kind, name, actions] = scope.split(':').collect::<Vec<_>>()[..] else { panic!("{scope}") };
        let actions: Vec<_> = actions.split(',').filter(|action| allowed.contains(action)).collect();
        let at = now();
        let head = json!({ "typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(&self.certificate_der)] });
        let claims = json!({
            "iss": ISSUER, "sub": USER, "aud": SERVICE, "jti": "1", "iat": at, "nbf": at - 30, "exp": at + 300,
            "access": [{ "type": kind, "name": name, "actions": actions }],
        });
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.key.serialize_der(), &random).unwrap();
        let signature = key.sign(&random, text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[expect(clippy::disallowed_methods, reason = "a real registry looks at the clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Returns registries with credentials for one host.
fn with(folder: &Path, host: &str, user: &str, password: &str) -> Registries {
    let file = folder.join("config.json");
    let auth = STANDARD.encode(format!("{user}:{password}"));
    std::fs::write(&file, json!({ "auths": { host: { "auth": auth } } }).to_string()).unwrap();
    Registries { credentials_file: Some(file), ..Registries::default() }
}

/// Starts a server of tokens for [`USER`], who may do everything, and [`READER`]: both have the one password.
async fn server(signer: Arc<Signer>) -> Liar {
    Liar::start(move |path, proof| {
        let scope = path.split(['?', '&']).find_map(|word| word.strip_prefix("scope=")).unwrap_or_default();
        let allowed: &[&str] = match proof {
            Some(proof) if proof == basic(USER, PASSWORD) => &["pull", "push"],
            Some(proof) if proof == basic(READER, PASSWORD) => &["pull"],
            _ => return answer(401, "who are you?"),
        };
        answer(200, json!({ "token": signer.token(scope, allowed) }).to_string())
    })
    .await
}

#[tokio::test]
async fn a_real_registry_opens_to_the_token_that_credentials_earn() {
    let signer = Arc::new(Signer::new());
    let tokens = server(signer.clone()).await;
    let realm = format!("http://{}/token", tokens.host);
    let registry = Registry::start_with_tokens(&realm, SERVICE, ISSUER, &signer.certificate_pem);
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let folder = tempfile::tempdir().unwrap();
    let with = |user: &str, password: &str| with(folder.path(), &registry.host, user, password);

    let error = push(&Registries::default(), &name, &component("a"), &none()).await.unwrap_err();
    assert!(matches!(&error, Error::Denied { status: 401, why, .. } if why.contains("name a `credentialsFile`")), "{error}");
    let error = push(&with(USER, "wrong-password"), &name, &component("a"), &none()).await.unwrap_err();
    assert!(matches!(&error, Error::Denied { status: 401, why, .. } if why.contains("Credential of towpath")), "{error}");
    assert!(!format!("{error:?}").contains("wrong-password"));

    let before = tokens.asked.lock().unwrap().len();
    push(&with(USER, PASSWORD), &name, &component("a"), &none()).await.unwrap();
    let asked = tokens.asked.lock().unwrap()[before..].to_vec();
    // A registry names the actions in an order of its own, at each request another one.
    let wanted = |order| format!("/token?scope=repository:team/plugin:{order}&service=registry.example");
    let wanted = ["pull,push", "push,pull"].map(wanted);
    let proven = |(path, proof): &(String, Option<String>)| wanted.contains(path) && *proof == Some(basic(USER, PASSWORD));
    assert!(asked.iter().any(proven), "{asked:?}");
    assert!(asked.len() <= 2, "a token is fetched once for the same actions: {asked:?}");

    // Whoever may only read is given a token that the registry does not take for more.
    assert_eq!(pull(&with(READER, PASSWORD), &Trust::unsigned(), &name).await.unwrap().component, component("a"));
    let error = push(&with(READER, PASSWORD), &name, &component("b"), &none()).await.unwrap_err();
    assert!(matches!(&error, Error::Denied { status: 401, .. }), "{error}");
}

#[tokio::test]
async fn tokens_of_somebody_else_open_nothing() {
    let (signer, stranger) = (Arc::new(Signer::new()), Arc::new(Signer::new()));
    let tokens = server(stranger).await;
    let realm = format!("http://{}/token", tokens.host);
    let registry = Registry::start_with_tokens(&realm, SERVICE, ISSUER, &signer.certificate_pem);
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let folder = tempfile::tempdir().unwrap();
    let registries = with(folder.path(), &registry.host, USER, PASSWORD);
    let error = push(&registries, &name, &component("a"), &none()).await.unwrap_err();
    assert!(matches!(&error, Error::Denied { status: 401, .. }), "{error}");
}

#[tokio::test]
async fn a_password_is_for_the_server_of_tokens_alone_and_a_token_that_ends_is_fetched_anew() {
    let count = AtomicU32::new(0);
    let tokens = Liar::start(move |_, proof| match proof {
        Some(proof) if proof == basic(USER, PASSWORD) => {
            let number = count.fetch_add(1, Ordering::SeqCst);
            answer(200, json!({ "access_token": format!("token-{number}") }).to_string())
        }
        _ => answer(401, ""),
    })
    .await;
    let realm = format!(r#"Bearer realm="http://{}/token",service="{SERVICE}""#, tokens.host);
    let manifest = br#"{"schemaVersion": 2, "manifests": []}"#;
    // Each token is good for one request: the tag, then the manifest of its digest.
    let seen = AtomicU32::new(0);
    let liar = Liar::start(move |_, proof| {
        let number = seen.load(Ordering::SeqCst);
        match proof {
            Some(proof) if proof == format!("Bearer token-{number}") => {
                seen.fetch_add(1, Ordering::SeqCst);
                answer(200, &manifest[..])
            }
            _ => with_header(401, "www-authenticate", &realm),
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let registries = with(folder.path(), &liar.host, USER, PASSWORD);
    let name = reference(format!("{}/team/plugin:1", liar.host));
    let error = pull(&registries, &Trust::unsigned(), &name).await.unwrap_err();
    assert!(matches!(&error, Error::NotAPlugin { .. }), "{error:?}");
    assert_eq!(tokens.times_asked("/token"), 2);
    let proofs: Vec<_> = liar.asked.lock().unwrap().iter().map(|(_, proof)| proof.clone()).collect();
    let bearer = |number: u32| Some(format!("Bearer token-{number}"));
    assert_eq!(proofs, [None, bearer(0), bearer(0), bearer(1)], "no password among them");
}

#[tokio::test]
async fn a_token_is_fetched_where_the_registry_says() {
    let tokens = Liar::start(|_, _| answer(200, r#"{"token": "abc"}"#)).await;
    let realm = format!(r#"Bearer realm="http://{}/token",service="registry.example""#, tokens.host);
    let liar = Liar::start(move |_, proof| match proof {
        Some("Bearer abc") => answer(404, ""),
        _ => with_header(401, "www-authenticate", &realm),
    })
    .await;
    let error =
        pull(&Registries::default(), &Trust::unsigned(), &reference(format!("{}/team/a:1", liar.host))).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let asked = tokens.asked.lock().unwrap().clone();
    assert_eq!(asked, [("/token?scope=repository:team/a:pull&service=registry.example".to_owned(), None)]);
}
