//! What the operator may set: `{"telemetry": true}` grants it, always for the scope of the call alone.

use crate::call::CallState;
use crate::powers::line;

/// Returns the refusal's sentence when the power is not granted.
pub(super) fn check(state: &CallState) -> Result<(), String> {
    if !state.asker.asks_for("telemetry") {
        return Err(state.not_asked_for("telemetry"));
    }
    if state.grants.current().telemetry {
        return Ok(());
    }
    Err(state.refuse("telemetry", "it asked for what the service measures".to_owned(), line("telemetry")))
}
