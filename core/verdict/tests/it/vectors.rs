//! The recorded inputs and outputs under `tests/vectors`, as data.

use std::path::Path;

use serde_json::Value;

/// Reads one file of vectors.
pub(crate) fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let text = std::fs::read_to_string(&path).expect("a file of vectors");
    serde_json::from_str(&text).expect("vectors are JSON")
}

/// Returns the number at `key`; the text `NaN` is one.
pub(crate) fn number(case: &Value, key: &str) -> f64 {
    as_number(&case[key]).unwrap_or_else(|| panic!("{key} of {case} is no number"))
}

/// Returns the numbers at `key`.
pub(crate) fn numbers(case: &Value, key: &str) -> Vec<f64> {
    let list = case[key].as_array().unwrap_or_else(|| panic!("{key} of {case} is no list"));
    list.iter().map(|value| as_number(value).expect("a number")).collect()
}

/// Says whether two numbers are within `tolerance` of each other; NaN equals NaN.
pub(crate) fn near(found: f64, expected: f64, tolerance: f64) -> bool {
    (found.is_nan() && expected.is_nan()) || (found - expected).abs() <= tolerance
}

fn as_number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| (value.as_str() == Some("NaN")).then_some(f64::NAN))
}
