//! The form in which what is usual is written down. Each version of the form is a module of its own, stays for ever, and is converted by
//! hand.

#[cfg(test)]
mod tests;
mod v1;

use model::Scope;

use crate::limits::RECORD_BYTES_MAX;
use crate::usual::baseline::Baseline;

/// The version of the form that is written.
const FORM: u32 = 1;

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// A newer program wrote it.
    #[error("it has form {found}, this program knows up to {FORM}")]
    Newer {
        /// The form's version.
        found: u32,
    },
    /// It is not what its form says.
    #[error("it is not of its form: {0}")]
    Form(String),
}

#[derive(serde::Deserialize)]
struct OnlyForm {
    form: u32,
}

/// Returns the key of a record.
pub(crate) fn key(scope: &Scope, metric: &str) -> String {
    format!("{}/{}/{metric}", scope.service, scope.environment)
}

/// Returns what is usual in the newest form.
pub(crate) fn write(scope: &Scope, metric: &str, baseline: &Baseline) -> String {
    serde_json::to_string(&v1::Record::of(scope, metric, baseline))
        .expect("BUG: a record of names and finite numbers is always JSON")
}

/// Returns what a record says, whatever version of the form it has.
pub(crate) fn read(text: &str) -> Result<(Scope, String, Baseline), Unreadable> {
    if text.len() > RECORD_BYTES_MAX {
        return Err(Unreadable::Form(format!("it has {} bytes, at most {RECORD_BYTES_MAX} are read", text.len())));
    }
    let OnlyForm { form } = parse(text)?;
    match form {
        1 => parse::<v1::Record>(text)?.back(),
        0 => Err(Unreadable::Form("there is no form 0".to_owned())),
        found => Err(Unreadable::Newer { found }),
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable::Form(error.to_string()))
}
