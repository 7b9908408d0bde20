//! Powers asked for, held against powers imported; and imports that no host answers.

use plugin_host::Manifest;
use semver::Version;

use super::{Anatomy, PowerLine};

/// The package of the contract.
const PACKAGE: &str = "towpath:plugin/";

/// Interfaces of the contract that are no powers.
const WORDS: [&str; 1] = ["types"];

/// Powers that every plugin has unless an operator takes them away: importing them without a word is no surprise.
const COMMON: [&str; 4] = ["clock", "log", "measure", "random"];

/// The packages of WASI that a host answers, with nothing in them: no files, no sockets, no environment.
const WASI: [&str; 6] = ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// The version of WASI that a host answers.
const WASI_VERSION: &str = "@0.2.";

/// Returns a sentence for each import that no host answers.
pub(super) fn unknown(anatomy: &Anatomy, wit: &Version) -> Vec<String> {
    let known = known(wit);
    let sentence = |import: &String| {
        let reason = match interface(import) {
            Some((name, _)) if known.contains(&name) => return None,
            Some(_) => format!("towpath:plugin@{wit} has {}", known.join(", ")),
            None if WASI.iter().any(|package| import.starts_with(package)) && import.contains(WASI_VERSION) => return None,
            None => {
                "a host has the powers of towpath:plugin, and of WASI 0.2 what every program needs, with nothing in it".to_owned()
            }
        };
        Some(format!("it imports {import}, which no host answers: {reason}"))
    };
    anatomy.imports.iter().filter_map(sentence).collect()
}

/// Returns the interfaces that a version of the contract lets a plugin import.
fn known(wit: &Version) -> Vec<&'static str> {
    // Earlier versions had fewer powers than those that the host names today.
    const FIRST: [&str; 5] = ["clock", "http", "log", "measure", "runtime"];
    const SINCE_THE_THIRD: [&str; 1] = ["telemetry"];
    let is_there = |power: &&str| match (wit.major, wit.minor) {
        (0, 1) => FIRST.contains(power),
        (0, 2) => !SINCE_THE_THIRD.contains(power),
        _ => true,
    };
    plugin_host::POWERS.into_iter().filter(is_there).chain(WORDS).collect()
}

/// Returns every power that is asked for or imported, by name.
pub(super) fn lines(anatomy: &Anatomy, manifest: &Manifest) -> Vec<PowerLine> {
    let imported: Vec<_> = anatomy
        .imports
        .iter()
        .filter_map(|import| interface(import))
        .map(|(name, _)| name)
        .filter(|name| !WORDS.contains(name))
        .collect();
    let mut names: Vec<_> = manifest.powers.keys().map(String::as_str).chain(imported.iter().copied()).collect();
    names.sort_unstable();
    names.dedup();
    let line = |name: &str| PowerLine {
        name: name.to_owned(),
        asked: manifest.powers.get(name).cloned(),
        imported: imported.contains(&name),
    };
    names.into_iter().map(line).collect()
}

/// Returns what is odd about them.
pub(super) fn warnings(manifest: &Manifest, powers: &[PowerLine]) -> Vec<String> {
    let mut warnings = Vec::new();
    for PowerLine { name, asked, imported } in powers {
        match (asked, imported) {
            (None, true) if !COMMON.contains(&name.as_str()) && plugin_host::POWERS.contains(&name.as_str()) => {
                warnings.push(format!("it imports the power `{name}`, but does not ask for it: every use will be refused"));
            }
            (Some(_), false) if plugin_host::POWERS.contains(&name.as_str()) => {
                warnings.push(format!(
                    "it asks for the power `{name}`, but never imports it: an operator would grant it for nothing"
                ));
            }
            (Some(_), false) => warnings.push(format!(
                "it asks for the power `{name}`, which there is not: known are {}",
                plugin_host::POWERS.join(", ")
            )),
            (Some(reason), true) if reason.trim().is_empty() => {
                warnings.push(format!("it gives no reason for the power `{name}`: an operator reads it before granting"));
            }
            (Some(_) | None, _) => {}
        }
    }
    if manifest.description.trim().is_empty() {
        warnings.push("it has no description: an operator sees nothing but its name".to_owned());
    }
    for kind in &manifest.kinds {
        match manifest.settings.get(kind) {
            None => warnings.push(format!("its manifest has no settings schema for the {kind}")),
            Some(schema) if schema.get("additionalProperties") != Some(&false.into()) => {
                warnings.push(format!(
                    "the settings of the {kind} may hold what nobody knows: their schema lacks `\"additionalProperties\": false`"
                ));
            }
            Some(_) => {}
        }
    }
    warnings
}

