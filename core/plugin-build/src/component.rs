//! From a core module to a component that carries its manifest.

use semver::Version;
use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Parser, Payload};

use crate::{BuildError, Manifest};

/// The custom section that carries the manifest, as JSON; the host looks for the same name.
pub(crate) const SECTION: &str = "towpath:manifest";

/// The package whose interfaces a plugin exports.
pub(crate) const PACKAGE: &str = "towpath:plugin/";

/// The function of every interface of the first version that returns its settings schema.
const SCHEMA: &str = "settings-schema";

/// What the core functions are called that return a settings schema since the second version: the interface follows. They are read
/// here and are no exports of the component.
const CORE_SCHEMA: &str = "towpath:settings-schema/";

/// One interface that a module exports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Export {
    /// The interface's name, which is the kind.
    pub(crate) kind: String,
    /// The interface's version.
    pub(crate) version: Version,
    /// The core function that returns the settings schema.
    pub(crate) schema: String,
}

/// Returns the interfaces that a module exports, in the order of their names.
pub(crate) fn exports(module: &[u8]) -> Result<Vec<Export>, BuildError> {
    let broken = |error: wasmparser::BinaryReaderError| BuildError::Component { why: error.to_string() };
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ExportSection(exports) = payload.map_err(broken)? {
            for export in exports {
                found.extend(schema_export(export.map_err(broken)?.name));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Takes `towpath:settings-schema/health@0.2.0` apart, or `towpath:plugin/health@0.1.0#settings-schema`.
fn schema_export(name: &str) -> Option<Export> {
    let of_the_first = || name.strip_prefix(PACKAGE)?.strip_suffix(SCHEMA)?.strip_suffix('#');
    let interface = name.strip_prefix(CORE_SCHEMA).or_else(of_the_first)?;
    let (kind, version) = interface.split_once('@')?;
    Some(Export { kind: kind.to_owned(), version: version.parse().ok()?, schema: name.to_owned() })
}

/// Returns the component of a module, with the manifest in it.
pub(crate) fn encode(module: &[u8], manifest: &Manifest) -> Result<Vec<u8>, BuildError> {
    let mut encoder = wit_component::ComponentEncoder::default();
    let mut component = encoder.validate(true).module(module).and_then(|encoder| encoder.encode()).map_err(chain)?;
    let data = serde_json::to_vec(manifest).map_err(|error| BuildError::Component { why: error.to_string() })?;
    CustomSection { name: SECTION.into(), data: data.into() }.append_to_component(&mut component);
    Ok(component)
}

/// The encoder's error is of a crate of its own; its alternate form prints all causes.
fn chain(error: impl std::fmt::Display) -> BuildError {
    BuildError::Component { why: format!("{error:#}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_schema_of_our_package_names_a_kind() {
        let export = schema_export("towpath:plugin/health@0.1.0#settings-schema").expect("a kind");
        assert_eq!((export.kind.as_str(), export.version), ("health", Version::new(0, 1, 0)));
        let export = schema_export("towpath:settings-schema/gate@0.2.0").expect("a kind");
        assert_eq!((export.kind.as_str(), export.version), ("gate", Version::new(0, 2, 0)));
        for other in [
            "towpath:plugin/health@0.1.0#assess",
            "towpath:plugin/health@0.2.0#assess",
            "cabi_post_towpath:plugin/health@0.1.0#settings-schema",
            "memory",
        ] {
            assert_eq!(schema_export(other), None, "{other}");
        }
    }
}
