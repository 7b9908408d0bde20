//! JavaScript: `componentize-js` puts the source and an engine into one component.

use super::tool::{self, Job, Tool};
use super::world::WORLD;
use crate::BuildError;

/// Bytecode Alliance's tool; the version is the one that the tests use.
const TOOL: Tool = Tool {
    program: "componentize-js",
    folders: &["node_modules/.bin"],
    install: "npm install --save-dev @bytecodealliance/componentize-js@0.23.0",
};

/// What the engine would import of WASI; a plugin has powers instead, and without these it imports nothing else.
const WITHOUT: [&str; 5] = ["random", "http", "fetch-event", "clocks", "stdio"];

pub(super) fn componentize(job: &Job<'_>) -> Result<(), BuildError> {
    let mut command = TOOL.command(job)?;
    // The tool takes the world's folder only as seen from the folder that it works in.
    let absolute =
        |path: &std::path::Path| std::fs::canonicalize(path).map_err(|source| BuildError::Read { path: path.to_owned(), source });
    let wit = tool::relative(&absolute(job.folder)?, &absolute(job.wit)?);
    command.arg(job.source).arg("--wit").arg(wit).args(["--world-name", WORLD]).arg("--out").arg(job.output);
    for feature in WITHOUT {
        command.args(["--disable", feature]);
    }
    TOOL.run(command, job)
}
