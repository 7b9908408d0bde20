//! What the operator may set: `{"artifact": true}` grants it, always for the artifacts of the call alone.

use crate::call::CallState;
use crate::powers::line;

/// Returns the refusal's sentence when the power is not granted, or the call is about another artifact.
pub(crate) fn check(state: &CallState, digest: &str) -> Result<(), String> {
    if !state.asker.asks_for("artifact") {
        return Err(state.not_asked_for("artifact"));
    }
    if !state.grants.current().artifact {
        return Err(state.refuse("artifact", "it asked for the bytes of an artifact".to_owned(), line("artifact")));
    }
    match state.artifacts.iter().any(|known| known == digest) {
        true => Ok(()),
        false if state.artifacts.is_empty() => Err("the call is about no artifact".to_owned()),
        false => {
            let shown: String = digest.chars().take(80).collect();
            Err(format!("the call is not about artifact {shown:?}, but about {}", state.artifacts.join(", ")))
        }
    }
}
