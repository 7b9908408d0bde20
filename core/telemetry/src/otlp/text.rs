//! Values of attributes as text: so they are compared, and so a filter names them.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// Returns an attribute as name and text.
pub(super) fn of_pair(pair: KeyValue) -> (String, String) {
    (pair.key, of(pair.value.as_ref()))
}

/// Returns a value as text: texts as they are, numbers in decimal digits, lists in brackets, bytes in hexadecimal digits.
pub(super) fn of(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        // Only profiles have tables of strings.
        None | Some(Value::StringValueStrindex(_)) => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BoolValue(is)) => is.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BytesValue(bytes)) => hex::encode(bytes),
        Some(Value::ArrayValue(list)) => {
            let texts: Vec<String> = list.values.iter().map(|value| of(Some(value))).collect();
            format!("[{}]", texts.join(","))
        }
        Some(Value::KvlistValue(list)) => {
            let texts: Vec<String> = list.values.iter().map(|pair| format!("{}={}", pair.key, of(pair.value.as_ref()))).collect();
            format!("{{{}}}", texts.join(","))
        }
    }
}
