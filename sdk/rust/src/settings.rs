//! Settings: parsed from JSON at every call, described by a schema that is derived from the same type.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// Returns the JSON Schema (2020-12) of a settings type, as text.
pub fn settings_schema<S: JsonSchema>() -> String {
    schemars::schema_for!(S).to_value().to_string()
}

/// Returns the settings, or a sentence that says what does not fit.
pub(crate) fn parse<S: DeserializeOwned>(text: &str) -> Result<S, String> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    // A list would be taken for a structure's fields in their order.
    if !text.trim_start().starts_with('{') {
        return Err("the settings do not fit: expected an object".to_owned());
    }
    serde_json::from_str(text).map_err(|error| format!("the settings do not fit: {error}"))
}

/// Returns the state that an earlier call left, or the default when there is none or it is of another form.
pub(crate) fn parse_state<S: DeserializeOwned + Default>(bytes: Option<&[u8]>) -> S {
    // A state of another form comes from another version of the plugin; starting anew is always right, only slower.
    bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
}
