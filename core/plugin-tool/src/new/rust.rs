//! A project in Rust.

use std::path::Path;

use plugin_host::Kind;

use super::project::{Project, filled};
use crate::ToolError;

/// The version of the SDK that a project asks a registry for.
const SDK_VERSION: &str = "0.3";

pub(super) fn project(name: &str, kind: Kind, sdk: Option<&Path>) -> Result<Project, ToolError> {
    let (source, test) = match kind {
        Kind::Gate => (include_str!("../../templates/rust/gate.rs"), include_str!("../../templates/rust/gate_tests.rs")),
        Kind::Health => (include_str!("../../templates/rust/health.rs"), include_str!("../../templates/rust/health_tests.rs")),
        Kind::Target => (include_str!("../../templates/rust/target.rs"), include_str!("../../templates/rust/target_tests.rs")),
    };
    let powers = match kind {
        Kind::Gate => "powers = {}",
        Kind::Health => r#"powers = { http = "asks the candidate whether it is well" }"#,
        Kind::Target => r#"powers = { http = "tells the service that runs everything what shall run" }"#,
    };
    let manifest =
        include_str!("../../templates/rust/Cargo.toml.txt").replace("POWERS", powers).replace("SDK", &dependency(sdk)?);
    let files = vec![
        ("Cargo.toml".to_owned(), filled(&manifest, name, kind)),
        ("src/lib.rs".to_owned(), filled(source, name, kind)),
        ("src/tests.rs".to_owned(), filled(test, name, kind)),
        (".gitignore".to_owned(), "/target\n*.wasm\n".to_owned()),
    ];
    Ok(Project { files, next: vec!["cargo test".to_owned()] }.explained(name, kind, "`src/lib.rs`, tested in `src/tests.rs`"))
}

fn dependency(sdk: Option<&Path>) -> Result<String, ToolError> {
    let Some(folder) = sdk else { return Ok(format!("{SDK_VERSION:?}")) };
    if !folder.join("Cargo.toml").is_file() {
        return Err(ToolError::NoSdk { folder: folder.to_owned() });
    }
    let folder = std::fs::canonicalize(folder).map_err(|source| ToolError::Read { path: folder.to_owned(), source })?;
    // A literal string of TOML takes a path as it is.
    Ok(format!("{{ path = '{}' }}", folder.display()))
}
