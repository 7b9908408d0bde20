//! What one rule found.

use towpath_sdk::prelude::*;

/// What one rule found.
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) sentence: String,
    pub(crate) measurements: Vec<Measurement>,
}

/// Returns a count with its noun.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
