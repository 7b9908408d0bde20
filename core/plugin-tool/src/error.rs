//! Why a command of the tool could not do its work.

use std::path::PathBuf;

/// Why a command of the tool could not do its work. What a plugin did wrong is no error here: it is what the tool finds.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The plugin could not be built.
    #[error(transparent)]
    Build(#[from] plugin_build::BuildError),
    /// The host could not be made.
    #[error(transparent)]
    Host(#[from] plugin_host::HostError),
    /// The component was not loaded.
    #[error(transparent)]
    Load(#[from] plugin_host::LoadError),
    /// A call cannot be read.
    #[error("the call cannot be read: {why}")]
    Call {
        /// What is wrong with it.
        why: String,
    },
    /// A case cannot be read.
    #[error("the case cannot be read: {why}")]
    Case {
        /// What is wrong with it.
        why: String,
    },
    /// The world that plugins prove themselves in could not be made.
    #[error("no server can be started on this machine's own address")]
    World {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The name of a new plugin is not one.
    #[error("the name {name:?} must be 1 to 64 of a-z, 0-9 and -, beginning with a letter")]
    Name {
        /// The name.
        name: String,
    },
    /// The folder of a new plugin is there already.
    #[error("{} is there already; choose another name, or move it away", .folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// What was given is no SDK.
    #[error("{} is not the folder of towpath-sdk: it has no Cargo.toml", .folder.display())]
    NoSdk {
        /// The folder.
        folder: PathBuf,
    },
    /// A file could not be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("{} cannot be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
