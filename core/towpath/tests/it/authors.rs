//! What an author of plugins does with the program, without a server.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::rig::command;

/// Runs `towpath plugin` and returns the exit code, what it printed, and what it said.
fn plugin(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(folder, &[&["plugin"], arguments].concat()).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_plugin_is_checked_run_and_tested() {
    let folder = tempfile::tempdir().unwrap();
    let junit = bundled_plugins::all().iter().find(|bundled| bundled.name == "gate-junit").unwrap();
    fs::write(folder.path().join("plugin.wasm"), junit.component).unwrap();
    let (code, printed, said) = plugin(folder.path(), &["check", "plugin.wasm"]);
    assert_eq!(code, Some(0), "{printed}{said}");
    for line in ["gate-junit 0.1.0, gate", "exports     towpath:plugin/gate@0.", "a host would take it"] {
        assert!(printed.contains(line), "{line} is missing: {printed}");
    }
    let (code, printed, _) = plugin(folder.path(), &["check", "plugin.wasm", "--no-compile"]);
    assert_eq!(code, Some(0));
    assert!(!printed.contains("would take it") && printed.contains("what only compiling finds was not looked for"), "{printed}");

    let report = |failure: &str| {
        let text = format!("<testsuite><testcase name='a'>{failure}</testcase></testsuite>");
        json!({ "kind": "junit", "content": { "text": text } })
    };
    let call = json!({ "call": "evaluate", "evidence": [report("")] });
    fs::write(folder.path().join("call.json"), call.to_string()).unwrap();
    let (code, printed, said) = plugin(folder.path(), &["run", "plugin.wasm", "call.json", "--json"]);
    assert_eq!(code, Some(0), "{printed}{said}");
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["answer"]["verdict"], "pass");

    let case = json!({ "gate": { "pass": [report("")], "fail": [report("<failure/>")] } });
    fs::write(folder.path().join("case.json"), case.to_string()).unwrap();
    let (code, printed, said) = plugin(folder.path(), &["test", "plugin.wasm", "--case", "case.json"]);
    assert_eq!(code, Some(0), "{printed}{said}");
    let all = "holds      gate: no evidence is no pass";
    assert!(printed.contains(all) && printed.contains(" 0 are broken, 0 were not asked"), "{printed}");
}

#[test]
fn what_no_host_takes_ends_with_status_1_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plugin.wasm"), "no component").unwrap();
    let (code, printed, said) = plugin(folder.path(), &["check", "plugin.wasm"]);
    assert_eq!(code, Some(1), "{printed}{said}");
    assert!(
        printed.contains("refused     not a WebAssembly component") && printed.contains("a host would refuse it"),
        "{printed}"
    );
    let (code, _, said) = plugin(folder.path(), &["run", "plugin.wasm", "no-such.json"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("TP0610") && said.contains("no-such.json"), "{said}");
}

#[test]
fn a_project_is_made_once_and_says_what_comes_next() {
    let folder = tempfile::tempdir().unwrap();
    let new = ["new", "--kind", "health", "--language", "python", "my-check"];
    let (code, printed, said) = plugin(folder.path(), &new);
    assert_eq!(code, Some(0), "{printed}{said}");
    assert!(printed.contains("towpath plugin test my-check.wasm --case case.json"), "{printed}");
    assert!(folder.path().join("my-check/wit/health.wit").is_file());
    let (code, _, said) = plugin(folder.path(), &new);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("TP0610") && said.contains("is there already"), "{said}");

    fs::create_dir(folder.path().join("empty")).unwrap();
    let (code, _, said) = plugin(folder.path(), &["build", "empty"]);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("TP0606") && said.contains("neither a Cargo.toml nor a plugin.json"), "{said}");
}
