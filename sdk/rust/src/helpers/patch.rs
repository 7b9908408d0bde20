//! The two patch formats that APIs take: JSON Patch (RFC 6902), written with the `test` operations that make it compare and set, and
//! JSON Merge Patch (RFC 7386), written and applied.
//!
//! ```
//! use serde_json::json;
//! use towpath_sdk::helpers::patch::{JsonPatch, pointer};
//!
//! let path = pointer(["metadata", "labels", "app/version"]);
//! let patch = JsonPatch::new().test("/metadata/generation", json!(3)).replace(&path, json!("v2"));
//! assert_eq!(
//!     patch.to_value(),
//!     json!([
//!         { "op": "test", "path": "/metadata/generation", "value": 3 },
//!         { "op": "replace", "path": "/metadata/labels/app~1version", "value": "v2" },
//!     ])
//! );
//! ```

use serde_json::{Map, Value, json};

/// The media type of a JSON Patch.
pub const JSON_PATCH: &str = "application/json-patch+json";

/// The media type of a JSON Merge Patch.
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// Operations in their order. Who applies them applies all of them, or none if a `test` fails.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonPatch(Vec<Value>);

impl JsonPatch {
    /// Returns a patch without operations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds: the value there must be this one, else nothing is done.
    #[must_use]
    pub fn test(self, path: &str, value: Value) -> Self {
        self.with(json!({ "op": "test", "path": path, "value": value }))
    }

    /// Adds: a member or element is put there.
    #[must_use]
    pub fn add(self, path: &str, value: Value) -> Self {
        self.with(json!({ "op": "add", "path": path, "value": value }))
    }

    /// Adds: what is there is replaced.
    #[must_use]
    pub fn replace(self, path: &str, value: Value) -> Self {
        self.with(json!({ "op": "replace", "path": path, "value": value }))
    }

    /// Adds: what is there is removed.
    #[must_use]
    pub fn remove(self, path: &str) -> Self {
        self.with(json!({ "op": "remove", "path": path }))
    }

    /// Returns the patch as it is sent.
    pub fn to_value(&self) -> Value {
        Value::Array(self.0.clone())
    }

    fn with(mut self, operation: Value) -> Self {
        self.0.push(operation);
        self
    }
}

/// Returns the JSON Pointer (RFC 6901) of these names, with what needs it escaped.
pub fn pointer<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect()
}

/// Returns the document with a merge patch applied: `null` removes, objects are merged, everything else replaces.
#[must_use]
pub fn merge(document: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut members = match document {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for (name, value) in patch {
        let before = members.remove(name);
        if !value.is_null() {
            members.insert(name.clone(), merge(before.unwrap_or(Value::Null), value));
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases of RFC 7386, appendix A.
    #[test]
    fn the_merges_of_the_standard() {
        for (document, patch, expect) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            assert_eq!(merge(document.clone(), &patch), expect, "{document} with {patch}");
        }
    }
}
