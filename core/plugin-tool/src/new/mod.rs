//! `towpath plugin new`: a project that builds and passes its tests as it is.

mod javascript;
mod project;
mod python;
mod rust;

use std::path::{Path, PathBuf};

use plugin_host::Kind;

use crate::ToolError;
use project::Project;

/// The longest name of a plugin.
const NAME_BYTES_MAX: usize = 64;

/// What is made.
#[derive(Clone, Debug)]
pub struct NewOptions {
    /// The plugin's name; the last part is the folder's, which must not be there.
    pub folder: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// What it is written in.
    pub language: Language,
    /// The folder of towpath-sdk, for plugins in Rust; `None` names the version that a registry has.
    pub sdk: Option<PathBuf>,
}

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// With `towpath-sdk`.
    Rust,
    /// With `componentize-js`.
    JavaScript,
    /// With `componentize-py`.
    Python,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Made {
    /// The project's folder.
    pub folder: PathBuf,
    /// Its files, seen from the folder.
    pub files: Vec<String>,
    /// The commands that come next, to be given in the folder.
    pub next: Vec<String>,
}

/// Makes a project.
pub fn new(options: &NewOptions) -> Result<Made, ToolError> {
    let name = name(&options.folder)?;
    if options.folder.exists() {
        return Err(ToolError::Exists { folder: options.folder.clone() });
    }
    let project = match options.language {
        Language::Rust => rust::project(name, options.kind, options.sdk.as_deref())?,
        Language::JavaScript => javascript::project(name, options.kind),
        Language::Python => python::project(name, options.kind),
    };
    project.write(&options.folder)?;
    let Project { files, next } = project;
    Ok(Made { folder: options.folder.clone(), files: files.into_iter().map(|(name, _)| name).collect(), next })
}

/// A name becomes a crate, a file, a line of a table and a key of grants.
fn name(folder: &Path) -> Result<&str, ToolError> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let fits = name.len() <= NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-');
    if fits { Ok(name) } else { Err(ToolError::Name { name: name.to_owned() }) }
}
