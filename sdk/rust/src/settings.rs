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
    let mut json = serde_json::Deserializer::from_str(text);
    let settings = serde_path_to_error::deserialize(&mut json).map_err(|error| match error.path().to_string().as_str() {
        // It is the settings as a whole, or no JSON at all.
        "." | "?" => format!("the settings do not fit: {}", error.inner()),
        path => format!("the settings do not fit: {path}: {}", error.inner()),
    })?;
    json.end().map_err(|error| format!("the settings do not fit: {error}"))?;
    Ok(settings)
}

/// Returns the state that an earlier call left, or the default when there is none or it is of another form.
pub(crate) fn parse_state<S: DeserializeOwned + Default>(bytes: Option<&[u8]>) -> S {
    // A state of another form comes from another version of the plugin; starting anew is always right, only slower.
    bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
}

/// Returns where the schema's address and length stand, as the canonical ABI returns a string. It is never freed: the build asks once.
#[doc(hidden)]
#[cfg(target_arch = "wasm32")]
pub fn exported_schema<S: JsonSchema>() -> i32 {
    let schema = settings_schema::<S>().leak();
    let returned: &'static [u32; 2] = Box::leak(Box::new([schema.as_ptr() as u32, schema.len() as u32]));
    returned.as_ptr() as i32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read into")]
    struct Settings {
        checks: Vec<Check>,
        #[serde(default)]
        pause: Option<Duration>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read into")]
    struct Check {
        timeout_ms: u32,
    }

    #[test]
    fn an_error_says_where() {
        let said = |text: &str| parse::<Settings>(text).expect_err("it does not fit");
        let wrong = said(r#"{"checks":[{"timeoutMs":1},{"timeoutMs":-5}]}"#);
        assert!(wrong.contains("checks[1].timeoutMs: invalid value: integer `-5`, expected u32"), "{wrong}");
        let unknown = said(r#"{"checks":[{"timeoutMs":1,"timeout":2}]}"#);
        assert!(unknown.contains("checks[0].timeout: unknown field `timeout`, expected `timeoutMs`"), "{unknown}");
        let missing = said(r#"{"checks":[{}]}"#);
        assert!(missing.contains("checks[0]: missing field `timeoutMs`"), "{missing}");
        assert!(said("").contains("the settings do not fit: missing field `checks`"), "{}", said(""));
        assert!(said(r#"{"checks":[]} and more"#).contains("trailing characters"));
        assert!(said("[]").contains("expected an object"));
        assert!(parse::<Settings>(r#"{"checks":[]} "#).is_ok());
    }
}
