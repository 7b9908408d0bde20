//! What an operator grants a plugin: the fields are the whole list of powers.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::powers::command::grant::CommandGrant;
use crate::powers::http::grant::HttpGrant;
use crate::powers::secret::grant::SecretGrant;
use crate::powers::ssh::grant::SshGrant;

/// The powers of one plugin in one environment.
///
/// Logging, measuring, reading the clock and randomness are granted unless they are taken away; everything that reaches outside the
/// host is refused unless it is granted here. A power that is used without a grant fails the call with the line that would grant it.
/// What is as it is without a grant is not written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Grants {
    /// Lines for the operator.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub log: bool,
    /// Numbers for the operator.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub measure: bool,
    /// The time, and short waits.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub clock: bool,
    /// Randomness.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub random: bool,
    /// Requests to allow-listed places; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpGrant>,
    /// The local runtime, in the scope of the call.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub runtime: bool,
    /// What the service measures of itself, in the scope of the call.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub telemetry: bool,
    /// The bytes of the artifacts that the call is about.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub artifact: bool,
    /// Programs on the server's machine; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandGrant>,
    /// Hosts over ssh; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh: Option<SshGrant>,
    /// Secrets that the plugin itself sees; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretGrant>,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            log: true,
            measure: true,
            clock: true,
            random: true,
            http: None,
            runtime: false,
            telemetry: false,
            artifact: false,
            command: None,
            ssh: None,
            secret: None,
        }
    }
}

impl Grants {
    /// Returns these grants and some more: what either of them allows.
    ///
    /// What is granted by default and taken away in one of them is taken away.
    #[must_use]
    pub fn merged(&self, more: &Self) -> Self {
        Self {
            log: self.log && more.log,
            measure: self.measure && more.measure,
            clock: self.clock && more.clock,
            random: self.random && more.random,
            http: merged(&self.http, &more.http, HttpGrant::merged),
            runtime: self.runtime || more.runtime,
            telemetry: self.telemetry || more.telemetry,
            artifact: self.artifact || more.artifact,
            command: merged(&self.command, &more.command, CommandGrant::merged),
            ssh: merged(&self.ssh, &more.ssh, SshGrant::merged),
            secret: merged(&self.secret, &more.secret, SecretGrant::merged),
        }
    }
}

/// Returns what either of two grants of a power allows.
fn merged<G: Clone>(one: &Option<G>, other: &Option<G>, both: impl Fn(&G, &G) -> G) -> Option<G> {
    match (one, other) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.as_ref().or(other.as_ref()).cloned(),
    }
}

/// Says what an operator grants now.
///
/// It is asked at every host call, so that a grant that was revoked, or has expired, is gone at the next one. It must not block.
pub trait GrantView: Send + Sync + 'static {
    /// Returns the powers at this moment.
    fn current(&self) -> Arc<Grants>;
}

/// The grants that hold for a call: as they stood when it began, or as they stand at each moment of it.
#[derive(Clone)]
pub struct GrantsInForce(Source);

#[derive(Clone)]
enum Source {
    Fixed(Arc<Grants>),
    Live(Arc<dyn GrantView>),
}

impl GrantsInForce {
    /// Returns grants that may change while a call runs.
    pub fn live(view: Arc<dyn GrantView>) -> Self {
        Self(Source::Live(view))
    }

    /// Returns the powers at this moment.
    pub fn current(&self) -> Arc<Grants> {
        match &self.0 {
            Source::Fixed(grants) => Arc::clone(grants),
            Source::Live(view) => view.current(),
        }
    }
}

impl From<Grants> for GrantsInForce {
    fn from(grants: Grants) -> Self {
        Self(Source::Fixed(Arc::new(grants)))
    }
}

impl From<&Grants> for GrantsInForce {
    fn from(grants: &Grants) -> Self {
        grants.clone().into()
    }
}

impl From<&Self> for GrantsInForce {
    fn from(grants: &Self) -> Self {
        grants.clone()
    }
}

impl fmt::Debug for GrantsInForce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.current(), formatter)
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
        let error = serde_json::from_str::<Grants>(r#"{"telepathy":true}"#).expect_err("there is no such power").to_string();
        assert!(error.contains("`telepathy`") && error.contains("`runtime`"), "{error}");
    }

    #[test]
    fn together_they_allow_what_either_allows_and_what_was_taken_away_stays_away() {
        let read = |text: &str| serde_json::from_str::<Grants>(text).expect("a grant");
        let one = read(r#"{"runtime":true,"http":{"allow":[{"host":"a.example"}]}}"#);
        let other = read(r#"{"clock":false,"http":{"subjects":true,"allow":[{"host":"b.example"},{"host":"a.example"}]}}"#);
        let both = read(
            r#"{"clock":false,"runtime":true,"http":{"subjects":true,"allow":[{"host":"a.example"},{"host":"b.example"}]}}"#,
        );
        assert_eq!(one.merged(&other), both);
    }
}
