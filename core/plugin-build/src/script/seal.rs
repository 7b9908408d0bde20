//! The manifest, put into a component that another tool made, and held against what the component exports.

use std::path::Path;

use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Encoding, Parser, Payload};

use super::file::{FILE, PluginFile};
use crate::component::{PACKAGE, SECTION};
use crate::{BuildError, Manifest, wit};

/// Returns the component with its manifest in it, and the manifest.
pub(super) fn seal(folder: &Path, mut component: Vec<u8>, said: PluginFile) -> Result<(Vec<u8>, Manifest), BuildError> {
    let kinds = exported(&component)?;
    if kinds != said.kinds {
        let (said, found) = (said.kinds.join(", "), kinds.join(", "));
        let why = format!("it says the plugin is of kind {said}, the component exports {found}");
        return Err(BuildError::PluginFile { path: folder.join(FILE), why });
    }
    let version = wit::VERSION.parse().expect("BUG: the carried contract has a version");
    let PluginFile { name, version: own, description, kinds, powers, settings, .. } = said;
    let manifest = Manifest { name, version: own, description, wit: version, kinds, settings, powers };
    let data = serde_json::to_vec(&manifest).map_err(|error| BuildError::Component { why: error.to_string() })?;
    CustomSection { name: SECTION.into(), data: data.into() }.append_to_component(&mut component);
    Ok((component, manifest))
}

/// Returns the kinds that a component exports in the carried version of the contract, in the order of their names.
fn exported(component: &[u8]) -> Result<Vec<String>, BuildError> {
    let broken = |why: String| BuildError::Component { why };
    let mut kinds = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| broken(error.to_string()))? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(broken("it is a core module".to_owned()));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let export = export.map_err(|error| broken(error.to_string()))?;
                    let kind = export
                        .name
                        .name
                        .strip_prefix(PACKAGE)
                        .and_then(|name| name.strip_suffix(wit::VERSION)?.strip_suffix('@'));
                    kinds.extend(kind.map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    kinds.sort();
    Ok(kinds)
}
