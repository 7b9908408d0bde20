//! `towpath plugin build`: a folder becomes a component in a file.

use std::path::PathBuf;

use plugin_build::{Built, Output};

use crate::ToolError;

/// What is built, and how.
#[derive(Clone, Debug, Default)]
pub struct BuildOptions {
    /// The plugin's folder.
    pub folder: PathBuf,
    /// Where the component goes; the plugin's name and `.wasm` when nothing is said.
    pub output: Option<PathBuf>,
    /// Folders where tools are looked for first.
    pub tools: Vec<PathBuf>,
    /// Where cargo keeps what it compiled.
    pub target_dir: Option<PathBuf>,
    /// The same for projects that belong to no larger workspace, where nothing else is said.
    pub shared_dir: Option<PathBuf>,
}

/// Builds the plugin, writes the component and returns it with the file's name. Blocking.
pub fn build(options: &BuildOptions) -> Result<(Built, PathBuf), ToolError> {
    let how = plugin_build::Options {
        target_dir: options.target_dir.clone(),
        shared_dir: options.shared_dir.clone(),
        output: Output::Show,
        locked: false,
        tools: options.tools.clone(),
    };
    let built = plugin_build::build(&options.folder, &how)?;
    let file = options.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.wasm", built.manifest.name)));
    std::fs::write(&file, &built.component).map_err(|source| ToolError::Write { path: file.clone(), source })?;
    Ok((built, file))
}
