//! What the guest may call.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{RuntimeBackend, RuntimeFault, grant};
use crate::call::CallState;
use crate::v0_1::bindings::powers::towpath::plugin::runtime::{Error, Host};

impl Host for CallState {
    async fn apply(&mut self, desired: String) -> wasmtime::Result<Result<String, Error>> {
        self.enter()?;
        if let Err(sentence) = grant::check_write(self) {
            return Ok(Err(Error::Refused(sentence)));
        }
        let desired = match stamped(&desired, self.fence, &self.operation_key) {
            Ok(desired) => desired,
            Err(sentence) => return Ok(Err(Error::Invalid(sentence))),
        };
        let Some(backend) = backend(self) else { return Ok(Err(none())) };
        self.transcript.note_sent();
        Ok(backend.apply(&self.scope, desired).await.map(|status| status.to_string()).map_err(error))
    }

    async fn status(&mut self) -> wasmtime::Result<Result<Option<String>, Error>> {
        self.enter()?;
        if let Err(sentence) = grant::check(self) {
            return Ok(Err(Error::Refused(sentence)));
        }
        let Some(backend) = backend(self) else { return Ok(Err(none())) };
        // Asking leaves nothing behind, so it does not make the outcome of the call unknown.
        Ok(backend.status(&self.scope).await.map(|status| status.map(|status| status.to_string())).map_err(error))
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
