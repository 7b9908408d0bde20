//! What a component was made from: the crates that cargo linked into it, in a section that `cargo auditable` and scanners know.
//!
//! It is read from cargo's own words about what it compiled, so it costs nothing and needs no network. The standard library is no crate of
//! it where the toolchain brings it compiled. Tools of other languages do not say what they put into a component.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde_json::Value;
use wasm_encoder::{ComponentSection, CustomSection};

use crate::BuildError;
use crate::toolchain::TARGET;

/// The section, as `cargo auditable` calls it.
const SECTION: &str = ".dep-v0";

/// One crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Material {
    name: String,
    version: String,
    source: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    root: bool,
}

#[derive(Serialize)]
struct Packages<'a> {
    packages: &'a BTreeSet<Material>,
}

/// Returns the crates that cargo's messages name as compiled for guests. `root` is the manifest of the plugin itself.
pub(crate) fn linked(messages: &[u8], root: &str) -> BTreeSet<Material> {
    let lines = messages.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let artifacts = lines.filter(|message| message["reason"] == "compiler-artifact" && is_for_guests(message));
    let material = |message: Value| {
        let (name, version, source) = identity(message["package_id"].as_str()?)?;
        Some(Material { name, version, source, root: message["manifest_path"] == root })
    };
    artifacts.filter_map(material).collect()
}

/// Returns whether something was compiled for the sandbox: a build's own programs and macros are for the machine that builds.
fn is_for_guests(message: &Value) -> bool {
    let files = message["filenames"].as_array().map(Vec::as_slice).unwrap_or_default();
    files.iter().any(|file| file.as_str().is_some_and(|file| file.split(['/', '\\']).any(|part| part == TARGET)))
}

/// Takes `registry+https://…#serde@1.0.0` apart, or `path+file:///…/health-http#0.1.0`.
fn identity(id: &str) -> Option<(String, String, &'static str)> {
    let (place, named) = id.rsplit_once('#')?;
    let source = match place.split_once('+')?.0 {
        "path" => "local",
        "git" => "git",
        "registry" | "sparse" if place.contains("crates.io") => "crates.io",
        _ => "registry",
    };
    let (name, version) = match named.split_once('@') {
        Some((name, version)) => (name, version),
        None => (place.trim_end_matches('/').rsplit('/').next()?, named),
    };
    Some((name.to_owned(), version.to_owned(), source))
}

/// Puts the list into a component.
pub(crate) fn write(materials: &BTreeSet<Material>, component: &mut Vec<u8>) -> Result<(), BuildError> {
    let broken = |why: String| BuildError::Component { why };
    let text = serde_json::to_vec(&Packages { packages: materials }).map_err(|error| broken(error.to_string()))?;
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    let packed = packer.write_all(&text).and_then(|()| packer.finish()).map_err(|error| broken(error.to_string()))?;
    CustomSection { name: SECTION.into(), data: packed.into() }.append_to_component(component);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(id: &str, manifest: &str, file: &str) -> String {
        json!({ "reason": "compiler-artifact", "package_id": id, "manifest_path": manifest, "filenames": [file] }).to_string()
    }

    #[test]
    fn what_was_compiled_for_the_sandbox_is_listed_once_with_its_source() {
        let guest = format!("/t/{TARGET}/release/deps/lib.rlib");
        let messages = [
            message("registry+https://github.com/rust-lang/crates.io-index#serde@1.0.0", "/r/serde/Cargo.toml", &guest),
            message(
                "registry+https://github.com/rust-lang/crates.io-index#serde@1.0.0",
                "/r/serde/Cargo.toml",
                "/t/release/deps/lib.rlib",
            ),
            message(
                "registry+https://github.com/rust-lang/crates.io-index#syn@2.0.0",
                "/r/syn/Cargo.toml",
                "/t/release/deps/lib.rlib",
            ),
            message("registry+https://crates.example/index#own@3.0.0", "/r/own/Cargo.toml", &guest),
            message("git+https://git.example/x?rev=1#x@0.2.0", "/g/x/Cargo.toml", &guest),
            message("path+file:///w/health-queue#0.1.0", "/w/health-queue/Cargo.toml", &guest),
            "not a message".to_owned(),
        ];
        let found = linked(messages.join("\n").as_bytes(), "/w/health-queue/Cargo.toml");
        let found: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.version.as_str(), one.source, one.root)).collect();
        let expected = [
            ("health-queue", "0.1.0", "local", true),
            ("own", "3.0.0", "registry", false),
            ("serde", "1.0.0", "crates.io", false),
            ("x", "0.2.0", "git", false),
        ];
        assert_eq!(found, expected);
    }
}
