//! What a component says of itself: data in a custom section, read without running anything.

use std::collections::BTreeMap;
use std::fmt;

use crate::words::{self, Spoken};
use semver::Version;
use serde::{Deserialize, Serialize};
use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload};

/// The custom section that carries the manifest, as JSON.
pub(crate) const SECTION: &str = "towpath:manifest";

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: Version,
    /// One sentence for people.
    #[serde(default)]
    pub description: String,
    /// The version of `towpath:plugin` it was built against.
    pub wit: Version,
    /// What it is.
    pub kinds: Vec<Kind>,
    /// The JSON Schema (2020-12) of its settings, per kind.
    pub settings: BTreeMap<Kind, serde_json::Value>,
    /// The powers it asks for, with the reason for each. Asking is not being granted.
    pub powers: BTreeMap<String, String>,
}

/// A kind of plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Reconciles an environment toward a desired state.
    Target,
    /// Answers once before a step.
    Gate,
    /// Is asked again and again while a candidate takes traffic.
    Health,
}

/// Why a component's word about itself was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is not a component.
    #[error("not a WebAssembly component: {message}")]
    NotAComponent {
        /// Why.
        message: String,
    },
    /// It carries no manifest.
    #[error("the component has no section `{SECTION}`; build it with `towpath plugin build`")]
    Missing,
    /// The manifest is not one.
    #[error("the component's manifest cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// It was built against an interface that this host does not have.
    #[error("the plugin was built against towpath:plugin@{found}, this host has {known}")]
    UnknownInterface {
        /// The version in the manifest.
        found: Version,
        /// The versions of this host.
        known: &'static str,
    },
    /// It says that it is of a kind whose interface it does not export.
    #[error("the plugin says it is a {kind}, but does not export {export}")]
    MissingExport {
        /// The kind.
        kind: Kind,
        /// The interface.
        export: String,
    },
    /// It is of no kind.
    #[error("the plugin is of no kind; known are target, gate, health")]
    NoKind,
}

impl Manifest {
    /// Reads the manifest of a component and checks it against the component's exports. Nothing of it is compiled or run.
    pub fn read(component: &[u8]) -> Result<Self, ManifestError> {
        let Found { section, exports } = Found::of(component)?;
        let manifest: Self = serde_json::from_slice(section.ok_or(ManifestError::Missing)?).map_err(ManifestError::Unreadable)?;
        if Spoken::of(&manifest.wit).is_none() {
            return Err(ManifestError::UnknownInterface { found: manifest.wit, known: words::KNOWN });
        }
        if manifest.kinds.is_empty() {
            return Err(ManifestError::NoKind);
        }
        for kind in &manifest.kinds {
            let export = format!("towpath:plugin/{kind}@{}", manifest.wit);
            if !exports.contains(&export.as_str()) {
                return Err(ManifestError::MissingExport { kind: *kind, export });
            }
        }
        Ok(manifest)
    }
}

/// What matters of a component's outermost level.
struct Found<'a> {
    section: Option<&'a [u8]>,
    exports: Vec<&'a str>,
}

impl<'a> Found<'a> {
    fn of(component: &'a [u8]) -> Result<Self, ManifestError> {
        let not_one = |error: wasmparser::BinaryReaderError| ManifestError::NotAComponent { message: error.to_string() };
        let mut found = Self { section: None, exports: Vec::new() };
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(not_one)? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(ManifestError::NotAComponent { message: "it is a core module".to_owned() });
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(custom) if depth == 0 && custom.name() == SECTION => found.section = Some(custom.data()),
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        let export = export.map_err(not_one)?;
                        if export.kind == ComponentExternalKind::Instance {
                            found.exports.push(export.name.name);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

impl Kind {
    /// Returns the kind's name, which is its interface's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Gate => "gate",
            Self::Health => "health",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
