//! Components that lie about what they hand over: addresses, lengths, texts and numbers of variants.

use hostile::{Forge, HEALTHY};
use plugin_host::{CallErrorKind, HealthVerdict, Limited, Limits};

use crate::fixture::{PATIENCE, answers, fails, is_trap};

/// An answer whose sentence lies here and is so long.
fn sentence(address: &str, length: &str) -> String {
    format!("(i32.store (i32.const 268) (i32.const {address})) (i32.store (i32.const 272) (i32.const {length})) (i32.const 256)")
}

/// An answer with so many measurements, which lie here.
fn measurements(address: &str, length: &str) -> String {
    format!("(i32.store (i32.const 260) (i32.const {address})) (i32.store (i32.const 264) (i32.const {length})) (i32.const 256)")
}

fn is_output(kind: &CallErrorKind) -> bool {
    *kind == CallErrorKind::Limit { what: Limited::Output, limit: Limits::default().output_bytes as u64 }
}

#[tokio::test]
async fn an_answer_outside_of_memory_is_a_crash() {
    for address in ["-8", "0x7ffffff0", "131064"] {
        fails(&Forge::new(&format!("(i32.const {address})")), PATIENCE, "the plugin crashed", is_trap).await;
    }
}

#[tokio::test]
async fn an_answer_at_an_odd_address_is_a_crash() {
    fails(&Forge::new("(i32.const 257)"), PATIENCE, "not aligned", is_trap).await;
}

#[tokio::test]
async fn a_text_that_claims_four_gigabytes_is_never_copied() {
    let either = |kind: &CallErrorKind| is_trap(kind) || is_output(kind);
    for (address, length) in [("0", "-1"), ("-1", "1"), ("-1", "-1"), ("65536", "65537"), ("0", "0x7fffffff")] {
        fails(&Forge::new(&sentence(address, length)), PATIENCE, "", either).await;
    }
}

#[tokio::test]
async fn a_list_that_claims_four_billion_items_is_never_copied() {
    let either = |kind: &CallErrorKind| is_trap(kind) || is_output(kind);
    for (address, length) in [("1024", "-1"), ("1024", "100000000"), ("-8", "1")] {
        fails(&Forge::new(&measurements(address, length)), PATIENCE, "", either).await;
    }
}

#[tokio::test]
async fn a_text_that_a_host_call_claims_is_never_copied() {
    let body = "(call $line (i32.const 0) (i32.const 0) (i32.const -1)) (i32.const 256)";
    let forge = Forge::new(body).power("log", "line", "(func $line (param i32 i32 i32))");
    fails(&forge, PATIENCE, "", |kind| is_trap(kind) || is_output(kind)).await;
}

#[tokio::test]
async fn one_text_named_a_thousand_times_counts_every_time() {
    // 1,000 measurements whose names are one and the same text of 64 KiB: 64 MiB at the host.
    let body = "(local $at i32) (drop (memory.grow (i32.const 1))) (local.set $at (i32.const 4096))
        (loop $next
          (i32.store (local.get $at) (i32.const 131072)) (i32.store offset=4 (local.get $at) (i32.const 65536))
          (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 48))) (i32.const 52096))))
        (i32.store (i32.const 260) (i32.const 4096)) (i32.store (i32.const 264) (i32.const 1000)) (i32.const 256)";
    fails(&Forge::new(body), PATIENCE, "4194304 bytes of output", is_output).await;
}

#[tokio::test]
async fn a_text_that_is_none_is_a_crash() {
    let mut forge = Forge::new("");
    forge.text(b"a sentence \xff\xfe of bytes");
    fails(&forge.assess(&sentence("4096", "20")), PATIENCE, "utf-8", is_trap).await;
}

#[tokio::test]
async fn half_a_surrogate_and_overlong_bytes_are_no_text() {
    for bytes in [b"\xed\xa0\x80".as_slice(), b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe2\x82"] {
        let mut forge = Forge::new("");
        forge.text(bytes);
        fails(&forge.assess(&sentence("4096", &bytes.len().to_string())), PATIENCE, "utf-8", is_trap).await;
    }
}

#[tokio::test]
async fn a_variant_that_does_not_exist_is_a_crash() {
    for store in [
        "(i32.store8 (i32.const 256) (i32.const 200))",
        "(i32.store8 (i32.const 276) (i32.const 2))",
        "(i32.store8 (i32.const 288) (i32.const 255))",
    ] {
        fails(&Forge::new(&format!("{store} (i32.const 256)")), PATIENCE, "the plugin crashed", is_trap).await;
    }
    let forge = Forge::new("(call $line (i32.const 77) (i32.const 0) (i32.const 0)) (i32.const 256)");
    let forge = forge.power("log", "line", "(func $line (param i32 i32 i32))");
    fails(&forge, PATIENCE, "the plugin crashed", is_trap).await;
}

#[tokio::test]
async fn room_that_is_none_is_a_crash() {
    for room in ["(i32.const -8)", "(i32.const 131000)", "(unreachable)"] {
        fails(&Forge::new(HEALTHY).realloc(room), PATIENCE, "the plugin crashed", is_trap).await;
    }
}

#[tokio::test]
async fn room_that_is_always_the_same_hurts_nobody_else() {
    // Every text of the context is written over the one before; the guest has itself to thank.
    let called = answers(&Forge::new(HEALTHY).realloc("(i32.const 8192)")).await;
    assert_eq!(called.answer.verdict, HealthVerdict::Healthy);
}

#[tokio::test]
async fn a_host_call_from_within_the_making_of_room_is_a_crash() {
    let forge = Forge::new(HEALTHY).power("clock", "now-ms", "(func $now (result i64))");
    fails(&forge.realloc("(drop (call $now)) (call $take (local.get 3))"), PATIENCE, "the plugin crashed", is_trap).await;
}
