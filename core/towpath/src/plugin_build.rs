//! `towpath plugin-build`: the same call that builds the first-party plugins.

use std::path::PathBuf;

use plugin_build::{Options, Output};

use crate::args::PluginBuildOptions;
use crate::failure::{self, Failure};

pub(crate) async fn run(options: &PluginBuildOptions) -> Result<(), Failure> {
    let folder = options.folder.clone();
    let build = move || plugin_build::build(&folder, &Options { output: Output::Show, ..Options::default() });
    let built = tokio::task::spawn_blocking(build).await.map_err(|error| Failure::of("TP0606", &error))?;
    let built = built.map_err(|error| Failure::new("TP0606", failure::chain(&error)))?;
    let file = options.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.wasm", built.manifest.name)));
    std::fs::write(&file, &built.component)
        .map_err(|error| Failure::new("TP0401", format!("{} cannot be written: {error}", file.display())))?;
    tracing::info!(file = %file.display(), bytes = built.component.len(), digest = built.digest, "built");
    Ok(())
}
