//! The files that the SDK's guide shows are files that the tool reads.

use plugin_tool::call::CallForm;
use plugin_tool::conform::Case;

/// Returns the examples of one kind: what stands in a block that begins so.
fn examples(kind: &str) -> Vec<String> {
    let path = test_plugins::workspace().join("sdk/rust/src/guide/files.rs");
    let guide = std::fs::read_to_string(path).expect("the guide");
    let lines: Vec<_> = guide.lines().map(|line| line.strip_prefix("//!").unwrap_or(line).trim_start()).collect();
    let blocks = lines.split(|line| line.starts_with("```"));
    let begins: Vec<_> = lines.iter().filter(|line| line.starts_with("```")).collect();
    // Every second fence begins a block.
    let shown = blocks.skip(1).zip(begins).step_by(2);
    shown.filter(|(_, begin)| **begin == format!("```json {kind}")).map(|(block, _)| block.join("\n")).collect()
}

#[test]
fn every_call_and_every_case_can_be_read() {
    let (calls, cases) = (examples("call"), examples("case"));
    assert_eq!((calls.len(), cases.len()), (2, 3));
    for text in calls {
        CallForm::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
    for text in cases {
        Case::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
}

#[test]
fn the_plugin_file_is_one() {
    let [text] = examples("plugin").try_into().expect("one example");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("plugin.json"), text).expect("written");
    std::fs::write(folder.path().join("gate.js"), "export const gate = {").expect("written");
    // It is read and its source is looked at; what is wrong is the source.
    let error = plugin_build::build(folder.path(), &crate::fixture::workshop().options()).expect_err("the source is half of one");
    assert!(!error.to_string().contains("plugin.json"), "{error}");
}
