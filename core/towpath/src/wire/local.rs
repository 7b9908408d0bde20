//! The local runtime behind the plugin host's port.

use async_trait::async_trait;
use model::{EnvironmentName, Scope, ServiceName};
use plugin_host::{RuntimeBackend, RuntimeFault, RuntimeScope};
use runtime::client::{Client, ClientError};
use serde::Serialize;
use serde_json::Value;

use crate::failure;

/// A runtime on this machine.
pub(crate) struct LocalRuntime(pub(crate) Client);

#[async_trait]
impl RuntimeBackend for LocalRuntime {
    async fn apply(&self, scope: &RuntimeScope, desired: Value) -> Result<Value, RuntimeFault> {
        let status = self.0.apply_json(&named(scope)?, desired.to_string().into_bytes()).await;
        to_json(&status.map_err(|error| sort(&error))?)
    }

    async fn status(&self, scope: &RuntimeScope) -> Result<Option<Value>, RuntimeFault> {
        let status = self.0.status(&named(scope)?).await.map_err(|error| sort(&error))?;
        status.as_ref().map(to_json).transpose()
    }
}

fn named(scope: &RuntimeScope) -> Result<Scope, RuntimeFault> {
    let invalid = |error: model::InvalidName| RuntimeFault::Invalid(error.to_string());
    Ok(Scope {
        service: ServiceName::new(&scope.service).map_err(invalid)?,
        environment: EnvironmentName::new(&scope.environment).map_err(invalid)?,
    })
}

fn to_json(status: &impl Serialize) -> Result<Value, RuntimeFault> {
    serde_json::to_value(status).map_err(|error| RuntimeFault::Unreachable(error.to_string()))
}

fn sort(error: &ClientError) -> RuntimeFault {
    match error {
        ClientError::Superseded { highest_fence } => RuntimeFault::Superseded { highest_fence: *highest_fence },
        ClientError::Refused { reason } => RuntimeFault::Invalid(reason.clone()),
        other => RuntimeFault::Unreachable(failure::chain(other)),
    }
}
