//! The files of a repository, as texts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use crate::rust::Source;

/// Folders that hold nothing an author wrote.
const SKIPPED: [&str; 3] = [".git", "target", "__pycache__"];

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path, relative to the repository, with `/` between the parts.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl File {
    /// Returns the file's name without its folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Returns the file's folder; empty for a file at the top.
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Returns its lines with their numbers, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Returns whether the whole file is test code.
    pub fn is_test(&self) -> bool {
        let in_crate = self.path.strip_prefix("tests/").unwrap_or(&self.path);
        in_crate.contains("/tests/") || matches!(self.name(), "tests.rs")
    }
}

/// All files that hold text.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, File>,
}

impl Tree {
    /// Reads a repository: what git knows or would add, or every file where there is no git. Files that are not text are left out.
    ///
    /// # Errors
    /// Returns the error of a folder or file that cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        for path in listed(root).map_or_else(|| walked(root), Ok)? {
            // git lists files that were deleted since, and symbolic links to folders.
            if !root.join(&path).is_file() {
                continue;
            }
            if let Ok(text) = String::from_utf8(fs::read(root.join(&path))?) {
                files.push((path, text));
            }
        }
        Ok(Self::of(files))
    }

    /// Returns a tree of paths and texts.
    pub fn of<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let files = files.into_iter().map(|(path, text)| File { path: path.into(), text: text.into() });
        Self { files: files.map(|file| (file.path.clone(), file)).collect() }
    }

    /// Returns all files, by path.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// Returns one file.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Returns the files with an ending like `.md`.
    pub fn ending(&self, ending: &'static str) -> impl Iterator<Item = &File> {
        self.files().filter(move |file| file.path.ends_with(ending))
    }

    /// Returns the Rust files, each read as code.
    pub fn rust(&self) -> impl Iterator<Item = (&File, Source)> {
        self.ending(".rs").map(|file| (file, Source::of(&file.text)))
    }

    /// Returns whether there is a file, or a folder with a file in it.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains_key(path)
            || self.files.range(folder.clone()..).next().is_some_and(|(found, _)| found.starts_with(&folder))
    }
}

fn listed(root: &Path) -> Option<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

fn walked(root: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let (kind, path) = (entry.file_type()?, folder.join(entry.file_name()));
            if kind.is_dir() && !SKIPPED.iter().any(|skipped| path.ends_with(skipped)) {
                folders.push(path);
            } else if kind.is_file() {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_there_when_a_file_is_in_it() {
        let tree = Tree::of([("core/model/src/lib.rs", ""), ("core/modelling.md", "")]);
        assert!(tree.has("core/model") && tree.has("core/model/") && tree.has("core/modelling.md"));
        assert!(!tree.has("core/mode"));
    }

    #[test]
    fn crates_of_the_tests_folder_are_not_test_code_themselves() {
        let file = |path: &str| File { path: path.to_owned(), text: String::new() };
        assert!(file("core/engine/tests/it/main.rs").is_test());
        assert!(file("tests/tidy/tests/it/main.rs").is_test());
        assert!(file("plugins/gate-junit/src/tests.rs").is_test());
        assert!(!file("tests/tidy/src/lib.rs").is_test());
    }
}
