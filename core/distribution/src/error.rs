//! What can be wrong with a plugin that travels, sorted by whose fault it is.

use std::path::PathBuf;

/// Whose fault an error is: decides prefix, exit code and status at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Whoever named the plugin, or made it.
    User,
    /// The operator's files: registries, trust, credentials.
    Configuration,
    /// Registries and networks.
    World,
}

/// A plugin that cannot be fetched, trusted, published or read. Every case names both values that disagree.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user's: not a reference.
    #[error("`{text}` is not a reference: {why}; one reads like registry.example:5000/team/plugin:1.2.0@sha256:…")]
    Reference {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// The operator's: a file of settings that cannot be used.
    #[error("{file} cannot be used: {why}", file = file.display())]
    Config {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The user's: the registry answered, and has no such thing.
    #[error("{what} is not there; asked: {}", asked.join(", "))]
    NotFound {
        /// What was looked for.
        what: String,
        /// Who was asked.
        asked: Vec<String>,
    },
    /// The operator's: the registry refuses whoever asks.
    #[error("{place} refuses ({status}): {why}")]
    Denied {
        /// The registry.
        place: String,
        /// The status that it answered with.
        status: u16,
        /// What can be done about it.
        why: String,
    },
    /// The world's: nobody could be reached, or nobody made sense.
    #[error("{what} cannot be had: {}", tried.join("; "))]
    Unreachable {
        /// What was asked for.
        what: String,
        /// Who was asked, with the answer of each.
        tried: Vec<String>,
    },
    /// The world's: somebody gave other bytes than were asked for.
    #[error("{place} gave {what} with the digest {found}, asked for was {expected}")]
    Digest {
        /// Who gave it.
        place: String,
        /// What it should have been.
        what: String,
        /// The digest that was asked for.
        expected: String,
        /// The digest of what came.
        found: String,
    },
    /// The user's: more than this host takes.
    #[error("{what} from {place} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Who gave it.
        place: String,
        /// What it is.
        what: String,
        /// How much is taken, in bytes.
        limit: u64,
    },
    /// The user's: it is there, and is no plugin.
    #[error("{what} is not a plugin: {why}")]
    NotAPlugin {
        /// What was looked at.
        what: String,
        /// What it is instead.
        why: String,
    },
    /// The operator's: no rule speaks of the reference.
    #[error("no rule of the trust covers {reference}; there are rules for: {}", if patterns.is_empty() { "nothing".to_owned() } else { patterns.join(", ") })]
    NoRule {
        /// What was to be loaded.
        reference: String,
        /// The patterns that there are.
        patterns: Vec<String>,
    },
    /// The user's: nobody signed it.
    #[error("{reference} is not signed; the trust asks for a signature by one of: {}", wanted.join(", "))]
    Unsigned {
        /// What was to be loaded.
        reference: String,
        /// Who would have been believed.
        wanted: Vec<String>,
    },
    /// The user's: signed, but by nobody who is trusted, or not properly.
    #[error("no signature of {reference} is by one of {}: {}", wanted.join(", "), problems.join("; "))]
    Untrusted {
        /// What was to be loaded.
        reference: String,
        /// Who would have been believed.
        wanted: Vec<String>,
        /// What is wrong with each signature.
        problems: Vec<String>,
    },
    /// The user's: a key that cannot sign or verify.
    #[error("the key cannot be used: {why}")]
    Key {
        /// What is wrong with it.
        why: String,
    },
    /// The user's: a folder that is not a layout, or cannot be read or written.
    #[error("the folder {path} cannot be used: {why}", path = path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The user's: a list of materials that cannot be read.
    #[error("the list of materials in {place} cannot be read: {why}")]
    Sbom {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    /// Returns whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Reference { .. }
            | Self::NotFound { .. }
            | Self::TooLarge { .. }
            | Self::NotAPlugin { .. }
            | Self::Unsigned { .. }
            | Self::Untrusted { .. }
            | Self::Key { .. }
            | Self::Folder { .. }
            | Self::Sbom { .. } => Fault::User,
            Self::Config { .. } | Self::Denied { .. } | Self::NoRule { .. } => Fault::Configuration,
            Self::Unreachable { .. } | Self::Digest { .. } => Fault::World,
        }
    }
}
