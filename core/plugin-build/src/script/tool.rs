//! Finding a language's tool and running it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output as Finished, Stdio};

use crate::{BuildError, Options, Output};

/// One run of a tool.
pub(super) struct Job<'a> {
    /// The plugin's folder.
    pub(super) folder: &'a Path,
    /// The source, in the folder.
    pub(super) source: &'a str,
    /// The folder of the world.
    pub(super) wit: &'a Path,
    /// Where the component goes.
    pub(super) output: &'a Path,
    /// How it is built.
    pub(super) options: &'a Options,
}

/// A language's tool.
pub(super) struct Tool {
    /// The program.
    pub(super) program: &'static str,
    /// The folders of programs that the language's package manager makes in a project.
    pub(super) folders: &'static [&'static str],
    /// The line that installs it.
    pub(super) install: &'static str,
}

impl Tool {
    /// Returns the command that starts the tool in the plugin's folder: from the folders in the options, from what was installed in the
    /// plugin's folder or one above it, or from the path.
    pub(super) fn command(&self, job: &Job<'_>) -> Result<Command, BuildError> {
        let folder =
            std::fs::canonicalize(job.folder).map_err(|source| BuildError::Read { path: job.folder.to_owned(), source })?;
        let mut command = Command::new(self.find(&folder, &job.options.tools));
        command.current_dir(folder).stdin(Stdio::null());
        Ok(command)
    }

    fn find(&self, folder: &Path, tools: &[PathBuf]) -> PathBuf {
        let given = tools.iter().map(|folder| folder.join(self.program));
        let installed = folder.ancestors().flat_map(|above| self.folders.iter().map(|bin| above.join(bin).join(self.program)));
        // What is started from another folder must be named from the root.
        let found =
            given.chain(installed).find(|program| program.is_file()).and_then(|program| std::path::absolute(program).ok());
        found.unwrap_or_else(|| PathBuf::from(self.program))
    }

    /// Runs the command to its end; its words go where the options say.
    pub(super) fn run(&self, mut command: Command, job: &Job<'_>) -> Result<(), BuildError> {
        let finished = match job.options.output {
            Output::Show => {
                // Standard output is for data; what tools say of their work is none.
                command.stdout(std::io::stderr()).stderr(Stdio::inherit());
                command.status().map(|status| Finished { status, stdout: Vec::new(), stderr: Vec::new() })
            }
            Output::Keep => command.output(),
        };
        let finished = finished.map_err(|source| match source.kind() {
            ErrorKind::NotFound => BuildError::NoTool { program: self.program, install: self.install },
            _ => BuildError::Start { program: PathBuf::from(command.get_program()), source },
        })?;
        if finished.status.success() {
            return Ok(());
        }
        let output = [finished.stdout, finished.stderr].concat();
        let output = String::from_utf8_lossy(&output).trim().to_owned();
        Err(BuildError::Tool { program: self.program, folder: job.folder.to_owned(), output })
    }
}

/// Returns the way from one absolute folder to another.
pub(super) fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(common).map(|_| "..");
    up.map(PathBuf::from).chain(to.components().skip(common).map(|part| PathBuf::from(part.as_os_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_between_folders_goes_over_what_they_share() {
        for (from, to, expected) in [("/a/b", "/a/c/d", "../c/d"), ("/a", "/a/b", "b"), ("/a/b", "/c", "../../c")] {
            assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(expected));
        }
    }

    #[test]
    fn a_tool_that_is_installed_in_the_project_wins_over_the_path() {
        const TOOL: Tool = Tool { program: "make-it", folders: &["node_modules/.bin"], install: "" };
        let project = tempfile::tempdir().expect("a folder");
        let plugin = project.path().join("plugins/one");
        std::fs::create_dir_all(&plugin).expect("a folder");
        assert_eq!(TOOL.find(&plugin, &[]), Path::new("make-it"));
        let installed = project.path().join("node_modules/.bin");
        std::fs::create_dir_all(&installed).expect("a folder");
        std::fs::write(installed.join("make-it"), "").expect("written");
        assert_eq!(TOOL.find(&plugin, &[]), installed.join("make-it"));
    }
}
