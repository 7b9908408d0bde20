//! What every kind is given to chew on.

use serde_json::Value;

/// A setting that no plugin has.
const UNKNOWN: &str = "nobodyKnowsThisSetting";

/// Bytes of an input that is larger than any sensible one, and still allowed.
const HUGE_BYTES: usize = 8 << 20;

/// Returns settings with one more that nobody knows.
pub(super) fn with_unknown(settings: &str) -> String {
    let mut all: Value = serde_json::from_str(settings).unwrap_or_default();
    match &mut all {
        Value::Object(fields) => {
            fields.insert(UNKNOWN.to_owned(), true.into());
        }
        other => *other = serde_json::json!({ UNKNOWN: true }),
    }
    all.to_string()
}

/// Texts that are no settings.
pub(super) const NO_SETTINGS: [&str; 4] = ["[]", "{", "7", "\"text\""];

/// Returns content that is of no form, and large.
pub(super) fn huge() -> Vec<u8> {
    b"<{[\"towpath\",7]}>\n".iter().copied().cycle().take(HUGE_BYTES).collect()
}

/// A state that no plugin left.
pub(super) const STRANGE_STATE: &[u8] = b"\xff\xfe{\"not\": yours";
