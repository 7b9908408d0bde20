//! What the operator may set: `{"runtime": true}` grants it, always for the scope of the call alone.

use crate::call::{CallState, Purpose};
use crate::powers::line;

/// Returns the refusal's sentence when the power is not granted.
pub(super) fn check(state: &CallState) -> Result<(), String> {
    if !state.asker.asks_for("runtime") {
        return Err(state.not_asked_for("runtime"));
    }
    if state.grants.current().runtime {
        return Ok(());
    }
    Err(state.refuse("runtime", "it asked for the local runtime".to_owned(), line("runtime")))
}

/// Returns a sentence when the call may look, but not write.
pub(super) fn check_write(state: &CallState) -> Result<(), String> {
    check(state)?;
    match state.purpose {
        Purpose::Change if !state.operation_key.is_empty() => Ok(()),
        Purpose::Change => Err("a desired state needs an operation key, and the call has none".to_owned()),
        Purpose::Look | Purpose::Judge(_) => Err("only a reconcile may change what runs".to_owned()),
    }
}
