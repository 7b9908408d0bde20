//! Any message of the contract as JSON, through its own description.
//!
//! The form: field names as in the `.proto` files, every field present, enums as lower-case words without their prefix
//! (`done` for `STEP_STATE_DONE`, `null` for "not said"), bytes as hexadecimal digits, 64-bit numbers as numbers.

use std::sync::LazyLock;

use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, ReflectMessage, Value};
use serde_json::{Map, Value as Json};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(towpath_proto::DESCRIPTORS).expect("BUG: the contract's own description is always readable")
});

/// Returns a message as JSON.
pub(crate) fn of<M: Message + Name>(message: &M) -> Json {
    let descriptor = POOL.get_message_by_name(&M::full_name()).expect("BUG: every message is in the contract's description");
    let bytes = message.encode_to_vec();
    let dynamic = DynamicMessage::decode(descriptor, bytes.as_slice()).expect("BUG: what was just encoded can be decoded");
    object(&dynamic)
}

fn object(message: &DynamicMessage) -> Json {
    let mut fields = Map::new();
    for field in message.descriptor().fields() {
        let absent = field.supports_presence() && !message.has_field(&field);
        let value = if absent { Json::Null } else { value(&message.get_field(&field), &field) };
        fields.insert(field.name().to_owned(), value);
    }
    Json::Object(fields)
}

fn value(found: &Value, field: &FieldDescriptor) -> Json {
    match found {
        Value::Bool(value) => Json::from(*value),
        Value::I32(value) => Json::from(*value),
        Value::I64(value) => Json::from(*value),
        Value::U32(value) => Json::from(*value),
        Value::U64(value) => Json::from(*value),
        Value::F32(value) => Json::from(*value),
        Value::F64(value) => Json::from(*value),
        Value::String(value) => Json::from(value.as_str()),
        Value::Bytes(value) => Json::from(value.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        Value::EnumNumber(number) => match field.kind() {
            Kind::Enum(descriptor) => word(&descriptor, *number),
            _ => Json::from(*number),
        },
        Value::Message(message) => object(message),
        Value::List(items) => items.iter().map(|item| value(item, field)).collect(),
        // The contract has no maps.
        Value::Map(_) => Json::Null,
    }
}

/// `STEP_STATE_ROLLED_BACK` of `StepState` becomes `rolled-back`.
fn word(descriptor: &EnumDescriptor, number: i32) -> Json {
    let Some(named) = descriptor.get_value(number).filter(|_| number != 0) else { return Json::Null };
    let mut prefix = String::new();
    for character in descriptor.name().chars() {
        if character.is_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.push(character.to_ascii_uppercase());
    }
    let name = named.name();
    let short = name.strip_prefix(&prefix).and_then(|rest| rest.strip_prefix('_')).unwrap_or(name);
    Json::from(short.to_ascii_lowercase().replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use towpath_proto::v1;

    use super::*;

    #[test]
    fn a_message_is_printed_with_all_its_fields() {
        let message = v1::StepStatus {
            id: "shift-5".to_owned(),
            state: v1::StepState::Running.into(),
            entered_at_ms: 1_700_000_000_000,
            ..v1::StepStatus::default()
        };
        let expected = serde_json::json!({
            "id": "shift-5", "phase": "", "does": "", "state": "running", "why": "",
            "entered_at_ms": 1_700_000_000_000_i64, "ended_at_ms": 0, "note": "",
        });
        assert_eq!(of(&message), expected);
    }

    #[test]
    fn what_is_absent_is_null() {
        let json = of(&v1::Measurement { name: "error-rate".to_owned(), value: 0.5, ..v1::Measurement::default() });
        assert_eq!(
            json,
            serde_json::json!({"name": "error-rate", "value": 0.5, "unit": "", "side": null, "limit": null, "samples": null, "interval": null, "test": ""})
        );
    }
}
