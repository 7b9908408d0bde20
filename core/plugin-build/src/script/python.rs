//! Python: `componentize-py` puts the modules and an interpreter into one component.

use std::path::Path;

use super::tool::{Job, Tool};
use super::world::WORLD;
use crate::BuildError;

/// Bytecode Alliance's tool; the version is the one that the tests use.
const TOOL: Tool = Tool {
    program: "componentize-py",
    folders: &[".venv/bin", "venv/bin"],
    install: "python3 -m pip install componentize-py==0.25.1",
};

pub(super) fn componentize(job: &Job<'_>) -> Result<(), BuildError> {
    let mut command = TOOL.command(job)?;
    command.arg("--quiet").arg("--wit-path").arg(job.wit).args(["--world", WORLD]);
    command.args(["componentize", &module(job.source)]).arg("--output").arg(job.output);
    // What was compiled for this machine's Python is of no use to the component's, and should not appear beside the source.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    TOOL.run(command, job)
}

/// Returns the module's name of a file: `checks/latency.py` is `checks.latency`.
fn module(source: &str) -> String {
    let path = Path::new(source).with_extension("");
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_module() {
        assert_eq!(module("app.py"), "app");
        assert_eq!(module("checks/latency.py"), "checks.latency");
    }
}
