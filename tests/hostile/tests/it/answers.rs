//! Components whose answers, logs and numbers are meant to harm whoever reads them.

use hostile::Forge;
use plugin_host::{
    CallContext, CallError, CallErrorKind, Called, Desired, Grants, Limits, Observation, Progress, RuntimeBackend, RuntimeFault,
    RuntimeLogLine, RuntimeScope,
};
use serde_json::{Value, json};

use crate::fixture::{PATIENCE, answers, context, fails, host, is_trap, may_ask, neighbour_is_well};

/// An answer with one measurement of this value, held against this limit.
fn measured(value: &str, limit: &str) -> String {
    format!(
        "(f64.store (i32.const 1032) (f64.const {value})) (i32.store8 (i32.const 1056) (i32.const 1))
         (f64.store (i32.const 1064) (f64.const {limit}))
         (i32.store (i32.const 260) (i32.const 1024)) (i32.store (i32.const 264) (i32.const 1)) (i32.const 256)"
    )
}

fn is_malformed(kind: &CallErrorKind) -> bool {
    matches!(kind, CallErrorKind::Malformed { .. })
}

#[tokio::test]
async fn numbers_that_are_none_break_the_contract() {
    for (value, limit) in [("nan", "1"), ("inf", "1"), ("-inf", "1"), ("1", "nan"), ("1", "inf")] {
        fails(&Forge::new(&measured(value, limit)), PATIENCE, "wanted finite numbers", is_malformed).await;
    }
    let called = answers(&Forge::new(&measured("-1e308", "0"))).await;
    assert_eq!(called.answer.measurements.len(), 1, "a number is a number, however large");
}

#[tokio::test]
async fn numbers_that_are_none_are_not_recorded() {
    let record =
        |value: &str| format!("(call $record (i32.const 0) (i32.const 0) (f64.const {value}) (i32.const 0) (i32.const 0))");
    let body = format!("{}{}{} (i32.const 256)", record("nan"), record("inf"), record("2"));
    let forge = Forge::new(&body).power("measure", "record-value", "(func $record (param i32 i32 f64 i32 i32))");
    let values: Vec<_> = answers(&forge).await.measurements.iter().map(|found| found.value).collect();
    assert_eq!(values, [2.0]);
}

#[tokio::test]
async fn a_flood_of_measurements_is_cut() {
    let body = "(local $left i32) (local.set $left (i32.const 900))
        (loop $next (call $record (i32.const 0) (i32.const 0) (f64.const 1) (i32.const 0) (i32.const 0))
          (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))) (i32.const 256)";
    let forge = Forge::new(body).power("measure", "record-value", "(func $record (param i32 i32 f64 i32 i32))");
    assert_eq!(answers(&forge).await.measurements.len(), Limits::default().measurements);
}

#[tokio::test]
async fn a_flood_of_giant_lines_is_cut_and_counted() {
    let body =
        "(local $left i32) (local.set $left (i32.const 900)) (memory.fill (i32.const 65536) (i32.const 120) (i32.const 65536))
        (loop $next (call $line (i32.const 1) (i32.const 65536) (i32.const 65536))
          (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))) (i32.const 256)";
    let forge = Forge::new(body).power("log", "line", "(func $line (param i32 i32 i32))");
    let log = answers(&forge).await.log;
    let limits = Limits::default();
    assert_eq!(log.len(), limits.log_lines + 1);
    assert!(log.iter().all(|line| line.message.len() <= limits.log_line_bytes + '…'.len_utf8()));
    assert_eq!(log.last().map(|line| line.message.as_str()), Some("700 more lines were cut"));
}

#[tokio::test]
async fn a_line_of_log_cannot_rewrite_a_screen() {
    let mut forge = Forge::new("").power("log", "line", "(func $line (param i32 i32 i32))");
    let text = forge.text("\x1b[2J\x1b]0;owned\x07done\r\nfailed \u{9b}31m\u{202e}drawkcab\u{2066}\u{2028}new");
    let called = answers(&forge.assess(&format!("(call $line (i32.const 1) {text}) (i32.const 256)"))).await;
    assert_eq!(called.log[0].message, " [2J ]0;owned done  failed  31m drawkcab  new");
}

#[tokio::test]
async fn a_look_that_should_never_come_again_is_told_as_it_is() {
    // The machine bounds it: `limits::AGAIN_MAX` is 5 minutes, whatever a plugin wishes.
    let body = "(i32.store8 (i32.const 288) (i32.const 1)) (i32.store (i32.const 292) (i32.const -1)) (i32.const 256)";
    assert_eq!(answers(&Forge::new(body)).await.answer.next_look_ms, Some(u32::MAX));
}

#[tokio::test]
async fn a_state_larger_than_the_journal_takes_breaks_the_contract() {
    let body = "(i32.store8 (i32.const 276) (i32.const 1)) (i32.store (i32.const 280) (i32.const 0))
                (i32.store (i32.const 284) (i32.const 65537)) (i32.const 256)";
    fails(&Forge::new(body), PATIENCE, "a state of 65537 bytes, at most 65536", is_malformed).await;
}

