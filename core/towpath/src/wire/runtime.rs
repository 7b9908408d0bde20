//! The local runtime behind the plugins' `runtime` power.

use std::path::Path;

use ::runtime::client::{Client, ClientError};
use async_trait::async_trait;
use model::{EnvironmentName, Scope, ServiceName};
use plugin_host::{RuntimeBackend, RuntimeFault, RuntimeScope};
use serde_json::Value;

/// The runtime that shares our data folder.
pub(crate) struct LocalRuntime {
    client: Client,
}

impl LocalRuntime {
    /// Returns the runtime with that data folder; it need not run yet.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self { client: Client::new(::runtime::Options::default_control_socket(data_dir)) }
    }
}

#[async_trait]
impl RuntimeBackend for LocalRuntime {
    async fn apply(&self, scope: &RuntimeScope, desired: Value) -> Result<Value, RuntimeFault> {
        let desired = serde_json::to_vec(&desired).map_err(|error| RuntimeFault::Invalid(error.to_string()))?;
        let status = self.client.apply_json(&self::scope(scope)?, desired).await.map_err(sorted)?;
        json(&status)
    }

    async fn status(&self, scope: &RuntimeScope) -> Result<Option<Value>, RuntimeFault> {
        let status = self.client.status(&self::scope(scope)?).await.map_err(sorted)?;
        status.as_ref().map(json).transpose()
    }
}

fn json(status: &::runtime::protocol::Status) -> Result<Value, RuntimeFault> {
    serde_json::to_value(status).map_err(|error| RuntimeFault::Unreachable(error.to_string()))
}

fn scope(scope: &RuntimeScope) -> Result<Scope, RuntimeFault> {
    let invalid = |error: model::InvalidName| RuntimeFault::Invalid(error.to_string());
    Ok(Scope {
        service: ServiceName::new(&scope.service).map_err(invalid)?,
        environment: EnvironmentName::new(&scope.environment).map_err(invalid)?,
    })
}

fn sorted(error: ClientError) -> RuntimeFault {
    match error {
        ClientError::Superseded { highest_fence } => RuntimeFault::Superseded { highest_fence },
        ClientError::Refused { reason } => RuntimeFault::Invalid(reason),
        other => RuntimeFault::Unreachable(other.to_string()),
    }
}
