//! Components that look for the machine through WASI: its environment, files, sockets, clocks and randomness.

use hostile::Forge;
use plugin_host::{CallErrorKind, LoadError};

use crate::fixture::{PATIENCE, SHORT, answers, fails, host, is_deadline, is_trap, neighbour_is_well};

const IO: &str = "package wasi:io@0.2.0;
    interface error { resource error; }
    interface poll { resource pollable { block: func(); ready: func() -> bool; } poll: func(in: list<borrow<pollable>>) -> list<u32>; }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream {
            check-write: func() -> result<u64, stream-error>;
            write: func(contents: list<u8>) -> result<_, stream-error>;
            blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
        }
    }";

const CLOCKS: &str = "package wasi:clocks@0.2.0;
    interface monotonic-clock { use wasi:io/poll@0.2.0.{pollable}; subscribe-duration: func(when: u64) -> pollable; }";

const CLI: &str = "package wasi:cli@0.2.0;
    interface environment { get-environment: func() -> list<tuple<string, string>>; get-arguments: func() -> list<string>; }
    interface exit { exit: func(status: result); }
    interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }";

const FILES: &str = "package wasi:filesystem@0.2.0;
    interface types { resource descriptor { sync: func(); } }
    interface preopens { use types.{descriptor}; get-directories: func() -> list<tuple<descriptor, string>>; }";

const SOCKETS: &str = "package wasi:sockets@0.2.0;
    interface network { resource network; enum ip-address-family { ipv4, ipv6 }
        enum error-code { unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, concurrency-conflict,
            not-in-progress, would-block, invalid-state, new-socket-limit, address-not-bindable, address-in-use, remote-unreachable,
            connection-refused, connection-reset, connection-aborted, datagram-too-large, name-unresolvable,
            temporary-resolver-failure, permanent-resolver-failure } }
    interface tcp { resource tcp-socket; }
    interface tcp-create-socket { use network.{error-code, ip-address-family}; use tcp.{tcp-socket};
        create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>; }
    interface udp { resource udp-socket; }
    interface udp-create-socket { use network.{error-code, ip-address-family}; use udp.{udp-socket};
        create-udp-socket: func(address-family: ip-address-family) -> result<udp-socket, error-code>; }
    interface instance-network { use network.{network}; instance-network: func() -> network; }
    interface ip-name-lookup { use network.{network, error-code}; resource resolve-address-stream;
        resolve-addresses: func(network: borrow<network>, name: string) -> result<resolve-address-stream, error-code>; }";

const RANDOM: &str = "package wasi:random@0.2.0; interface random { get-random-bytes: func(len: u64) -> list<u8>; }";

/// The number of `access-denied` among the error codes of sockets.
const ACCESS_DENIED: u32 = 1;

/// The number of `permanent-resolver-failure`: what a look-up is told that may not be made.
const NEVER_RESOLVED: u32 = 20;

/// Leaves a number in the answer, as the next look.
fn telling(number: &str) -> String {
    format!("(i32.store8 (i32.const 288) (i32.const 1)) (i32.store (i32.const 292) {number}) (i32.const 256)")
}

async fn told(forge: &Forge) -> u32 {
    answers(forge).await.answer.next_look_ms.expect("it tells a number")
}

#[tokio::test]
async fn the_environment_and_the_arguments_are_empty() {
    for function in ["get-environment", "get-arguments"] {
        let core = format!(r#"(import "wasi:cli/environment@0.2.0" "{function}" (func $get (param i32)))"#);
        let body = format!("(call $get (i32.const 512)) {}", telling("(i32.load (i32.const 516))"));
        let forge = Forge::new(&body).package(IO).import("wasi:cli/environment@0.2.0", CLI, &core);
        assert_eq!(told(&forge).await, 0, "{function}");
    }
}

#[tokio::test]
async fn there_are_no_folders() {
    let core = r#"(import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $get (param i32)))"#;
    let body = format!("(call $get (i32.const 512)) {}", telling("(i32.load (i32.const 516))"));
    let forge = Forge::new(&body).import("wasi:filesystem/preopens@0.2.0", FILES, core);
    assert_eq!(told(&forge).await, 0);
}

#[tokio::test]
async fn sockets_are_denied() {
    for kind in ["tcp", "udp"] {
        let interface = format!("wasi:sockets/{kind}-create-socket@0.2.0");
        let core = format!(r#"(import "{interface}" "create-{kind}-socket" (func $create (param i32 i32)))"#);
        // 1000 and the error code, or 0 and a socket.
        let number = "(i32.mul (i32.load8_u (i32.const 512)) (i32.add (i32.const 1000) (i32.load8_u (i32.const 516))))";
        let body = format!("(call $create (i32.const 0) (i32.const 512)) {}", telling(number));
        assert_eq!(told(&Forge::new(&body).import(&interface, SOCKETS, &core)).await, 1_000 + ACCESS_DENIED, "{kind}");
    }
}

#[tokio::test]
async fn names_are_not_looked_up() {
    let core = r#"(import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
                  (import "wasi:sockets/ip-name-lookup@0.2.0" "resolve-addresses" (func $resolve (param i32 i32 i32 i32)))"#;
    let mut forge = Forge::new("");
    let name = forge.text("metadata.google.internal");
    let number = "(i32.mul (i32.load8_u (i32.const 512)) (i32.add (i32.const 1000) (i32.load8_u (i32.const 516))))";
    let body = format!("(call $resolve (call $network) {name} (i32.const 512)) {}", telling(number));
    let forge = forge.assess(&body).import(
        "wasi:sockets/ip-name-lookup@0.2.0; import wasi:sockets/instance-network@0.2.0",
        SOCKETS,
        core,
    );
    assert_eq!(told(&forge).await, 1_000 + NEVER_RESOLVED);
}

#[tokio::test]
async fn a_timer_that_never_rings_ends_at_the_deadline() {
    let core = r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $timer (param i64) (result i32)))
                  (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;
    let forge = Forge::new("(call $block (call $timer (i64.const -1))) (i32.const 256)").package(IO);
    let forge = forge.import("wasi:clocks/monotonic-clock@0.2.0; import wasi:io/poll@0.2.0", CLOCKS, core);
    fails(&forge, SHORT, "gave no answer within", is_deadline).await;
}

#[tokio::test]
async fn timers_without_end_are_a_crash_and_not_the_hosts_memory() {
    let core = r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $timer (param i64) (result i32)))"#;
    let forge = Forge::new("(loop $again (drop (call $timer (i64.const -1))) (br $again)) (unreachable)").package(IO);
    fails(&forge.import("wasi:clocks/monotonic-clock@0.2.0", CLOCKS, core), PATIENCE, "the plugin crashed", is_trap).await;
}

