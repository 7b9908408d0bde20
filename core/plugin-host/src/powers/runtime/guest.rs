//! What the guest may call.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{RuntimeBackend, RuntimeFault, grant};
use crate::call::CallState;
use crate::usage::Refusable;
use crate::v0_2::bindings::powers::towpath::plugin::runtime::{Error, Host};

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
