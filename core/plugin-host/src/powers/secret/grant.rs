//! What the operator may set: which secrets, and where each is kept.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::CallState;
use crate::secrets::{ManagedSecret, SecretFrom};

/// Which secrets a plugin may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SecretGrant {
    /// The secrets.
    pub allow: Vec<SecretRule>,
}

/// One secret: `{"name": "api-token", "file": "/etc/towpath/api-token"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct SecretRule {
    /// What the plugin calls it.
    pub name: String,
    /// Where it is kept.
    pub from: SecretFrom,
}

/// A rule as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secrets_manager: Option<ManagedSecret>,
}

impl TryFrom<Written> for SecretRule {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { name, file, environment, secrets_manager } = written;
        let from = match (file, environment, secrets_manager) {
            (Some(file), None, None) => SecretFrom::File(file),
            (None, Some(variable), None) => SecretFrom::Environment(variable),
            (None, None, Some(kept)) => SecretFrom::SecretsManager(kept),
            _ => return Err(format!("secret {name:?} must have exactly one of file, environment, secretsManager")),
        };
        Ok(Self { name, from })
    }
}

impl From<SecretRule> for Written {
    fn from(SecretRule { name, from }: SecretRule) -> Self {
        let nowhere = Self { name, file: None, environment: None, secrets_manager: None };
        match from {
            SecretFrom::File(file) => Self { file: Some(file), ..nowhere },
            SecretFrom::Environment(variable) => Self { environment: Some(variable), ..nowhere },
            SecretFrom::SecretsManager(kept) => Self { secrets_manager: Some(kept), ..nowhere },
        }
    }
}

impl SecretGrant {
    /// Returns what either of the two allows; where both name a secret, this one says where it is kept.
    pub(crate) fn merged(&self, more: &Self) -> Self {
        let mut allow = self.allow.clone();
        let new = |rule: &&SecretRule| !self.allow.iter().any(|known| known.name == rule.name);
        allow.extend(more.allow.iter().filter(new).cloned());
        Self { allow }
    }
}

/// Returns where a secret is kept, or the refusal's sentence.
pub(super) fn check(state: &CallState, name: &str) -> Result<SecretFrom, String> {
    if !state.asker.asks_for("secret") {
        return Err(state.not_asked_for("secret"));
    }
    let grants = state.grants.current();
    let rule = grants.secret.as_ref().and_then(|grant| grant.allow.iter().find(|rule| rule.name == name));
    rule.map(|rule| rule.from.clone()).ok_or_else(|| {
        let shown: String = name.chars().take(100).collect();
        let line = json!({ "secret": { "allow": [{ "name": shown, "file": "/etc/towpath/secrets/FILE" }] } });
        state.refuse("secret", format!("it asked for secret {shown:?}"), line.to_string())
    })
}
