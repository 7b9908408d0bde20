//! Components that are meant to harm whoever loads them: too large in some direction, or with a manifest that is.

use std::time::Duration;

use hostile::{Forge, HEALTHY, manifest, with_manifest, with_section};
use plugin_host::{Limits, LoadError, ManifestError};
use serde_json::{Value, json};

use crate::fixture::{host, host_with, neighbour_is_well};

/// Has a component refused, with a sentence that holds these words.
async fn refused(component: &[u8], words: &str) -> LoadError {
    let error = host().load(component).err().expect("it is refused");
    assert!(error.to_string().contains(words), "{error}");
    neighbour_is_well().await;
    error
}

fn component(text: &str) -> Vec<u8> {
    with_manifest(&wat::parse_str(text).expect("a component"), &manifest())
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    for bytes in [b"".as_slice(), b"\0asm", b"#!/bin/sh\n", b"\0asm\x0d\0\x01\0\xff\xff\xff\xff\xff\xff"] {
        refused(bytes, "").await;
    }
    refused(&wat::parse_str("(module)").expect("a module"), "it is a core module").await;
}

#[tokio::test]
async fn too_many_functions_are_refused_before_they_are_compiled() {
    let forge = Forge::new(HEALTHY).fields(&"(func)".repeat(200_001));
    refused(&forge.component(), "functions, at most 200000 are allowed").await;
}

#[tokio::test]
async fn a_function_that_is_too_large_is_refused_before_it_is_compiled() {
    let forge = Forge::new(HEALTHY).fields(&format!("(func {})", "nop ".repeat(1 << 20)));
    refused(&forge.component(), "bytes in one function, at most 1048576 are allowed").await;
}

#[tokio::test]
async fn too_many_parts_and_too_deep_nests_are_refused_before_they_are_compiled() {
    refused(&component(&format!("(component {})", "(core module)".repeat(201))), "modules and components inside it").await;
    let deep = format!("{}{}", "(component ".repeat(18), ")".repeat(18));
    refused(&component(&deep), "17 levels of nesting, at most 16 are allowed").await;
    // Deeper than any stack: made by hand, as no tool would.
    let mut nested = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..10_000 {
        let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
        leb(nested.len(), &mut outer);
        outer.extend_from_slice(&nested);
        nested = outer;
    }
    refused(&nested, "levels of nesting").await;
}

fn leb(mut number: usize, to: &mut Vec<u8>) {
    loop {
        let seven = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        to.push(if number == 0 { seven } else { seven | 0x80 });
        if number == 0 {
            return;
        }
    }
}

#[tokio::test]
async fn types_within_types_without_end_are_refused() {
    let mut text = String::from("(component (type $t0 (list u8))");
    for depth in 1..5_000 {
        text.push_str(&format!("(type $t{depth} (tuple $t{} $t{}))", depth - 1, depth - 1));
    }
    text.push(')');
    host().load(&component(&text)).err().expect("a type of 2^5000 parts is no type");
    neighbour_is_well().await;
}

#[tokio::test]
async fn blocks_within_blocks_without_end_are_compiled_or_refused_and_crash_nothing() {
    let deep = format!("(func {} {})", "(block ".repeat(20_000), ")".repeat(20_000));
    // Either is well; the text has to be read on a thread with more stack than a test has.
    let forge = Forge::new(HEALTHY).fields(&deep);
    let made = std::thread::Builder::new().stack_size(256 << 20).spawn(move || forge.component()).expect("a thread").join();
    drop(host().load(&made.expect("a component")));
    neighbour_is_well().await;
}

#[tokio::test]
async fn a_component_that_is_too_large_is_refused_before_it_is_read() {
    let host = host_with(Limits { component_bytes: 1_000, ..Limits::default() });
    let error = host.load(&vec![0; 1_001]).err().expect("too large");
    assert_eq!(error.to_string(), "the component has 1001 bytes, at most 1000 are allowed");
}

