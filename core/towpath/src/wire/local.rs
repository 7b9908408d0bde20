//! The local runtime behind the plugin host's port.

use async_trait::async_trait;
use model::{EnvironmentName, Scope, ServiceName};
use plugin_host::{RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeLogStream, RuntimeScope};
use runtime::client::{Client, ClientError};
use runtime::protocol::{LogLine, LogQuery, Stream};
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

    async fn logs(&self, scope: &RuntimeScope, release: &str, lines: u32) -> Result<Vec<RuntimeLogLine>, RuntimeFault> {
        let lines = usize::try_from(lines).ok();
        let query = LogQuery { release: Some(release.to_owned()), side: None, lines };
        let lines = self.0.logs(&named(scope)?, &query).await.map_err(|error| sort(&error))?;
        Ok(lines.into_iter().map(line).collect())
    }
}

fn line(line: LogLine) -> RuntimeLogLine {
    let LogLine { unix_ms, instance, stream, text } = line;
    let stream = match stream {
        Stream::Out => RuntimeLogStream::Output,
        Stream::Err => RuntimeLogStream::Errors,
        Stream::Runtime => RuntimeLogStream::Runtime,
    };
    RuntimeLogLine { at_ms: i64::try_from(unix_ms).unwrap_or(i64::MAX), instance, stream, text }
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
