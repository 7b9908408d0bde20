//! The runtime power through a guest: granted or not, and what a cut-off call says of the world.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plugin_host::{
    CallErrorKind, Desired, Grants, Options, PluginHost, Progress, RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeScope,
};
use serde_json::{Value, json};

use crate::fixture::{PATIENCE, context, hostile};

/// A runtime that repeats what it was told.
struct Echo;

#[async_trait]
impl RuntimeBackend for Echo {
    async fn apply(&self, scope: &RuntimeScope, desired: Value) -> Result<Value, RuntimeFault> {
        Ok(json!({ "scope": format!("{}/{}", scope.environment, scope.service), "told": desired }))
    }

    async fn status(&self, _: &RuntimeScope) -> Result<Option<Value>, RuntimeFault> {
        Ok(None)
    }

    async fn logs(&self, _: &RuntimeScope, _: &str, _: u32) -> Result<Vec<RuntimeLogLine>, RuntimeFault> {
        Ok(Vec::new())
    }
}

fn plugin() -> plugin_host::Plugin {
    let options = Options { runtime: Some(Arc::new(Echo)), ..Options::default() };
    PluginHost::new(options).expect("a host").load(hostile()).expect("a plugin")
}

#[tokio::test]
async fn a_granted_reconcile_writes_in_its_own_scope_with_the_hosts_fence() {
    let grants = Grants { runtime: true, ..Grants::default() };
    let context = context(r#"{"apply":"{\"fence\":99,\"stable\":null}"}"#, PATIENCE);
    let called = plugin().reconcile(&context, &Desired::default(), &grants).await.expect("it is granted");
    let Progress::Failed(said) = called.answer else { panic!("the hostile plugin always fails") };
    let told: Value = serde_json::from_str(&said.message).expect("what the runtime said");
    assert_eq!(told, json!({ "scope": "test/web", "told": { "fence": 7, "operationKey": "d-1/shift/1", "stable": null } }));
}

#[tokio::test]
async fn an_ungranted_runtime_fails_the_call() {
    let context = context(r#"{"apply":"{}"}"#, PATIENCE);
    let error = plugin().reconcile(&context, &Desired::default(), &Grants::default()).await.expect_err("it is not granted");
    assert_eq!(
        error.to_string(),
        r#"the plugin may not use `runtime`: it asked for the local runtime; the operator can grant it with `{"runtime":true}`"#
    );
    assert!(!error.outcome_unknown);
}

#[tokio::test]
async fn a_hang_after_a_write_has_an_unknown_outcome() {
    let grants = Grants { runtime: true, ..Grants::default() };
    let context = context(r#"{"applyThenLoop":"{}"}"#, Duration::from_millis(300));
    let error = plugin().reconcile(&context, &Desired::default(), &grants).await.expect_err("it hangs");
    assert!(matches!(error.kind, CallErrorKind::Deadline { .. }), "{error:?}");
    assert!(error.outcome_unknown, "the runtime may have acted");
}
