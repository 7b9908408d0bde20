//! Components that never end, or end too early.

use hostile::{Forge, HEALTHY};
use plugin_host::{CallErrorKind, Limited, Limits};

use crate::fixture::{PATIENCE, SHORT, fails, is_deadline, is_trap};

const FOREVER: &str = "(loop $again (br $again)) (unreachable)";

#[tokio::test]
async fn an_endless_loop_ends_at_the_deadline() {
    fails(&Forge::new(FOREVER), SHORT, "gave no answer within", is_deadline).await;
}

#[tokio::test]
async fn an_endless_loop_at_the_start_ends_at_the_deadline() {
    let forge = Forge::new(HEALTHY).fields("(func $start (loop $again (br $again))) (start $start)");
    fails(&forge, SHORT, "gave no answer within", is_deadline).await;
}

#[tokio::test]
async fn an_endless_loop_where_the_host_asks_for_room_ends_at_the_deadline() {
    fails(&Forge::new(HEALTHY).realloc(FOREVER), SHORT, "gave no answer within", is_deadline).await;
}

#[tokio::test]
async fn an_endless_loop_after_the_answer_ends_at_the_deadline() {
    let clean_up = r#"(func (export "cabi_post_towpath:plugin/health@0.1.0#assess") (param i32) (loop $again (br $again)))"#;
    fails(&Forge::new(HEALTHY).fields(clean_up), SHORT, "gave no answer within", is_deadline).await;
}

#[tokio::test]
async fn an_endless_wait_in_the_host_ends_at_the_deadline() {
    let body = "(loop $again (call $pause (i32.const -1)) (br $again)) (unreachable)";
    let forge = Forge::new(body).power("clock", "pause-ms", "(func $pause (param i32))");
    fails(&forge, SHORT, "", |kind| is_deadline(kind) || matches!(kind, CallErrorKind::Limit { what: Limited::HostCalls, .. }))
        .await;
}

#[tokio::test]
async fn endless_host_calls_end_at_their_limit() {
    let body = "(loop $again (drop (call $now)) (br $again)) (unreachable)";
    let forge = Forge::new(body).power("clock", "now-ms", "(func $now (result i64))");
    let limit = u64::from(Limits::default().host_calls);
    let expected = |kind: &CallErrorKind| *kind == CallErrorKind::Limit { what: Limited::HostCalls, limit };
    fails(&forge, PATIENCE, "wanted more than 1000 host calls", expected).await;
}

#[tokio::test]
async fn endless_recursion_ends_at_the_stack() {
    let forge = Forge::new("(call $deep)").fields("(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))");
    fails(&forge, PATIENCE, "bytes of stack", |kind| matches!(kind, CallErrorKind::Limit { what: Limited::Stack, .. })).await;
}

#[tokio::test]
async fn a_crash_at_the_start_is_a_crash() {
    fails(&Forge::new(HEALTHY).fields("(func $start unreachable) (start $start)"), PATIENCE, "the plugin crashed", is_trap).await;
}

#[tokio::test]
async fn a_crash_after_the_answer_is_a_crash() {
    let clean_up = r#"(func (export "cabi_post_towpath:plugin/health@0.1.0#assess") (param i32) unreachable)"#;
    fails(&Forge::new(HEALTHY).fields(clean_up), PATIENCE, "the plugin crashed", is_trap).await;
}

#[tokio::test]
async fn arithmetic_that_cannot_be_done_is_a_crash() {
    for body in [
        "(i32.div_u (i32.const 1) (i32.const 0))",
        "(i32.trunc_f32_s (f32.const nan))",
        "(call_indirect $none (result i32) (i32.const 9))",
    ] {
        let forge = Forge::new(body).fields("(table $none 1 funcref)");
        fails(&forge, PATIENCE, "the plugin crashed", is_trap).await;
    }
}

#[tokio::test]
async fn an_answer_that_comes_after_the_deadline_is_not_heard() {
    // It waits until its time is over, and then takes its time before it says that all is well.
    let body = "(local $left i32) (call $pause (i32.const -1)) (local.set $left (i32.const 2000000000))
        (loop $next (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))) (i32.const 256)";
    let forge = Forge::new(body).power("clock", "pause-ms", "(func $pause (param i32))");
    fails(&forge, SHORT, "gave no answer within", is_deadline).await;
}