#[tokio::test]
async fn a_component_that_takes_too_long_to_compile_is_given_up() {
    let host = host_with(Limits { compile_ms: 1, ..Limits::default() });
    let forge =
        Forge::new(HEALTHY).fields(&"(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))".repeat(20_000));
    let error = host.load(&forge.component()).err().expect("a millisecond is not enough");
    assert_eq!(error.to_string(), "the component was not compiled within 1 ms; a smaller one is");
    neighbour_is_well().await;
}

/// A manifest with one value replaced.
fn with(key: &str, value: Value) -> Value {
    let mut manifest = manifest();
    manifest[key] = value;
    manifest
}

#[tokio::test]
async fn a_manifest_that_is_too_large_is_refused_before_it_is_read() {
    let bomb = format!("{{\"settings\":[{}0]}}", "0,".repeat(1 << 20));
    refused(&with_section(&Forge::new(HEALTHY).bare(), bomb.as_bytes()), "at most 262144 are allowed").await;
}

#[tokio::test]
async fn a_manifest_nested_without_end_is_unreadable() {
    let deep = format!("{{\"settings\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let error = refused(&with_section(&Forge::new(HEALTHY).bare(), deep.as_bytes()), "cannot be read").await;
    assert!(matches!(error, LoadError::Manifest(ManifestError::Unreadable(_))), "{error:?}");
    refused(&with_section(&Forge::new(HEALTHY).bare(), b"\xff\xfe{}"), "cannot be read").await;
}

#[tokio::test]
async fn two_manifests_are_refused() {
    refused(&with_manifest(&Forge::new(HEALTHY).component(), &manifest()), "has 2 sections").await;
}

#[tokio::test]
async fn names_that_are_paths_or_escapes_are_refused() {
    let bare = Forge::new(HEALTHY).bare();
    let long = "x".repeat(65);
    for name in ["../../etc/passwd", "a/b", "", "\u{1b}[2J", "Name", "a\0b", "-rf", "a b", "é", long.as_str()] {
        refused(&with_manifest(&bare, &with("name", json!(name))), "has the name").await;
    }
    for power in ["../http", "\u{202e}ptth", ""] {
        refused(&with_manifest(&bare, &with("powers", json!({ power: "why" }))), "has the power").await;
    }
}

#[tokio::test]
async fn sentences_that_fill_or_rewrite_a_screen_are_refused() {
    let bare = Forge::new(HEALTHY).bare();
    for sentence in ["\u{1b}]0;owned\u{7}".to_owned(), "x".repeat(501), "safe\u{202e}elbon".to_owned(), "two\nlines".to_owned()] {
        refused(&with_manifest(&bare, &with("description", json!(sentence))), "has the description").await;
        refused(&with_manifest(&bare, &with("powers", json!({ "log": sentence }))), "has the reason").await;
    }
}

#[tokio::test]
async fn ten_thousand_powers_and_a_kind_named_twice_are_refused() {
    let bare = Forge::new(HEALTHY).bare();
    let powers: serde_json::Map<_, _> = (0..10_000).map(|number| (format!("p{number}"), json!("w"))).collect();
    refused(&with_manifest(&bare, &with("powers", Value::Object(powers))), "wanted at most 32").await;
    refused(&with_manifest(&bare, &with("kinds", json!(["health", "health"]))), "each kind once").await;
    refused(&with_manifest(&bare, &with("kinds", json!(["gate"]))), "does not export").await;
    refused(&with_manifest(&bare, &with("wit", json!("99.0.0"))), "was built against towpath:plugin@99.0.0").await;
}

/// Not a test of a limit, but of what the limits leave: the largest component that is taken compiles within its time.
#[tokio::test]
async fn many_functions_within_the_limits_compile_within_their_time() {
    let body = "(func (param i32) (result i32) (i32.mul (i32.add (local.get 0) (i32.const 3)) (local.get 0)))";
    let limits = Limits { compile_ms: Duration::from_secs(120).as_millis() as u64, ..Limits::default() };
    host_with(limits).load(&Forge::new(HEALTHY).fields(&body.repeat(5_000)).component()).expect("it is within every limit");
}
