//! What the host proves itself with in a plugin's name.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{AUTHORIZATION, HeaderValue};
use serde::{Deserialize, Serialize};

use super::grant::{Reach, Scheme};
use super::send::{Incoming, Outgoing};
use super::tls::Certificate;
use crate::clock;
use crate::host::Shared;
use crate::secrets::{self, AwsKeys, Secret, SecretFrom, ToSign};

/// Secrets shorter than this may stand in an answer by chance.
const TELLING_BYTES_MIN: usize = 8;

/// What the host proves itself with: `{"bearer": {"file": "/etc/towpath/token"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HttpCredentials {
    /// A bearer token.
    Bearer(SecretFrom),
    /// A user and a password.
    Basic(BasicCredentials),
    /// A client certificate, over https.
    Certificate(CertificateCredentials),
    /// A signature of AWS (version 4).
    AwsSigV4(AwsCredentials),
}

/// A user and a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BasicCredentials {
    /// The user.
    pub user: String,
    /// Where the password is kept.
    pub password: SecretFrom,
}

/// A client certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CertificateCredentials {
    /// A PEM file: the certificate and those that vouch for it.
    pub certificate_file: PathBuf,
    /// A PEM file: its key.
    pub key_file: PathBuf,
}

/// What requests to AWS are signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsCredentials {
    /// The service's name in signatures ("lambda").
    pub service: String,
    /// The region.
    pub region: String,
    /// The keys.
    pub keys: AwsKeys,
}

/// What must not stand in an answer.
pub(super) type Telling = Vec<Secret>;

/// Adds the credentials of a place to a request for it, or says why they cannot be. Returns what must not come back.
pub(super) async fn add(host: &Shared, credentials: &HttpCredentials, outgoing: &mut Outgoing) -> Result<Telling, String> {
    let in_the_open = outgoing.place.scheme == Scheme::Http && outgoing.reach == Reach::Public;
    match credentials {
        HttpCredentials::Bearer(_) | HttpCredentials::Basic(_) if in_the_open => {
            Err("the grant's credentials would travel in the open: the rule needs https".to_owned())
        }
        HttpCredentials::Bearer(from) => {
            let token = secrets::read(host, from).await?;
            outgoing.headers.insert(AUTHORIZATION, proof(&format!("Bearer {}", token.reveal()))?);
            Ok(vec![token])
        }
        HttpCredentials::Basic(BasicCredentials { user, password }) => {
            let password = secrets::read(host, password).await?;
            let both = BASE64.encode(format!("{user}:{}", password.reveal()));
            outgoing.headers.insert(AUTHORIZATION, proof(&format!("Basic {both}"))?);
            Ok(vec![password, Secret::new(both)])
        }
        HttpCredentials::Certificate(_) if outgoing.place.scheme == Scheme::Http => {
            Err("a client certificate needs https, and the rule says http".to_owned())
        }
        HttpCredentials::Certificate(CertificateCredentials { certificate_file, key_file }) => {
            let (certificate_file, key_file) = (certificate_file.clone(), key_file.clone());
            outgoing.certificate = Some(Certificate { certificate_file, key_file });
            Ok(Vec::new())
        }
        HttpCredentials::AwsSigV4(credentials) => sign(host, credentials, outgoing).await,
    }
}

async fn sign(host: &Shared, credentials: &AwsCredentials, outgoing: &mut Outgoing) -> Result<Telling, String> {
    let keys = secrets::read_keys(host, &credentials.keys).await?;
    let to_sign = ToSign {
        method: outgoing.method.as_str(),
        path_and_query: &outgoing.place.path_and_query,
        body: &outgoing.body,
        service: &credentials.service,
        region: &credentials.region,
        now_ms: clock::now_ms(),
    };
    secrets::sign(&mut outgoing.headers, &to_sign, &keys)?;
    let proof = outgoing.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Ok([Some(keys.secret), keys.session_token, Some(Secret::new(proof.to_owned()))].into_iter().flatten().collect())
}

fn proof(text: &str) -> Result<HeaderValue, String> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| "the grant's secret holds characters that no header may have".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns whether an answer repeats a credential, as servers do that show what they were asked.
pub(super) fn repeated(incoming: &Incoming, telling: &Telling) -> bool {
    let long = telling.iter().map(|secret| secret.reveal().as_bytes()).filter(|secret| secret.len() >= TELLING_BYTES_MIN);
    long.into_iter().any(|secret| {
        let within = |text: &[u8]| text.windows(secret.len()).any(|part| part == secret);
        within(&incoming.body) || incoming.headers.iter().any(|(_, value)| within(value.as_bytes()))
    })
}
