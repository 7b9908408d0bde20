//! The host's words win over the guest's, and only a reconcile writes.

use serde_json::json;

use super::{RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeLogStream, RuntimeScope};
use crate::call::{Purpose, testing};
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::runtime::{Error, Host};
use crate::{Grants, Limits};

/// A runtime that answers with what it was told.
struct Echo;

#[async_trait::async_trait]
impl RuntimeBackend for Echo {
    async fn apply(&self, scope: &RuntimeScope, desired: serde_json::Value) -> Result<serde_json::Value, RuntimeFault> {
        Ok(json!({ "service": scope.service, "environment": scope.environment, "desired": desired }))
    }

    async fn status(&self, _scope: &RuntimeScope) -> Result<Option<serde_json::Value>, RuntimeFault> {
        Err(RuntimeFault::Superseded { highest_fence: 9 })
    }

    async fn logs(&self, scope: &RuntimeScope, release: &str, lines: u32) -> Result<Vec<RuntimeLogLine>, RuntimeFault> {
        let text = format!("{} {release} {lines}", scope.service);
        Ok(vec![RuntimeLogLine { at_ms: 5, instance: 1, stream: RuntimeLogStream::Errors, text }])
    }
}

fn granted() -> Grants {
    Grants { runtime: true, ..Grants::default() }
}

#[tokio::test]
async fn fence_key_and_scope_are_the_hosts_words() {
    let mut state = testing::state_with(granted(), Limits::default(), Some(std::sync::Arc::new(Echo)));
    state.purpose = Purpose::Change;
    let forged = json!({ "fence": 999, "operationKey": "forged", "stable": null }).to_string();
    let told = state.apply(forged).await.expect("no trap").expect("taken");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        told,
        json!({ "service": "web", "environment": "test", "desired": { "fence": 7, "operationKey": "key", "stable": null } })
    );
    assert!(state.transcript.sent(), "the outcome is unknown from here on");
}

#[tokio::test]
async fn only_a_reconcile_writes() {
    let mut state = testing::state_with(granted(), Limits::default(), Some(std::sync::Arc::new(Echo)));
    let answer = state.apply("{}".to_owned()).await.expect("no trap");
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    assert!(!state.transcript.sent());
    let status = state.status().await.expect("no trap");
    assert!(matches!(status, Err(Error::Superseded(9))), "{status:?}");
}

#[tokio::test]
async fn lines_of_a_release_are_given_within_limits() {
    let mut state = testing::state_with(granted(), Limits::default(), Some(std::sync::Arc::new(Echo)));
    let lines = state.logs("v1".to_owned(), 1_000_000).await.expect("no trap").expect("granted");
    let told: Vec<_> = lines.iter().map(|line| (line.at_ms, line.text.as_str())).collect();
    assert_eq!(told, [(5, "web v1 1000")]);
}

#[tokio::test]
async fn without_the_grant_the_runtime_fails_the_call() {
    let mut state = testing::state(Grants::default(), Limits::default());
    let status = state.status().await.expect("the guest may go on");
    assert!(matches!(status, Err(Error::Refused(_))), "{status:?}");
    let Some(CallErrorKind::Refused { power: "runtime", line, .. }) = state.transcript.stopped() else { panic!("not refused") };
    assert_eq!(line, r#"{"runtime":true}"#);
}
