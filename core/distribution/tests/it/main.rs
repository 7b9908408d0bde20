//! Plugins travel: through a real registry, lying mirrors, and folders that other tools read.

mod cosign;
mod folders;
mod keyless;
mod liar;
mod mirrors;
mod real;
mod registry;
mod sigstore;
mod tokens;

use std::collections::BTreeMap;

use distribution::{Reference, Registries, Trust};
use wasm_encoder::{Component, CustomSection};

/// Returns a component that differs by its name.
fn component(name: &str) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&CustomSection { name: "name-of-the-test".into(), data: name.as_bytes().into() });
    component.finish()
}

fn reference(text: impl AsRef<str>) -> Reference {
    text.as_ref().parse().unwrap()
}

fn registries(json: &str) -> Registries {
    serde_json::from_str(json).unwrap()
}

fn none() -> BTreeMap<String, String> {
    BTreeMap::new()
}

/// Writes a trust that believes one key for everything, and reads it.
fn trust_in(public_pem: &str) -> Trust {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key.pub"), public_pem).unwrap();
    let file = folder.path().join("trust.json");
    let text = r#"{"keys": {"release": {"file": "key.pub"}}, "rules": [{"references": "**", "signedBy": ["release"]}]}"#;
    std::fs::write(&file, text).unwrap();
    Trust::from_file(&file).unwrap()
}