/// Has a target reconcile, as the deployment whose key and fence the host was given.
async fn reconcile(forge: &Forge, grants: &Grants) -> Result<Called<Progress>, CallError> {
    let plugin = host().load(&forge.component()).expect("the host takes it");
    let context = CallContext { fence: 7, ..context("d-1", PATIENCE) };
    let came_of_it = plugin.reconcile(&context, &Desired::default(), grants).await;
    neighbour_is_well().await;
    came_of_it
}

#[tokio::test]
async fn a_weight_above_all_of_the_traffic_breaks_the_contract() {
    for weight in ["10001", "65535"] {
        let forge = Forge::target(&format!("(i32.store16 (i32.const 272) (i32.const {weight})) (i32.const 256)"));
        let error = reconcile(&forge, &Grants::default()).await.expect_err("more than all");
        assert!(is_malformed(&error.kind) && error.to_string().contains("at most 10000"), "{error}");
    }
}

#[tokio::test]
async fn a_side_that_is_seen_twice_breaks_the_contract() {
    let forge =
        Forge::target("(i32.store (i32.const 264) (i32.const 1024)) (i32.store (i32.const 268) (i32.const 2)) (i32.const 256)");
    let error = reconcile(&forge, &Grants::default()).await.expect_err("there is one stable side");
    assert!(is_malformed(&error.kind) && error.to_string().contains("the stable side is observed 2 times"), "{error}");
}

#[tokio::test]
async fn convergence_on_nothing_is_told_as_it_is() {
    // The machine compares it with what was desired (`core/machine/src/commands/report.rs`, `contradiction`): the host cannot know.
    let called = reconcile(&Forge::target("(i32.const 256)"), &Grants::default()).await.expect("it keeps to the form");
    assert_eq!(called.answer, Progress::Converged(Observation::default()));
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_reconcile_has_an_unknown_outcome() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut forge = Forge::new("");
    let (method, url) = (forge.text("GET"), forge.text(format!("http://127.0.0.1:{port}/")));
    let none = "(i32.const 0) (i32.const 0)";
    let body = format!("(call $fetch {method} {url} {none} {none} (i32.const 200) (i32.const 512)) (unreachable)");
    let mut forge = Forge::target(&body).power("http", "fetch", "(func $fetch (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32))");
    // The same texts at the same addresses.
    forge.text("GET");
    forge.text(format!("http://127.0.0.1:{port}/"));
    let error = reconcile(&forge, &may_ask("127.0.0.1", port, "/", true)).await.expect_err("it crashes");
    assert!(is_trap(&error.kind) && error.outcome_unknown, "{error:?}");
}

/// Notes what the runtime is asked.
#[derive(Default)]
struct Noting(std::sync::Mutex<Vec<(RuntimeScope, Value)>>);

#[async_trait::async_trait]
impl RuntimeBackend for Noting {
    async fn apply(&self, scope: &RuntimeScope, desired: Value) -> Result<Value, RuntimeFault> {
        self.0.lock().expect("no test panics in it").push((scope.clone(), desired));
        Ok(Value::Null)
    }

    async fn status(&self, _: &RuntimeScope) -> Result<Option<Value>, RuntimeFault> {
        Ok(None)
    }

    async fn logs(&self, _: &RuntimeScope, _: &str, _: u32) -> Result<Vec<RuntimeLogLine>, RuntimeFault> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn another_deployments_key_and_fence_cannot_be_forged() {
    let backend = std::sync::Arc::new(Noting::default());
    let runtime: std::sync::Arc<dyn RuntimeBackend> = backend.clone();
    let host = plugin_host::PluginHost::new(plugin_host::Options { runtime: Some(runtime), ..plugin_host::Options::default() });
    let forged = r#"{"operationKey":"d-2/shift/1","fence":9999,"service":"other","environment":"production"}"#;
    let at = Forge::new("").text(forged);
    let body = format!("(call $apply {at} (i32.const 512)) (i32.const 256)");
    let mut forge = Forge::target(&body).power("runtime", "apply", "(func $apply (param i32 i32 i32))");
    forge.text(forged);
    let plugin = host.expect("a host").load(&forge.component()).expect("a plugin");
    let grants = Grants { runtime: true, ..Grants::default() };
    let context = CallContext { fence: 7, ..context("d-1", PATIENCE) };
    // What it answers does not matter: what reached the runtime does.
    drop(plugin.reconcile(&context, &Desired::default(), &grants).await);
    let seen = backend.0.lock().expect("no test panics in it").clone();
    let [(scope, desired)] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((scope.service.as_str(), scope.environment.as_str()), ("web", "test"));
    assert_eq!((&desired["operationKey"], &desired["fence"]), (&json!(context.operation_key), &json!(7)));
}
