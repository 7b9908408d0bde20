//! What an operator grants a plugin: the fields are the whole list of powers.

use serde::{Deserialize, Serialize};

use crate::powers::http::grant::HttpGrant;

/// The powers of one plugin in one environment.
///
/// Logging, measuring and reading the clock are granted unless they are taken away; everything that reaches outside the host is
/// refused unless it is granted here. A power that is used without a grant fails the call with the line that would grant it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Grants {
    /// Lines for the operator.
    pub log: bool,
    /// Numbers for the operator.
    pub measure: bool,
    /// The time, and short waits.
    pub clock: bool,
    /// Requests to allow-listed places; absent: none.
    pub http: Option<HttpGrant>,
    /// The local runtime, in the scope of the call.
    pub runtime: bool,
}

impl Default for Grants {
    fn default() -> Self {
        Self { log: true, measure: true, clock: true, http: None, runtime: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_reaches_outside_is_granted_by_default() {
        let grants: Grants = serde_json::from_str("{}").expect("an empty grant");
        assert_eq!(grants, Grants::default());
        assert!(grants.http.is_none() && !grants.runtime);
    }

    #[test]
    fn an_unknown_power_is_named_with_the_known_ones() {
        let error = serde_json::from_str::<Grants>(r#"{"ssh":true}"#).expect_err("there is no such power").to_string();
        assert!(error.contains("`ssh`") && error.contains("`runtime`"), "{error}");
    }
}
