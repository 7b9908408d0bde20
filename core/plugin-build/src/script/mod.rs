//! Plugins in languages whose own tools make components: a folder with a `plugin.json`.
//!
//! What it is: the tool of the language is found and started, with a world that imports only the powers that the plugin asks for; the
//! manifest is then put into the component that came out, as for a crate. What it is not: an installer. A tool that is missing is
//! an error that says how to get it.

mod file;
mod javascript;
mod python;
mod seal;
mod tool;
mod world;

use std::path::Path;

use crate::{BuildError, Manifest, Options};

pub use file::{FILE, Language};

/// Builds the plugin in a folder with a `plugin.json`.
pub(crate) fn build(folder: &Path, options: &Options) -> Result<(Vec<u8>, Manifest), BuildError> {
    let said = file::read(folder)?;
    let temporary = |source| BuildError::Write { path: std::env::temp_dir(), source };
    let work = tempfile::tempdir().map_err(temporary)?;
    world::write(&work.path().join(world::FOLDER), &said)?;
    let output = work.path().join("component.wasm");
    let job = tool::Job { folder, source: &said.source, wit: &work.path().join(world::FOLDER), output: &output, options };
    match said.language {
        Language::JavaScript => javascript::componentize(&job)?,
        Language::Python => python::componentize(&job)?,
    }
    let component = std::fs::read(&output).map_err(|source| BuildError::Read { path: output, source })?;
    seal::seal(folder, component, said)
}
