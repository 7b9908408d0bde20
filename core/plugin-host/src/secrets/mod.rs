//! Where the server keeps what must stay secret, and how the host reads it: files, the server's environment, a secret manager.
//!
//! Secrets are read at each use, so that a rotated one is in force at once. What is read never appears in `Debug`, errors or traces.

mod aws;
mod from;
mod manager;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub(crate) use aws::{Keys, ToSign, sign};
pub use from::{AwsKeys, LocalSecret, ManagedSecret, SecretFrom};

use crate::host::Shared;

/// The longest secret, in bytes: a key with its chain of certificates is a few thousand.
const BYTES_MAX: u64 = 64 << 10;

/// The server's environment, as it was when the server started: read once, by whoever starts the host.
#[derive(Clone, Default)]
pub struct ServerEnvironment(Arc<BTreeMap<String, String>>);

impl FromIterator<(String, String)> for ServerEnvironment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(Arc::new(variables.into_iter().collect()))
    }
}

impl fmt::Debug for ServerEnvironment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ServerEnvironment({} variables)", self.0.len())
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the text, for the one place that needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Returns a secret, or a sentence on why there is none, which names where it is kept and nothing of it.
pub(crate) async fn read(host: &Shared, from: &SecretFrom) -> Result<Secret, String> {
    match from {
        SecretFrom::File(file) => read_file(file).await,
        SecretFrom::Environment(name) => variable(host, name),
        SecretFrom::SecretsManager(kept) => manager::read(host, kept).await,
    }
}

/// Returns a secret of this machine.
pub(crate) async fn read_local(host: &Shared, from: &LocalSecret) -> Result<Secret, String> {
    match from {
        LocalSecret::File(file) => read_file(file).await,
        LocalSecret::Environment(name) => variable(host, name),
    }
}

/// Returns keys of an AWS account.
pub(crate) async fn read_keys(host: &Shared, keys: &AwsKeys) -> Result<Keys, String> {
    let session_token = match &keys.session_token {
        Some(from) => Some(read_local(host, from).await?),
        None => None,
    };
    Ok(Keys {
        id: read_local(host, &keys.access_key_id).await?,
        secret: read_local(host, &keys.secret_access_key).await?,
        session_token,
    })
}

async fn read_file(file: &Path) -> Result<Secret, String> {
    let cannot = |why: &dyn fmt::Display| format!("the secret in {} cannot be read: {why}", file.display());
    if !file.is_absolute() {
        return Err(cannot(&"the path is not absolute"));
    }
    let bytes = tokio::fs::metadata(file).await.map_err(|error| cannot(&error))?.len();
    if bytes > BYTES_MAX {
        return Err(cannot(&format!("it has {bytes} bytes, at most {BYTES_MAX} are read")));
    }
    let bytes = tokio::fs::read(file).await.map_err(|error| cannot(&error))?;
    // Editors end a file with a line break that is not meant.
    let text = String::from_utf8(bytes).map_err(|_| cannot(&"it is not text"))?;
    not_empty(text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).unwrap_or(&text))
        .ok_or_else(|| cannot(&"it is empty"))
}

fn variable(host: &Shared, name: &str) -> Result<Secret, String> {
    let found = host.environment.0.get(name).and_then(|text| not_empty(text));
    found.ok_or_else(|| format!("the server was started without the environment variable {name}, or it is empty"))
}

fn not_empty(text: &str) -> Option<Secret> {
    (!text.is_empty()).then(|| Secret(text.to_owned()))
}
