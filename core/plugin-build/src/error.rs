//! Why a folder did not become a component.

use std::path::PathBuf;

/// Why a folder did not become a component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// This machine cannot compile for WebAssembly.
    #[error(
        "no Rust toolchain here can compile for wasm32-unknown-unknown: {why}\n\nhint: with rustup: `rustup target add \
         wasm32-unknown-unknown`\nhint: on Debian: `apt-get install rustc-web cargo-web rust-web-src lld-19`"
    )]
    NoToolchain {
        /// What was looked for and not found.
        why: String,
    },
    /// A program could not be started.
    #[error("{} cannot be started", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Cargo failed; its output says why.
    #[error("cargo failed for {}:\n{output}", .folder.display())]
    Cargo {
        /// The crate.
        folder: PathBuf,
        /// What cargo wrote.
        output: String,
    },
    /// Cargo's words could not be understood.
    #[error("cargo's answer about {} cannot be read: {why}", .folder.display())]
    CargoAnswer {
        /// The crate.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The crate does not say what it is.
    #[error("{} has no usable [package.metadata.towpath]: {why}", .folder.display())]
    Metadata {
        /// The crate.
        folder: PathBuf,
        /// What is missing.
        why: String,
    },
    /// The crate says that it is something else than it exports.
    #[error("Cargo.toml says the plugin is of kind {said}, the code exports {found}")]
    Kinds {
        /// The kinds in `Cargo.toml`.
        said: String,
        /// The kinds that are exported.
        found: String,
    },
    /// The module could not become a component.
    #[error("the module cannot be made a component: {why}")]
    Component {
        /// The encoder's words, with their causes.
        why: String,
    },
    /// The settings schema could not be had.
    #[error("the settings schema of the {kind} cannot be read from the module: {why}")]
    Schema {
        /// The kind.
        kind: String,
        /// Why.
        why: String,
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
    /// The folder holds nothing that can be built.
    #[error(
        "{} has neither a Cargo.toml nor a plugin.json\n\nhint: `towpath plugin new --kind gate --language javascript NAME` makes a \
         folder that can be built", .folder.display()
    )]
    NoPlugin {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds two things that could be meant.
    #[error("{} has both a Cargo.toml and a plugin.json; a plugin is one of them", .folder.display())]
    TwoPlugins {
        /// The folder.
        folder: PathBuf,
    },
    /// A `plugin.json` cannot be used.
    #[error("{} cannot be used: {why}", .path.display())]
    PluginFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The tool of a language is not there.
    #[error("there is no {program} in the plugin's folder, in those above it, or on the path\n\nhint: `{install}`")]
    NoTool {
        /// The program.
        program: &'static str,
        /// The line that installs it.
        install: &'static str,
    },
    /// The tool of a language failed; its output says why.
    #[error("{program} failed for {}:\n{output}", .folder.display())]
    Tool {
        /// The program.
        program: &'static str,
        /// The plugin's folder.
        folder: PathBuf,
        /// What it wrote.
        output: String,
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
