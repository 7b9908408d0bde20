//! The inner cargo: what a package says, and its module.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use crate::materials::Material;
use crate::toolchain::TARGET;
use crate::{BuildError, Options, Output, Toolchain, materials};

/// How guests are compiled: a plugin is loaded and compiled again for the machine it runs on, so it should be small, and nobody
/// unwinds in a sandbox.
const PROFILE: [&str; 6] = [
    r#"profile.release.opt-level="s""#,
    r#"profile.release.lto="fat""#,
    "profile.release.codegen-units=1",
    r#"profile.release.panic="abort""#,
    "profile.release.strip=true",
    "profile.release.debug=false",
];

/// The folder in the workspace's target folder where guests are compiled, unless another is given.
const GUESTS: &str = "plugins";

/// A package, as cargo describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) metadata: Value,
    manifest_path: PathBuf,
    #[serde(skip)]
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

/// Returns the package in a folder.
pub(crate) fn package(toolchain: &Toolchain, folder: &Path) -> Result<Package, BuildError> {
    let unreadable = |why: String| BuildError::CargoAnswer { folder: folder.to_owned(), why };
    let mut command = toolchain.cargo();
    command.current_dir(folder).args(["metadata", "--format-version", "1", "--no-deps"]);
    let answer = run(command, folder, Output::Keep)?;
    let metadata: Metadata = serde_json::from_slice(&answer).map_err(|error| unreadable(error.to_string()))?;
    let manifest = folder.join("Cargo.toml");
    let manifest = fs::canonicalize(&manifest).map_err(|source| BuildError::Read { path: manifest, source })?;
    let found = metadata.packages.into_iter().find(|package| package.manifest_path == manifest);
    let package = found.ok_or_else(|| unreadable("the folder holds no package".to_owned()))?;
    Ok(Package { target_directory: metadata.target_directory, ..package })
}

/// Compiles the package and returns its core module, with the crates that are in it.
pub(crate) fn compile(
    toolchain: &Toolchain,
    folder: &Path,
    package: &Package,
    options: &Options,
) -> Result<(Vec<u8>, BTreeSet<Material>), BuildError> {
    let (target_dir, shared) = target_dir(folder, package, options);
    // Two projects may have plugins of one name: the other one waits until the module has been read.
    let _alone = shared.then(|| alone(&target_dir)).transpose()?;
    let mut command = toolchain.cargo();
    command.current_dir(folder).args(["rustc", "--lib", "--crate-type", "cdylib", "--release", "--target", TARGET]);
    command.arg("--message-format=json-render-diagnostics").arg("--target-dir").arg(target_dir);
    // Debian's compiler and the one that the workspace names differ; what cannot be compiled says so itself.
    command.arg("--ignore-rust-version").args(toolchain.build_arguments());
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    if options.locked {
        command.arg("--locked");
    }
    let answer = run(command, folder, options.output)?;
    let path = artifact(&answer, package)
        .ok_or_else(|| BuildError::CargoAnswer { folder: folder.to_owned(), why: "it names no module".to_owned() })?;
    let module = fs::read(&path).map_err(|source| BuildError::Read { path, source })?;
    Ok((module, materials::linked(&answer, &package.manifest_path.to_string_lossy())))
}

/// Returns where cargo keeps what it compiles, and whether other projects do so there.
fn target_dir(folder: &Path, package: &Package, options: &Options) -> (PathBuf, bool) {
    let own = package.target_directory.join(GUESTS);
    match (&options.target_dir, &options.shared_dir) {
        (Some(named), _) => (named.clone(), false),
        (None, Some(shared)) => {
            let is_alone = fs::canonicalize(folder).is_ok_and(|folder| folder.join("target") == package.target_directory);
            if is_alone { (shared.clone(), true) } else { (own, false) }
        }
        (None, None) => (own, false),
    }
}

/// Waits until no other project builds in a folder; it is ours until the file is dropped.
fn alone(target_dir: &Path) -> Result<File, BuildError> {
    let path = target_dir.join("towpath.lock");
    let locked = fs::create_dir_all(target_dir).and_then(|()| File::create(&path)).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|source| BuildError::Write { path, source })
}

/// Returns the module that cargo's messages name for the package.
fn artifact(messages: &[u8], package: &Package) -> Option<PathBuf> {
    let lines = messages.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let manifest = package.manifest_path.to_str()?;
    let ours = lines.filter(|message| message["reason"] == "compiler-artifact" && message["manifest_path"] == manifest);
    let files = ours.flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default());
    files.filter_map(|file| file.as_str().map(PathBuf::from)).find(|file| file.extension().is_some_and(|end| end == "wasm"))
}

fn run(mut command: Command, folder: &Path, output: Output) -> Result<Vec<u8>, BuildError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(if output == Output::Show { Stdio::inherit() } else { Stdio::piped() });
    let program = PathBuf::from(command.get_program());
    let finished = command.output().map_err(|source| BuildError::Start { program, source })?;
    if finished.status.success() {
        return Ok(finished.stdout);
    }
    let output = String::from_utf8_lossy(&finished.stderr).trim_end().to_owned();
    Err(BuildError::Cargo { folder: folder.to_owned(), output })
}
