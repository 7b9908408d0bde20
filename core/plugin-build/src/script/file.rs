//! `plugin.json`: what a plugin in another language says of itself.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use semver::Version;
use serde::Deserialize;
use serde_json::Value;

use crate::{BuildError, wit};

/// The file that says what a plugin is, beside its source.
pub const FILE: &str = "plugin.json";

/// A file larger than this is a mistake.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The longest name of a plugin.
const NAME_BYTES_MAX: usize = 64;

/// The kinds that there are.
const KINDS: [&str; 3] = ["gate", "health", "target"];

/// A language whose own tool makes components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// By `componentize-js`.
    JavaScript,
    /// By `componentize-py`.
    Python,
}

/// What stands in the file, checked.
#[derive(Clone, Debug)]
pub(crate) struct PluginFile {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) description: String,
    pub(crate) kinds: Vec<String>,
    pub(crate) powers: BTreeMap<String, String>,
    pub(crate) settings: BTreeMap<String, Value>,
    pub(crate) source: String,
    pub(crate) language: Language,
}

/// The file's form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
    version: Version,
    description: String,
    kinds: Vec<String>,
    #[serde(default)]
    powers: BTreeMap<String, String>,
    source: String,
    settings: BTreeMap<String, Value>,
}

/// Reads and checks the file of a folder.
pub(crate) fn read(folder: &Path) -> Result<PluginFile, BuildError> {
    let path = folder.join(FILE);
    let unreadable = |source| BuildError::Read { path: path.clone(), source };
    let unusable = |why: String| BuildError::PluginFile { path: path.clone(), why };
    let bytes = std::fs::metadata(&path).map_err(unreadable)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(unusable(format!("it has {bytes} bytes, at most {FILE_BYTES_MAX} are read")));
    }
    let text = std::fs::read(&path).map_err(unreadable)?;
    let form: Form = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
    let language = check(&form).map_err(unusable)?;
    if !folder.join(&form.source).is_file() {
        return Err(unusable(format!("its source {} is not there", form.source)));
    }
    let Form { name, version, description, mut kinds, powers, source, settings } = form;
    kinds.sort();
    Ok(PluginFile { name, version, description, kinds, powers, settings, source, language })
}

/// Returns the language, or what is wrong with the file.
fn check(form: &Form) -> Result<Language, String> {
    check_name(&form.name)?;
    if form.kinds.is_empty() {
        return Err(format!("`kinds` is empty; known are {}", KINDS.join(", ")));
    }
    for (at, kind) in form.kinds.iter().enumerate() {
        if !KINDS.contains(&kind.as_str()) {
            return Err(format!("there is no kind `{kind}`; known are {}", KINDS.join(", ")));
        }
        if form.kinds[..at].contains(kind) {
            return Err(format!("the kind `{kind}` is said twice"));
        }
        match form.settings.get(kind) {
            Some(Value::Object(_)) => {}
            Some(_) => return Err(format!("`settings.{kind}` is not a JSON Schema: expected an object")),
            None => return Err(format!("`settings.{kind}` is missing: the JSON Schema of its settings")),
        }
    }
    if let Some(kind) = form.settings.keys().find(|kind| !form.kinds.contains(kind)) {
        return Err(format!("`settings.{kind}` describes a kind that is not in `kinds`"));
    }
    let powers = wit::powers();
    if let Some(unknown) = form.powers.keys().find(|power| !powers.contains(&power.as_str())) {
        return Err(format!("there is no power `{unknown}`; known are {}", powers.join(", ")));
    }
    check_source(&form.source)
}

/// A name becomes a file's name, a line of a table and a key of grants.
fn check_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-');
    if fits {
        return Ok(());
    }
    Err(format!("the name {name:?} must be 1 to {NAME_BYTES_MAX} of a-z, 0-9 and -, beginning with a letter"))
}

fn check_source(source: &str) -> Result<Language, String> {
    let path = Path::new(source);
    if path.as_os_str().is_empty() || !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(format!("the source {source:?} must be a path in the folder, without `..`"));
    }
    match path.extension().and_then(|end| end.to_str()) {
        Some("js" | "mjs") => Ok(Language::JavaScript),
        Some("py") => Ok(Language::Python),
        _ => Err(format!("the source {source:?} is in no language that is known by its ending: .js, .mjs or .py")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a folder with this file and an empty `gate.js`.
    fn check(change: impl Fn(&mut Value), expect: Result<&str, &str>) {
        let mut file = serde_json::json!({
            "name": "g", "version": "0.1.0", "description": "", "kinds": ["gate"], "powers": {}, "source": "gate.js",
            "settings": { "gate": {} }
        });
        change(&mut file);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FILE), file.to_string()).expect("written");
        std::fs::write(folder.path().join("gate.js"), "").expect("written");
        match (read(folder.path()), expect) {
            (Ok(found), Ok(name)) => assert_eq!(found.name, name),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{error}"),
            (found, _) => panic!("{file} gave {found:?}"),
        }
    }

    #[test]
    fn what_it_says_is_read() {
        check(|_| {}, Ok("g"));
    }

    #[test]
    fn what_does_not_fit_is_named_with_what_would() {
        check(|file| file["kind"] = "gate".into(), Err("unknown field `kind`"));
        check(|file| file["name"] = "../g".into(), Err("a-z, 0-9 and -"));
        check(
            |file| file["kinds"] = serde_json::json!(["check"]),
            Err("there is no kind `check`; known are gate, health, target"),
        );
        check(|file| file["kinds"] = serde_json::json!(["gate", "gate"]), Err("said twice"));
        check(|file| file["kinds"] = serde_json::json!(["gate", "health"]), Err("`settings.health` is missing"));
        check(|file| file["settings"]["health"] = serde_json::json!({}), Err("not in `kinds`"));
        check(|file| file["powers"]["files"] = "reads".into(), Err("there is no power `files`; known are artifact, clock"));
        check(|file| file["source"] = "../gate.js".into(), Err("without `..`"));
        check(|file| file["source"] = "/gate.js".into(), Err("without `..`"));
        check(|file| file["source"] = "gate.rb".into(), Err(".js, .mjs or .py"));
        check(|file| file["source"] = "other.js".into(), Err("other.js is not there"));
    }
}
