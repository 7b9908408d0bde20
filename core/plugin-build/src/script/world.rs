//! The world that a component is built against: the contract, cut down to the kinds and powers that `plugin.json` names.
//!
//! The tools of these languages import everything that a world names, used or not. With the whole world, a component's imports would say
//! nothing about what it does.

use std::fmt::Write as _;
use std::path::Path;

use super::file::PluginFile;
use crate::{BuildError, wit};

/// The folder of the world, in the work folder.
pub(super) const FOLDER: &str = "wit";

/// The world's name. Python cannot build a module that has the name of its world, so it is none that a person would choose.
pub(super) const WORLD: &str = "towpath-plugin-world";

/// The powers that every plugin has unless an operator takes them away; nobody has to ask for them.
const COMMON: [&str; 4] = ["clock", "log", "measure", "random"];

/// Writes the world's files to a new folder.
pub(super) fn write(folder: &Path, said: &PluginFile) -> Result<(), BuildError> {
    let failed = |source| BuildError::Write { path: folder.to_owned(), source };
    std::fs::create_dir(folder).map_err(failed)?;
    for file in wit::files().iter().filter(|file| file.name != "worlds.wit") {
        std::fs::write(folder.join(file.name), file.text).map_err(failed)?;
    }
    std::fs::write(folder.join("world.wit"), world(said)).map_err(failed)
}

fn world(said: &PluginFile) -> String {
    let mut text = format!("package towpath:plugin@{};\n\nworld {WORLD} {{\n", wit::VERSION);
    let asked = said.powers.keys().map(String::as_str).filter(|power| !COMMON.contains(power));
    for power in COMMON.into_iter().chain(asked) {
        writeln!(text, "    import {power};").expect("BUG: a text takes every line");
    }
    for kind in &said.kinds {
        writeln!(text, "    export {kind};").expect("BUG: a text takes every line");
    }
    text.push_str("}\n");
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::script::Language;

    #[test]
    fn a_world_has_the_powers_that_are_asked_for_and_those_that_everybody_has() {
        let said = PluginFile {
            name: "g".to_owned(),
            version: semver::Version::new(0, 1, 0),
            description: String::new(),
            kinds: vec!["gate".to_owned(), "health".to_owned()],
            powers: BTreeMap::from([("clock".to_owned(), String::new()), ("http".to_owned(), String::new())]),
            settings: BTreeMap::new(),
            source: "g.js".to_owned(),
            language: Language::JavaScript,
        };
        let lines: Vec<_> = world(&said).lines().skip(3).map(|line| line.trim().to_owned()).collect();
        let expected = [
            "import clock;",
            "import log;",
            "import measure;",
            "import random;",
            "import http;",
            "export gate;",
            "export health;",
            "}",
        ];
        assert_eq!(lines, expected);
    }
}