/// Takes `towpath:plugin/http@0.3.0` apart.
fn interface(import: &str) -> Option<(&str, &str)> {
    import.strip_prefix(PACKAGE)?.split_once('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(imports: &[&str], powers: &[(&str, &str)], expect: &[&str]) {
        let anatomy = Anatomy { imports: imports.iter().map(|&name| name.to_owned()).collect(), ..Anatomy::default() };
        let manifest = Manifest {
            name: "g".to_owned(),
            version: Version::new(0, 1, 0),
            description: "A gate.".to_owned(),
            wit: Version::new(0, 3, 0),
            kinds: vec![plugin_host::Kind::Gate],
            settings: [(plugin_host::Kind::Gate, serde_json::json!({ "additionalProperties": false }))].into(),
            powers: powers.iter().map(|&(name, reason)| (name.to_owned(), reason.to_owned())).collect(),
        };
        let mut found = unknown(&anatomy, &manifest.wit);
        found.extend(warnings(&manifest, &lines(&anatomy, &manifest)));
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (found, expect) in found.iter().zip(expect) {
            assert!(found.contains(expect), "{found}");
        }
    }

    #[test]
    fn what_is_asked_for_and_imported_is_fine() {
        check(&["towpath:plugin/http@0.3.0", "towpath:plugin/types@0.3.0"], &[("http", "asks a service")], &[]);
        check(&["towpath:plugin/log@0.3.0", "wasi:io/poll@0.2.9"], &[], &[]);
    }

    #[test]
    fn what_is_only_one_of_the_two_is_warned_of() {
        check(&["towpath:plugin/http@0.3.0"], &[], &["does not ask for it"]);
        check(&[], &[("http", "asks a service")], &["never imports it"]);
        check(&[], &[("telepathy", "knows")], &["which there is not"]);
        check(&["towpath:plugin/http@0.3.0"], &[("http", " ")], &["gives no reason"]);
    }

    #[test]
    fn imports_that_no_host_answers_are_named() {
        check(&["wasi:http/outgoing-handler@0.2.0"], &[], &["wasi:http/outgoing-handler@0.2.0, which no host answers"]);
        check(&["wasi:io/poll@0.3.0"], &[], &["wasi:io/poll@0.3.0"]);
        check(
            &["towpath:plugin/files@0.3.0"],
            &[],
            &["towpath:plugin/files@0.3.0, which no host answers: towpath:plugin@0.3.0 has artifact, clock"],
        );
        check(&["env"], &[], &["it imports env"]);
    }

    #[test]
    fn every_version_has_the_powers_of_its_folder() {
        for (minor, folder) in [(1, "0.1"), (2, "0.2"), (3, "0.3")] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/wit").join(folder).join("powers.wit");
            let text = std::fs::read_to_string(path).expect("a released folder");
            let mut interfaces: Vec<_> =
                text.lines().filter_map(|line| line.strip_prefix("interface ")?.strip_suffix(" {")).chain(WORDS).collect();
            let mut known = known(&Version::new(0, minor, 0));
            interfaces.sort_unstable();
            known.sort_unstable();
            assert_eq!(known, interfaces, "{folder}");
        }
    }
}
