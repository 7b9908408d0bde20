//! Three-way compare: what was applied last, what is there, and what is wanted become a merge patch that changes our fields alone, and
//! sentences on what somebody else changed of them.
//!
//! ```
//! use serde_json::json;
//! use towpath_sdk::helpers::compare::compare;
//!
//! let last = json!({ "image": "v1", "replicas": 2, "debug": true });
//! let live = json!({ "image": "v1", "replicas": 5, "debug": true, "owner": "somebody else" });
//! let found = compare(&last, &live, &json!({ "image": "v2", "replicas": 2 }));
//! assert_eq!(found.patch, json!({ "image": "v2", "replicas": 2, "debug": null }));
//! assert_eq!(found.drift, ["/replicas is 5, was applied as 2"]);
//! ```

use serde_json::{Map, Value};

use super::patch::{merge, pointer};

/// What came of a compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The JSON Merge Patch that makes the live document as desired; an empty object when it is.
    pub patch: Value,
    /// What is not as it was applied last, a sentence fragment each.
    pub drift: Vec<String>,
}

impl Compared {
    /// Returns whether nothing is to be done.
    pub fn is_as_desired(&self) -> bool {
        is_empty(&self.patch)
    }
}

/// Compares three JSON objects. A field of ours is one that was applied last or is desired; a list is one field. `null` as last applied
/// means that nothing was.
///
/// An object of ours that is no longer desired goes as a whole, unless somebody else keeps fields in it: those stay.
///
/// A desired `null` cannot be said in a merge patch: it is taken as "not there".
pub fn compare(last: &Value, live: &Value, desired: &Value) -> Compared {
    let mut drift = Vec::new();
    let patch = objects(last.as_object(), live.as_object(), desired.as_object(), &mut Vec::new(), &mut drift);
    Compared { patch: Value::Object(patch), drift }
}

fn objects<'a>(
    last: Option<&'a Map<String, Value>>,
    live: Option<&'a Map<String, Value>>,
    desired: Option<&'a Map<String, Value>>,
    path: &mut Vec<&'a str>,
    drift: &mut Vec<String>,
) -> Map<String, Value> {
    let there = |object: Option<&'a Map<String, Value>>, name: &str| {
        object.and_then(|object| object.get(name)).filter(|value| !value.is_null())
    };
    let names: std::collections::BTreeSet<&str> =
        [last, desired].into_iter().flatten().flat_map(|object| object.keys().map(String::as_str)).collect();
    let mut patch = Map::new();
    for name in names {
        path.push(name);
        let (before, now, then) = (there(last, name), there(live, name), there(desired, name));
        if is_object(before) && is_object(now) && (is_object(then) || then.is_none()) || (is_object(then) && is_object(now)) {
            let inner = objects(
                before.and_then(Value::as_object),
                now.and_then(Value::as_object),
                then.and_then(Value::as_object),
                path,
                drift,
            );
            let inner = Value::Object(inner);
            if then.is_none() && now.is_some_and(|now| is_empty(&merge(now.clone(), &inner))) {
                patch.insert(name.to_owned(), Value::Null);
            } else if !is_empty(&inner) {
                patch.insert(name.to_owned(), inner);
            }
        } else {
            if before.is_some() && before != now {
                drift.push(format!("{} is {}, was applied as {}", pointer(path.iter().copied()), said(now), said(before)));
            }
            if then != now {
                patch.insert(name.to_owned(), then.cloned().unwrap_or(Value::Null));
            }
        }
        path.pop();
    }
    patch
}

fn is_object(value: Option<&Value>) -> bool {
    value.is_some_and(Value::is_object)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

fn said(value: Option<&Value>) -> String {
    value.map_or_else(|| "not there".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_others_stay_and_ours_that_are_gone_go() {
        let last = json!({ "labels": { "a": "1", "b": "2" }, "list": [1, 2] });
        let live = json!({ "labels": { "a": "1", "b": "2", "theirs": "x" }, "list": [1, 2], "status": { "ready": 1 } });
        let found = compare(&last, &live, &json!({ "labels": { "a": "3" } }));
        assert_eq!(found.patch, json!({ "labels": { "a": "3", "b": null }, "list": null }));
        assert_eq!(found.drift, Vec::<String>::new());
        assert_eq!(merge(live, &found.patch), json!({ "labels": { "a": "3", "theirs": "x" }, "status": { "ready": 1 } }));
    }

    #[test]
    fn an_object_of_ours_goes_as_a_whole_unless_somebody_keeps_fields_in_it() {
        let last = json!({ "side": { "release": "v1", "limits": { "memory": 1 } } });
        let patch = |live: Value| compare(&last, &live, &json!({})).patch;
        assert_eq!(patch(last.clone()), json!({ "side": null }));
        assert_eq!(patch(json!({ "side": {} })), json!({ "side": null }));
        let theirs = json!({ "side": { "release": "v1", "limits": { "memory": 1 }, "note": "mine" } });
        assert_eq!(patch(theirs), json!({ "side": { "release": null, "limits": null } }));
        assert_eq!(patch(json!({ "side": 7 })), json!({ "side": null }));
        assert_eq!(patch(json!({})), json!({}));
    }

    #[test]
    fn a_patched_document_needs_no_patch() {
        let desired = json!({ "a": { "b": { "c": 1 } }, "d": [1], "e": "text" });
        for live in [json!({}), json!(null), json!({ "a": 7, "d": {} }), json!({ "a": { "b": { "x": 1 } } })] {
            let found = compare(&Value::Null, &live, &desired);
            let patched = merge(live.clone(), &found.patch);
            assert!(compare(&desired, &patched, &desired).is_as_desired(), "{live} became {patched}");
        }
    }

    #[test]
    fn what_somebody_took_away_is_drift() {
        let found = compare(&json!({ "a/b": 1 }), &json!({}), &json!({ "a/b": 1 }));
        assert_eq!(found.drift, ["/a~1b is not there, was applied as 1"]);
        assert_eq!(found.patch, json!({ "a/b": 1 }));
    }
}
