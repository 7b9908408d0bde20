//! Gates that are meant to let through what they should not, or to harm whoever asks them.

use std::time::Duration;

use hostile::Forge;
use plugin_host::{Answer, CallError, CallErrorKind, Called, Evidence, GateVerdict, Grants};

use crate::fixture::{PATIENCE, SHORT, context, host, is_deadline, is_trap, neighbour_is_well};

/// Asks a hostile gate over this evidence; the neighbour's next call is well, whatever came of it.
async fn evaluate(forge: &Forge, content: Vec<u8>, time: Duration) -> Result<Called<Answer>, CallError> {
    let plugin = host().load(&forge.component()).expect("the host takes it");
    let evidence = Evidence {
        kind: "junit".to_owned(),
        name: "unit".to_owned(),
        media_type: "application/xml".to_owned(),
        digest: String::new(),
        content,
    };
    let came_of_it = plugin.evaluate(&context("hostile", time), &[evidence], &Grants::default()).await;
    neighbour_is_well().await;
    came_of_it
}

async fn fails(body: &str, time: Duration, words: &str, expect: impl Fn(&CallErrorKind) -> bool) {
    let error = evaluate(&Forge::gate(body), b"<testsuite/>".to_vec(), time).await.expect_err("nothing good can come of it");
    assert!(expect(&error.kind) && error.to_string().contains(words), "{error:?}");
    assert!(!error.outcome_unknown, "a gate has no effect: {error:?}");
}

#[tokio::test]
async fn a_gate_that_never_answers_or_crashes_does_not_pass() {
    fails("(loop $again (br $again)) (unreachable)", SHORT, "gave no answer within", is_deadline).await;
    fails("(unreachable)", PATIENCE, "the plugin crashed", is_trap).await;
}

#[tokio::test]
async fn a_verdict_that_does_not_exist_is_a_crash_and_no_pass() {
    for verdict in [4, 77, 255] {
        let body = format!("(i32.store8 (i32.const 256) (i32.const {verdict})) (i32.const 256)");
        fails(&body, PATIENCE, "the plugin crashed", is_trap).await;
    }
}

#[tokio::test]
async fn a_pass_that_rests_on_no_number_breaks_the_contract() {
    for value in ["nan", "inf", "-inf"] {
        let body = format!(
            "(f64.store (i32.const 1032) (f64.const {value}))
             (i32.store (i32.const 264) (i32.const 1024)) (i32.store (i32.const 268) (i32.const 1)) (i32.const 256)"
        );
        fails(&body, PATIENCE, "wanted finite numbers", |kind| matches!(kind, CallErrorKind::Malformed { .. })).await;
    }
}

#[tokio::test]
async fn a_gate_that_wants_to_be_asked_for_ever_is_told_as_it_is() {
    // The machine bounds it: `limits::AGAIN_MAX` is 5 minutes, whatever a plugin wishes; the gate's own deadline ends it.
    let body = "(i32.store8 (i32.const 256) (i32.const 2)) (i32.store (i32.const 260) (i32.const -1)) (i32.const 256)";
    let called = evaluate(&Forge::gate(body), Vec::new(), PATIENCE).await.expect("it may wish");
    assert_eq!(called.answer.verdict, GateVerdict::Wait { retry_after_ms: u32::MAX });
}

#[tokio::test]
async fn evidence_larger_than_its_memory_is_an_error_of_its_call() {
    let small = evaluate(&Forge::gate("(i32.const 256)"), vec![b'x'; 1 << 20], PATIENCE).await.expect("it has room for that");
    assert_eq!(small.answer.verdict, GateVerdict::Pass);
    let error = evaluate(&Forge::gate("(i32.const 256)"), vec![b'x'; 40 << 20], PATIENCE).await.expect_err("it has no such room");
    assert!(matches!(error.kind, CallErrorKind::Limit { .. }) || is_trap(&error.kind), "{error:?}");
}
