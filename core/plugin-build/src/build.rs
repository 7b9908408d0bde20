//! The whole way from a folder to a component.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::{BuildError, Manifest, Toolchain, cargo, component, materials, schema, script};

/// How a plugin is built.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where cargo keeps what it compiled; `None`: `plugins` in the workspace's own target folder. Share it between plugins: the
    /// standard library and the SDK are compiled once per folder.
    pub target_dir: Option<PathBuf>,
    /// The same for a crate that belongs to no larger workspace, where `target_dir` says nothing: otherwise each such project
    /// compiles a standard library of its own. One project at a time builds there.
    pub shared_dir: Option<PathBuf>,
    /// Where the words of cargo and other tools go.
    pub output: Output,
    /// Whether `Cargo.lock` must be as it is.
    pub locked: bool,
    /// Folders where the tools of other languages are looked for first: before what is installed in the plugin's folder, and the path.
    pub tools: Vec<PathBuf>,
}

/// Where the words of cargo and other tools go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Kept, and part of the error if it fails.
    #[default]
    Keep,
    /// Shown on standard error as they come.
    Show,
}

/// A built plugin.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component, with its manifest in it.
    pub component: Vec<u8>,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The component's digest: "sha256:" and 64 hexadecimal digits.
    pub digest: String,
}

/// Builds the plugin in a folder: a crate by cargo, what has a `plugin.json` by the tool of its language.
///
/// Blocking: minutes at the first time, when a standard library is compiled as well.
pub fn build(folder: &Path, options: &Options) -> Result<Built, BuildError> {
    let is_crate = folder.join("Cargo.toml").is_file();
    let (component, manifest) = match folder.join(script::FILE).is_file() {
        true if is_crate => return Err(BuildError::TwoPlugins { folder: folder.to_owned() }),
        true => script::build(folder, options)?,
        false if is_crate => build_crate(folder, options)?,
        false => return Err(BuildError::NoPlugin { folder: folder.to_owned() }),
    };
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(&component)));
    Ok(Built { component, manifest, digest })
}

fn build_crate(folder: &Path, options: &Options) -> Result<(Vec<u8>, Manifest), BuildError> {
    let toolchain = Toolchain::find(folder)?;
    let package = cargo::package(&toolchain, folder)?;
    let (module, materials) = cargo::compile(&toolchain, folder, &package, options)?;
    let exports = component::exports(&module)?;
    let settings = exports.iter().map(|export| schema::settings(&module, export)).collect::<Result<_, _>>()?;
    let manifest = Manifest::of(folder, package, &exports, settings)?;
    let mut component = component::encode(&module, &manifest)?;
    materials::write(&materials, &mut component)?;
    Ok((component, manifest))
}
