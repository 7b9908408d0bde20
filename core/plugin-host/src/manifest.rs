//! What a component says of itself: data in a custom section, read without running anything.

use std::collections::BTreeMap;
use std::fmt;

use crate::Limits;
use crate::transcript::is_deceptive;
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
    /// It carries more than one: two readers could take different ones.
    #[error("the component has {found} sections `{SECTION}`, wanted one")]
    Several {
        /// How many.
        found: usize,
    },
    /// It is larger than a manifest may be.
    #[error("the component's manifest has {found} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Its size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A name or a sentence in it is not fit to be shown, or to be part of a file's name.
    #[error("the component's manifest has {what} {found:?}, wanted {wanted}")]
    Unfit {
        /// What.
        what: &'static str,
        /// Its beginning.
        found: String,
        /// What it must look like.
        wanted: &'static str,
    },
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
        Self::read_within(component, Limits::default().manifest_bytes)
    }

    /// The same, with a limit of the manifest's size: a value in memory takes many times its text.
    pub(crate) fn read_within(component: &[u8], limit: usize) -> Result<Self, ManifestError> {
        let Found { sections, exports } = Found::of(component)?;
        let section = match sections.as_slice() {
            [] => return Err(ManifestError::Missing),
            [section] if section.len() > limit => return Err(ManifestError::TooLarge { found: section.len(), limit }),
            [section] => *section,
            several => return Err(ManifestError::Several { found: several.len() }),
        };
        let manifest: Self = serde_json::from_slice(section).map_err(ManifestError::Unreadable)?;
        manifest.check_words()?;
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

    /// Finds words that could rewrite a terminal, leave a folder or fill a screen.
    fn check_words(&self) -> Result<(), ManifestError> {
        let unfit = |what, found: &str, wanted| {
            Err(ManifestError::Unfit { what, found: found.chars().take(SHOWN_CHARS).collect(), wanted })
        };
        if !is_name(&self.name) {
            return unfit("the name", &self.name, NAME_RULE);
        }
        if self.version.to_string().len() > NAME_BYTES_MAX {
            return unfit("the version", &self.version.to_string(), "at most 64 characters");
        }
        if !is_sentence(&self.description) {
            return unfit("the description", &self.description, SENTENCE_RULE);
        }
        if self.powers.len() > POWERS_MAX {
            return unfit("as its number of powers", &self.powers.len().to_string(), "at most 32");
        }
        for (power, reason) in &self.powers {
            if !is_name(power) {
                return unfit("the power", power, NAME_RULE);
            }
            if !is_sentence(reason) {
                return unfit("the reason", reason, SENTENCE_RULE);
            }
        }
        let times = |kind: &Kind| self.kinds.iter().filter(|found| *found == kind).count();
        match self.kinds.iter().find(|kind| times(kind) > 1) {
            Some(kind) => unfit("more than once the kind", kind.as_str(), "each kind once"),
            None => Ok(()),
        }
    }
}

/// The longest name of a plugin or a power, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The longest description or reason, in characters.
const SENTENCE_CHARS_MAX: usize = 500;

/// Powers that one plugin may ask for; the host has some ten.
const POWERS_MAX: usize = 32;

/// Characters of an unfit word that the error shows.
const SHOWN_CHARS: usize = 40;

/// What [`is_name`] asks for.
const NAME_RULE: &str = "1 to 64 lower-case letters, digits, `-` and `_`, beginning with a letter";

/// What [`is_sentence`] asks for.
const SENTENCE_RULE: &str = "at most 500 characters and no control characters";

/// Returns whether a word can be a name: in a file's name, on a command line, on a screen.
fn is_name(word: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    word.len() <= NAME_BYTES_MAX && word.starts_with(|first: char| first.is_ascii_lowercase()) && word.bytes().all(inner)
}

fn is_sentence(text: &str) -> bool {
    text.chars().count() <= SENTENCE_CHARS_MAX && !text.chars().any(is_deceptive)
}

/// What matters of a component's outermost level.
struct Found<'a> {
    sections: Vec<&'a [u8]>,
    exports: Vec<&'a str>,
}

impl<'a> Found<'a> {
    fn of(component: &'a [u8]) -> Result<Self, ManifestError> {
        let not_one = |error: wasmparser::BinaryReaderError| ManifestError::NotAComponent { message: error.to_string() };
        let mut found = Self { sections: Vec::new(), exports: Vec::new() };
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(not_one)? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(ManifestError::NotAComponent { message: "it is a core module".to_owned() });
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(custom) if depth == 0 && custom.name() == SECTION => found.sections.push(custom.data()),
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
