//! Components that a host takes, and those that it does not: `check` says so without running anything.

use plugin_tool::check::{CheckOptions, Checked, check};
use wasm_encoder::{
    Component, ComponentImportSection, ComponentSection, ComponentTypeRef, ComponentTypeSection, CustomSection, InstanceType,
    Module,
};

use crate::fixture::{bundled, workshop};

fn checked(component: Vec<u8>) -> Checked {
    check(&CheckOptions { component, compile: true, cache_dir: Some(workshop().compiled()) }).expect("checked")
}

/// Checks a component that a host refuses for this reason.
fn refused(component: Vec<u8>, reason: &str) {
    let found = checked(component);
    assert!(found.refused.iter().any(|why| why.contains(reason)), "{found:?}");
    assert!(found.compile_ms.is_none(), "what is refused is not compiled");
}

/// Returns a component that says this of itself, and imports this empty interface.
fn component(manifest: &str, import: Option<&str>) -> Vec<u8> {
    let mut component = Component::new();
    if let Some(name) = import {
        let mut types = ComponentTypeSection::new();
        types.instance(&InstanceType::new());
        component.section(&types);
        let mut imports = ComponentImportSection::new();
        imports.import(name, ComponentTypeRef::Instance(0));
        component.section(&imports);
    }
    let mut bytes = component.finish();
    CustomSection { name: "towpath:manifest".into(), data: manifest.as_bytes().into() }.append_to_component(&mut bytes);
    bytes
}

fn manifest(wit: &str, kinds: &str) -> String {
    format!(r#"{{"name":"g","version":"0.1.0","description":"","wit":"{wit}","kinds":{kinds},"settings":{{}},"powers":{{}}}}"#)
}

#[test]
fn a_good_component_is_shown_with_its_powers_and_its_cost() {
    let found = checked(bundled("health-http"));
    assert_eq!((&found.refused, &found.warnings), (&Vec::new(), &Vec::new()));
    assert_eq!(found.manifest.expect("a manifest").name, "health-http");
    let http = found.powers.iter().find(|power| power.name == "http").expect("it asks for http");
    assert!(http.imported && http.asked.is_some());
    let anatomy = found.anatomy.expect("a component");
    assert!(anatomy.sections.iter().any(|section| section.name == "towpath:manifest"), "{anatomy:?}");
    assert!(anatomy.code_bytes > 10_000 && anatomy.code_bytes < found.bytes, "{anatomy:?}");
    assert!(found.compile_ms.is_some() && found.compile_ms_estimated > 0);
}

#[test]
fn a_component_of_another_language_imports_the_powers_that_it_asks_for_and_no_more() {
    let found = checked(workshop().example("gate-coverage-js"));
    assert_eq!((&found.refused, &found.warnings), (&Vec::new(), &Vec::new()));
    let names: Vec<_> = found.powers.iter().map(|power| power.name.as_str()).collect();
    assert_eq!(names, ["clock", "log", "measure", "random"], "those that everybody has");
    let found = checked(workshop().example("health-latency-py"));
    assert_eq!((&found.refused, &found.warnings), (&Vec::new(), &Vec::new()));
    assert!(found.powers.iter().any(|power| power.name == "http" && power.imported && power.asked.is_some()));
}

#[test]
fn what_is_no_plugin_is_refused_with_the_reason() {
    refused(b"hello".to_vec(), "not a WebAssembly component");
    refused(Module::new().finish(), "it is a core module");
    refused(Component::new().finish(), "has no section `towpath:manifest`");
    refused(component("{}", None), "the component's manifest cannot be read: missing field");
    refused(
        component(&manifest("9.0.0", r#"["gate"]"#), None),
        "built against towpath:plugin@9.0.0, this host has 0.1, 0.2, 0.3",
    );
    refused(component(&manifest("0.3.0", "[]"), None), "is of no kind");
    refused(component(&manifest("0.3.0", r#"["gate"]"#), None), "does not export towpath:plugin/gate@0.3.0");
    let cut = bundled("gate-junit");
    refused(cut[..cut.len() / 2].to_vec(), "not a WebAssembly component");
}

#[test]
fn what_is_too_large_in_some_direction_is_refused_without_compiling_it() {
    let not_compiled = |component| check(&CheckOptions { component, compile: false, cache_dir: None }).expect("checked");
    let mut parts = Component::new();
    for _ in 0..201 {
        parts.section(&wasm_encoder::ModuleSection(&Module::new()));
    }
    let mut parts = parts.finish();
    let manifest = manifest("0.3.0", r#"["gate"]"#);
    CustomSection { name: "towpath:manifest".into(), data: manifest.as_bytes().into() }.append_to_component(&mut parts);
    for (component, reason) in [
        (parts, "201 modules and components inside it, at most 200 are allowed"),
        (vec![0; (64 << 20) + 1], "the component has 67108865 bytes, at most 67108864 are allowed"),
    ] {
        let found = not_compiled(component);
        assert!(found.refused.iter().any(|why| why.contains(reason)), "{:?}", found.refused);
    }
    let good = not_compiled(bundled("gate-junit"));
    assert_eq!((good.refused, good.compile_ms), (Vec::new(), None));
}

#[test]
fn imports_that_no_host_answers_are_named() {
    let found = checked(component(&manifest("0.3.0", r#"["gate"]"#), Some("wasi:http/outgoing-handler@0.2.0")));
    // The manifest is refused first: it promises an export that is not there.
    assert!(found.refused[0].contains("does not export"), "{found:?}");
    assert_eq!(found.anatomy.expect("a component").imports, ["wasi:http/outgoing-handler@0.2.0"]);
}

#[test]
fn a_power_that_is_imported_and_not_asked_for_is_warned_of() {
    let mut bytes = bundled("health-http");
    let section = section(&bytes);
    let mut manifest: serde_json::Value = serde_json::from_slice(&section).expect("JSON");
    manifest["powers"] = serde_json::json!({ "runtime": "starts services" });
    let data = serde_json::to_vec(&manifest).expect("JSON");
    bytes.truncate(start_of_last(&bytes, "towpath:manifest"));
    CustomSection { name: "towpath:manifest".into(), data: data.into() }.append_to_component(&mut bytes);
    let found = checked(bytes);
    assert!(found.warnings.iter().any(|warning| warning.contains("imports the power `http`, but does not ask")), "{found:?}");
    assert!(
        found.warnings.iter().any(|warning| warning.contains("asks for the power `runtime`, but never imports")),
        "{found:?}"
    );
    assert_eq!(found.refused, Vec::<String>::new(), "odd is not wrong");
}

/// Returns where a component's last section, which has this name, begins.
fn start_of_last(component: &[u8], name: &str) -> usize {
    let at = component.windows(name.len()).rposition(|bytes| bytes == name.as_bytes()).expect("the section");
    // Before the name stand its length, and before that the section's (seven bits to a byte) and its kind.
    let content = component.len() - (at - 1);
    let digits = (content.ilog2() / 7 + 1) as usize;
    at - 1 - digits - 1
}

/// Returns the manifest as it stands in a component.
fn section(component: &[u8]) -> Vec<u8> {
    let read = plugin_host::Manifest::read(component).expect("a manifest");
    serde_json::to_vec(&read).expect("JSON")
}
