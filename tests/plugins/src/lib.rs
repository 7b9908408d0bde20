//! Builds the plugins in `examples/` for the tests, each once, with the tools that `.ci/setup tests` brings.
//!
//! JavaScript and Python take some ten seconds each, so what was built is kept in cargo's target folder under a hash of all that it was
//! made of. What this crate is not: a way to build plugins; that is `plugin-build`, which it calls.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// The line that brings the tools.
const INSTALL: &str = "run `.ci/setup tests`";

/// Where things are, for an integration test.
#[derive(Clone, Debug)]
pub struct Workshop {
    target: PathBuf,
}

impl Workshop {
    /// Returns the workshop of a test: `temporary` is `env!("CARGO_TARGET_TMPDIR")`.
    pub fn at(temporary: &str) -> Self {
        let target = Path::new(temporary).parent().expect("cargo's folder for tests lies in its target folder");
        Self { target: target.to_owned() }
    }

    /// Returns the folders of the tools of other languages.
    pub fn tools(&self) -> Vec<PathBuf> {
        let tools = self.target.join("plugin-tools");
        let folders = vec![tools.join("node_modules/.bin"), tools.join("venv/bin")];
        for (folder, program) in folders.iter().zip(["componentize-js", "componentize-py"]) {
            assert!(folder.join(program).exists(), "{program} is not in {}: {INSTALL}", folder.display());
        }
        folders
    }

    /// Returns the folder where guests in Rust are compiled: the same as the first-party plugins, whose standard library is there already.
    pub fn guests(&self) -> PathBuf {
        self.target.join("plugins")
    }

    /// Returns the folder where hosts keep what they compiled: a component of Python takes many seconds in an unoptimised build.
    pub fn compiled(&self) -> PathBuf {
        self.target.join("plugins-compiled")
    }

    /// Returns how plugins are built here.
    pub fn options(&self) -> plugin_build::Options {
        plugin_build::Options { target_dir: Some(self.guests()), tools: self.tools(), ..plugin_build::Options::default() }
    }

    /// Returns the component of a folder; a plugin in Rust is left to cargo, which knows what changed.
    pub fn build(&self, folder: &Path) -> Vec<u8> {
        let build = || {
            plugin_build::build(folder, &self.options()).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).component
        };
        if !folder.join(plugin_build::PLUGIN_FILE).is_file() {
            return build();
        }
        let kept = self.target.join("plugins-built");
        fs::create_dir_all(&kept).expect("a folder in cargo's own can be made");
        let file = kept.join(format!("{}.wasm", hash(folder)));
        // One build at a time: tests of several programs may want the same, and a build takes both cores.
        let lock = fs::File::create(kept.join("lock")).expect("a file in our own folder can be made");
        lock.lock().expect("a file of our own can be locked");
        if let Ok(component) = fs::read(&file) {
            return component;
        }
        let component = build();
        let unfinished = file.with_extension("new");
        fs::write(&unfinished, &component).expect("written");
        fs::rename(&unfinished, &file).expect("renamed");
        component
    }

    /// Returns the component of a plugin in `examples/`.
    pub fn example(&self, name: &str) -> Vec<u8> {
        self.build(&workspace().join("examples").join(name))
    }
}

/// Returns the folder of the repository.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns a hash of the plugin's own files and of the contract.
fn hash(folder: &Path) -> String {
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a plugin's folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let mut hasher = Sha256::new();
    for file in files.iter().filter(|file| file.is_file()) {
        hasher.update(file.file_name().expect("a name").as_encoded_bytes());
        hasher.update(fs::read(file).expect("a readable file"));
    }
    for file in plugin_build::wit::files() {
        hasher.update(file.text);
    }
    hex::encode(hasher.finalize())
}
