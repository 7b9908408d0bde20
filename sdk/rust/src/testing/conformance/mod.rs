//! What every plugin of a kind owes, as checks with names that a plugin runs in its own tests.
//!
//! A check that fails panics with its name and with what was expected and found. There are [`gate()`], [`health()`] and [`target()`].
//!
//! ```
//! use towpath_sdk::prelude::*;
//! use towpath_sdk::testing::conformance::{self, GateCase};
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # #[serde(deny_unknown_fields)]
//! # struct Settings {}
//! # struct Signed;
//! # impl Gate for Signed {
//! #     type Settings = Settings;
//! #     fn evaluate(question: &Question<Settings>) -> Answer {
//! #         match question.evidence.iter().any(|evidence| evidence.kind == "sign-off" && evidence.content == b"yes") {
//! #             true => Answer::pass("somebody signed"),
//! #             false => Answer::fail("nobody signed"),
//! #         }
//! #     }
//! # }
//!
//! let evidence = Evidence {
//!     kind: "sign-off".to_owned(),
//!     name: "owner".to_owned(),
//!     media_type: "text/plain".to_owned(),
//!     digest: String::new(),
//!     content: b"yes".to_vec(),
//! };
//! conformance::gate::<Signed>(&GateCase::new("{}", vec![evidence]));
//! ```

mod deadline;
mod gate;
mod health;
mod target;
mod worlds;

use serde_json::{Value, json};

pub use gate::{GateCase, gate};
pub use health::{HealthCase, health};
pub use target::{Seen, TargetCase, target};

use crate::Measurement;

/// A key that no plugin's settings have.
const UNKNOWN: &str = "towpathUnknownKey";

/// How large the large texts are: 1 MiB.
const LARGE_BYTES: usize = 1 << 20;

/// How many elements the long lists have.
const LONG: usize = 10_000;

/// Settings that are no JSON object.
const NOT_SETTINGS: [&str; 5] = ["[]", "7", "null", "\"text\"", "{garbage"];

/// States that a plugin never wrote.
const FOREIGN_STATES: [&[u8]; 4] = [b"", b"\xff\xfe", b"{\"another\":[\"form\"]}", b"[1,2"];

/// Fails the check of this name unless it holds.
fn hold(check: &str, holds: bool, expected: &str, found: &str) {
    assert!(holds, "conformance check `{check}`: expected {expected}, found {found}");
}

/// Returns the settings with one key more.
fn with_unknown(settings: &str) -> String {
    let mut settings: Value = serde_json::from_str(settings).expect("the case's settings are a JSON object");
    settings[UNKNOWN] = json!(true);
    settings.to_string()
}

/// Fails the check unless every number is one.
fn hold_numbers(check: &str, measurements: &[Measurement]) {
    for Measurement { name, value, limit, .. } in measurements {
        let finite = value.is_finite() && limit.is_none_or(f64::is_finite);
        hold(check, finite, "finite numbers", &format!("{name} = {value}, limit {limit:?}"));
    }
}

#[cfg(test)]
mod target_tests;
#[cfg(test)]
mod tests;
