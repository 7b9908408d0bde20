//! What the guest may call.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeLogStream, grant};
use crate::call::CallState;
use crate::usage::Refusable;
use crate::v0_3::bindings::powers::towpath::plugin::runtime::{Error, Host, LogLine, LogStream};

/// Lines that a guest is given at most, as the contract says.
const LINES_MAX: u32 = 1_000;

impl Host for CallState {
    async fn apply(&mut self, desired: String) -> wasmtime::Result<Result<String, Error>> {
        let what = format!("apply to {} in {}", self.scope.service, self.scope.environment);
        self.using("runtime", what, async |state| {
            if let Err(sentence) = grant::check_write(state) {
                return Ok(Err(Error::Refused(sentence)));
            }
            let desired = match stamped(&desired, state.fence, &state.operation_key) {
                Ok(desired) => desired,
                Err(sentence) => return Ok(Err(Error::Invalid(sentence))),
            };
            let Some(backend) = backend(state) else { return Ok(Err(none())) };
            state.transcript.note_sent();
            Ok(backend.apply(&state.scope, desired).await.map(|status| status.to_string()).map_err(error))
        })
        .await
    }

    async fn status(&mut self) -> wasmtime::Result<Result<Option<String>, Error>> {
        let what = format!("status of {} in {}", self.scope.service, self.scope.environment);
        self.using("runtime", what, async |state| {
            if let Err(sentence) = grant::check(state) {
                return Ok(Err(Error::Refused(sentence)));
            }
            let Some(backend) = backend(state) else { return Ok(Err(none())) };
            // Asking leaves nothing behind, so it does not make the outcome of the call unknown.
            Ok(backend.status(&state.scope).await.map(|status| status.map(|status| status.to_string())).map_err(error))
        })
        .await
    }

    async fn logs(&mut self, release: String, lines: u32) -> wasmtime::Result<Result<Vec<LogLine>, Error>> {
        let what = format!("logs of {} in {}", self.scope.service, self.scope.environment);
        self.using("runtime", what, async |state| {
            if let Err(sentence) = grant::check(state) {
                return Ok(Err(Error::Refused(sentence)));
            }
            let Some(backend) = backend(state) else { return Ok(Err(none())) };
            let lines = backend.logs(&state.scope, &release, lines.min(LINES_MAX)).await;
            Ok(lines.map(|lines| lines.into_iter().map(log_line).collect()).map_err(error))
        })
        .await
    }
}

fn log_line(line: RuntimeLogLine) -> LogLine {
    let RuntimeLogLine { at_ms, instance, stream, text } = line;
    let stream = match stream {
        RuntimeLogStream::Output => LogStream::Output,
        RuntimeLogStream::Errors => LogStream::Errors,
        RuntimeLogStream::Runtime => LogStream::Runtime,
    };
    LogLine { at_ms, instance, stream, text }
}

impl Refusable for Error {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn sentence(&self) -> String {
        match self {
            Self::Refused(why) | Self::Invalid(why) | Self::Unreachable(why) => why.clone(),
            Self::Superseded(fence) => format!("the runtime has seen fence {fence}"),
        }
    }
}

/// Returns the guest's desired state with the host's fence and operation key in it, whatever the guest wrote there.
fn stamped(desired: &str, fence: u64, operation_key: &str) -> Result<Value, String> {
    let mut desired: Map<String, Value> = serde_json::from_str(desired).map_err(|error| format!("not a JSON object: {error}"))?;
    desired.insert("fence".to_owned(), fence.into());
    desired.insert("operationKey".to_owned(), operation_key.into());
    Ok(Value::Object(desired))
}

fn backend(state: &CallState) -> Option<Arc<dyn RuntimeBackend>> {
    state.host.runtime.clone()
}

fn none() -> Error {
    Error::Unreachable("this server has no local runtime".to_owned())
}

fn error(fault: RuntimeFault) -> Error {
    match fault {
        RuntimeFault::Superseded { highest_fence } => Error::Superseded(highest_fence),
        RuntimeFault::Invalid(why) => Error::Invalid(why),
        RuntimeFault::Unreachable(why) => Error::Unreachable(why),
    }
}