#[tokio::test]
async fn randomness_by_the_gigabyte_is_a_crash() {
    let core = r#"(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))"#;
    for length in ["-1", "1000000000", "65537"] {
        let body = format!("(call $random (i64.const {length}) (i32.const 512)) (i32.const 256)");
        fails(&Forge::new(&body).import("wasi:random/random@0.2.0", RANDOM, core), PATIENCE, "the plugin crashed", is_trap).await;
    }
    let body = format!("(call $random (i64.const 32) (i32.const 512)) {}", telling("(i32.load (i32.const 516))"));
    assert_eq!(told(&Forge::new(&body).import("wasi:random/random@0.2.0", RANDOM, core)).await, 32, "a seed is given");
}

#[tokio::test]
async fn leaving_the_process_leaves_the_call() {
    let core = r#"(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))"#;
    for status in [0, 1] {
        let body = format!("(call $exit (i32.const {status})) (i32.const 256)");
        fails(&Forge::new(&body).package(IO).import("wasi:cli/exit@0.2.0", CLI, core), PATIENCE, "xited", is_trap).await;
    }
}

#[tokio::test]
async fn a_flood_of_output_is_cut() {
    let core = r#"(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
                  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))"#;
    let body = "(local $out i32) (local.set $out (call $stdout)) (memory.fill (i32.const 65536) (i32.const 120) (i32.const 4096))
        (loop $again (call $write (local.get $out) (i32.const 65536) (i32.const 4096) (i32.const 512)) (br $again)) (unreachable)";
    let forge = Forge::new(body).package(IO).import("wasi:cli/stdout@0.2.0; import wasi:io/streams@0.2.0", CLI, core);
    fails(&forge, SHORT, "", |kind| is_trap(kind) || is_deadline(kind)).await;
}

#[tokio::test]
async fn an_import_that_does_not_exist_is_named_when_it_is_loaded() {
    let core = r#"(import "evil:host/shell@1.0.0" "run" (func $run))"#;
    let package = "package evil:host@1.0.0; interface shell { run: func(); }";
    let forge = Forge::new("(call $run) (i32.const 256)").import("evil:host/shell@1.0.0", package, core);
    let refused = host().load(&forge.component()).err().expect("nobody gives it a shell");
    let LoadError::Link { source, .. } = &refused else { panic!("{refused:?}") };
    assert!(format!("{source:#}").contains("evil:host/shell@1.0.0"), "{source:#}");
    neighbour_is_well().await;
}

#[tokio::test]
async fn a_right_name_with_another_type_breaks_the_contract_before_it_runs() {
    let package =
        "package towpath:plugin@0.1.0; interface health { assess: func(x: u32) -> u32; settings-schema: func() -> string; }";
    let forge = Forge::new("(unreachable)").in_contract(package);
    fails(&forge, PATIENCE, "does not export what towpath:plugin has", |kind| matches!(kind, CallErrorKind::Malformed { .. }))
        .await;

    let core = r#"(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i32) (result i32)))"#;
    let package = "package wasi:random@0.2.0; interface random { get-random-bytes: func(len: u32) -> u32; }";
    let forge =
        Forge::new("(drop (call $random (i32.const 1))) (i32.const 256)").import("wasi:random/random@0.2.0", package, core);
    let refused = host().load(&forge.component()).err();
    assert!(matches!(refused, Some(LoadError::Link { .. })), "{refused:?}");
    neighbour_is_well().await;
}

#[tokio::test]
async fn a_power_that_the_manifest_does_not_name_is_refused() {
    let mut manifest = hostile::manifest();
    manifest["powers"] = serde_json::json!({});
    let forge = Forge::fetch("GET", "http://example.com/", &[]);
    let plugin = host().load(&hostile::with_manifest(&forge.bare(), &manifest)).expect("it asks for nothing");
    let grants = crate::fixture::may_ask("example.com", 80, "/", true);
    let error = crate::fixture::assess_as(&plugin, "hostile", &grants, PATIENCE).await.expect_err("it did not ask");
    assert_eq!(error.kind, CallErrorKind::NotAsked { power: "http" });
    neighbour_is_well().await;
}
