//! Components that want more room than a call may have, or want to see what is in somebody else's.

use hostile::{Forge, HEALTHY};
use plugin_host::{CallErrorKind, Limited, LoadError};

use crate::fixture::{PATIENCE, answers, call_within, fails, host, neighbour_is_well};

fn of(what: Limited) -> impl Fn(&CallErrorKind) -> bool {
    move |kind| matches!(kind, CallErrorKind::Limit { what: found, .. } if *found == what)
}

#[tokio::test]
async fn memory_that_grows_without_end_hits_its_limit() {
    for pages in [1, 64, 65_535] {
        let body = format!("(loop $again (drop (memory.grow (i32.const {pages}))) (br $again)) (unreachable)");
        fails(&Forge::new(&body), PATIENCE, "33554432 bytes of memory", of(Limited::Memory)).await;
    }
}

#[tokio::test]
async fn many_memories_share_one_limit() {
    // Three of 12 MiB, each within the limit of 32 MiB.
    let module = r#"(module (memory 192) (func $use (memory.fill (i32.const 0) (i32.const 1) (i32.const 1000))) (start $use))"#;
    let forge = Forge::new(HEALTHY).beside(module).beside(module);
    answers(&forge).await;
    fails(&forge.beside(module), PATIENCE, "33554432 bytes of memory", of(Limited::Memory)).await;
}

#[tokio::test]
async fn a_table_that_grows_without_end_hits_its_limit() {
    let body = "(loop $again (drop (table.grow $all (ref.null func) (i32.const 1000))) (br $again)) (unreachable)";
    fails(&Forge::new(body).fields("(table $all 1 funcref)"), PATIENCE, "50000 table elements", of(Limited::Table)).await;
}

#[tokio::test]
async fn too_many_instances_memories_and_tables_of_one_component_are_refused() {
    let module = "(module (memory 1) (table 1 funcref))";
    let forge = (0..20).fold(Forge::new(HEALTHY), |forge, _| forge.beside(module));
    let refused = host().load(&forge.component()).err();
    assert!(matches!(refused, Some(LoadError::Compile(_) | LoadError::Link { .. })), "{refused:?}");
    neighbour_is_well().await;
}

#[tokio::test]
async fn what_begins_too_large_is_not_loaded() {
    let many = "(memory 1)".repeat(50);
    for fields in ["(memory $large 65536)", "(table $large 1000000 funcref)", many.as_str()] {
        let refused = host().load(&Forge::new(HEALTHY).fields(fields).component()).err();
        assert!(matches!(refused, Some(LoadError::Compile(_))), "{fields}: {refused:?}");
    }
    neighbour_is_well().await;
}

#[tokio::test]
async fn a_large_memory_that_is_all_zeros_costs_nothing_to_compile() {
    // One byte at the end of 16 MiB: an image of it would be as large as the memory.
    let forge = Forge::new(HEALTHY).beside(r#"(module (memory 256) (data (i32.const 16777215) "x"))"#);
    answers(&forge).await;
}

#[tokio::test]
async fn nothing_of_another_plugins_memory_is_left_in_ours() {
    // The first fills 8 MiB with its secret; the second takes as much and counts what is not zero.
    let grow = "(drop (memory.grow (i32.const 128)))";
    let filling = format!("{grow} (memory.fill (i32.const 131072) (i32.const 115) (i32.const 8257536)) (i32.const 256)");
    let counting = format!(
        "(local $at i32) (local $found i32) {grow} (local.set $at (i32.const 131072))
         (loop $next
           (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (local.set $found (i32.add (local.get $found) (i32.const 1)))))
           (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 8388608))))
         (i32.store8 (i32.const 288) (i32.const 1)) (i32.store (i32.const 292) (local.get $found))
         (i32.const 256)"
    );
    for _ in 0..10 {
        answers(&Forge::new(&filling)).await;
        let called = answers(&Forge::new(&counting)).await;
        assert_eq!(called.answer.next_look_ms, Some(0), "words of another plugin's memory");
    }
}

#[tokio::test]
async fn nothing_of_the_call_before_is_left() {
    let body = "(i32.store8 (i32.const 288) (i32.const 1)) (i32.store (i32.const 292) (i32.load (i32.const 400)))
                (i32.store (i32.const 400) (i32.const 7)) (global.set $kept (i32.add (global.get $kept) (i32.load (i32.const 292))))
                (i32.store (i32.const 292) (global.get $kept)) (global.set $kept (i32.const 9)) (i32.const 256)";
    let forge = Forge::new(body).fields("(global $kept (mut i32) (i32.const 0))");
    for _ in 0..3 {
        let called = call_within(&forge, PATIENCE).await.expect("it answers");
        assert_eq!(called.answer.next_look_ms, Some(0));
    }
}
