//! Where a secret is kept, as the operator writes it in a grant.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where a secret is kept: `{"file": "/etc/towpath/token"}`, `{"environment": "TOKEN"}` or `{"secretsManager": {..}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SecretFrom {
    /// A file on the server's machine, by its absolute path; one line break at its end is not meant.
    File(PathBuf),
    /// A variable of the environment that the server was started with.
    Environment(String),
    /// AWS Secrets Manager, or whoever speaks as it does.
    SecretsManager(ManagedSecret),
}

/// Where a secret of this machine is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LocalSecret {
    /// A file on the server's machine, by its absolute path.
    File(PathBuf),
    /// A variable of the environment that the server was started with.
    Environment(String),
}

/// A secret in AWS Secrets Manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedSecret {
    /// The address of the service ("https://secretsmanager.eu-central-1.amazonaws.com/"); plain http for one on this machine.
    pub address: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The secret's name or ARN.
    pub id: String,
    /// The field, where the secret is a JSON object.
    #[serde(default)]
    pub field: Option<String>,
    /// What the host proves itself with.
    pub keys: AwsKeys,
}

/// Keys of an AWS account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsKeys {
    /// The name of the key.
    pub access_key_id: LocalSecret,
    /// The key.
    pub secret_access_key: LocalSecret,
    /// The session token, where the keys are temporary.
    #[serde(default)]
    pub session_token: Option<LocalSecret>,
}
