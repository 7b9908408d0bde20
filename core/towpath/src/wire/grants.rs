//! What plugins may do.
//!
//! The first-party plugins are part of this program: whoever runs it grants them what `examples/grants.json` lists, in every
//! environment, unless a file of the operator's says otherwise. A grant belongs to the digest that is carried here; any other is
//! granted nothing that reaches outside.

use std::collections::HashMap;
use std::path::Path;

use api::PluginInfo;
use async_trait::async_trait;
use driver::GrantSource;
use model::{Digest, EnvironmentName, InvalidName};
use plugin_host::{Grants, GrantsInForce};
use serde::Deserialize;

use crate::failure::Failure;

/// What is granted when the operator names no file.
const BUILT_IN: &str = include_str!("../../../../examples/grants.json");

/// The largest file that is read: thousands of entries.
const BYTES_MAX: u64 = 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantFile {
    grants: Vec<Grant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    plugin: String,
    /// Where it holds; absent: wherever no other entry names the environment.
    environments: Option<Vec<String>>,
    powers: Grants,
}

/// The grants of our own plugins, by digest and environment; without an environment, for all others.
#[derive(Debug)]
pub(crate) struct OwnPlugins {
    grants: HashMap<(Digest, Option<EnvironmentName>), Grants>,
}

impl OwnPlugins {
    /// Returns the grants that a file lists, or the built-in ones, for the plugins that are carried.
    pub(crate) fn new(infos: &[PluginInfo], file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else { return Self::parse(infos, "the built-in grants", BUILT_IN) };
        let name = file.display().to_string();
        let cannot = |why: &dyn std::fmt::Display| Failure::new("TP0608", format!("{name} cannot be read: {why}")).usage();
        let bytes = std::fs::metadata(file).map_err(|error| cannot(&error))?.len();
        if bytes > BYTES_MAX {
            return Err(cannot(&format!("it has {bytes} bytes, at most {BYTES_MAX} are read")));
        }
        let text = std::fs::read_to_string(file).map_err(|error| cannot(&error))?;
        Self::parse(infos, &name, &text)
    }

    fn parse(infos: &[PluginInfo], name: &str, text: &str) -> Result<Self, Failure> {
        let wrong =
            |why: String| Failure::new("TP0608", format!("{name}: {why}")).usage().hint("examples/grants.json shows the form");
        let file: GrantFile = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let mut grants = HashMap::new();
        for grant in file.grants {
            let known = infos.iter().find(|info| info.name == grant.plugin);
            let Some(info) = known else {
                let names: Vec<&str> = infos.iter().map(|info| info.name.as_str()).collect();
                return Err(wrong(format!("there is no plugin {:?}; known are {}", grant.plugin, names.join(", "))));
            };
            for place in places(grant.environments).map_err(|error| wrong(error.to_string()))? {
                let where_to = place.as_ref().map_or_else(|| "all environments".to_owned(), ToString::to_string);
                if grants.insert((info.digest, place), grant.powers.clone()).is_some() {
                    return Err(wrong(format!("plugin {:?} has two entries for {where_to}", grant.plugin)));
                }
            }
        }
        Ok(Self { grants })
    }

    fn of(&self, digest: Digest, environment: &EnvironmentName) -> Grants {
        let named = self.grants.get(&(digest, Some(environment.clone())));
        named.or_else(|| self.grants.get(&(digest, None))).cloned().unwrap_or_default()
    }
}

/// Returns where an entry holds.
fn places(names: Option<Vec<String>>) -> Result<Vec<Option<EnvironmentName>>, InvalidName> {
    match names {
        None => Ok(vec![None]),
        Some(names) => names.iter().map(|name| EnvironmentName::new(name).map(Some)).collect(),
    }
}

#[async_trait]
impl GrantSource for OwnPlugins {
    async fn grants(&self, _plugin: &str, digest: Digest, environment: &EnvironmentName) -> GrantsInForce {
        self.of(digest, environment).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infos() -> Vec<PluginInfo> {
        let info = |bundled: &bundled_plugins::Bundled| PluginInfo {
            name: bundled.name.to_owned(),
            version: String::new(),
            digest: Digest::parse(bundled.digest).unwrap(),
            kinds: Vec::new(),
            powers: Vec::new(),
            settings_schema: String::new(),
            bytes: 0,
        };
        bundled_plugins::all().iter().map(info).collect()
    }

    fn target_local() -> Digest {
        infos().into_iter().find(|info| info.name == "target-local").unwrap().digest
    }

    fn environment(name: &str) -> EnvironmentName {
        EnvironmentName::new(name).unwrap()
    }

    fn refused(text: &str) -> String {
        OwnPlugins::parse(&infos(), "grants.json", text).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_list_is_of_plugins_that_are_carried() {
        let grants = OwnPlugins::new(&infos(), None).unwrap();
        assert!(grants.of(target_local(), &environment("production")).runtime);
        let stranger = Digest::parse(&format!("sha256:{}", "0".repeat(64))).unwrap();
        assert_eq!(grants.of(stranger, &environment("production")), Grants::default());
    }

    #[test]
    fn an_entry_for_an_environment_comes_before_the_one_for_all() {
        let text = r#"{"grants": [
            {"plugin": "target-local", "powers": {"runtime": true}},
            {"plugin": "target-local", "environments": ["production"], "powers": {}}]}"#;
        let grants = OwnPlugins::parse(&infos(), "grants.json", text).unwrap();
        let runtime = |name| grants.of(target_local(), &environment(name)).runtime;
        assert_eq!((runtime("staging"), runtime("production")), (true, false));
    }

    #[test]
    fn mistakes_are_told_with_what_is_known() {
        let said = refused("{\"grants\": [\n  {\"plugin\": \"target-local\", \"power\": {}}]}");
        assert!(said.contains("`power`") && said.contains("line 2"), "{said}");
        let said = refused(r#"{"grants": [{"plugin": "target-moon", "powers": {}}]}"#);
        assert!(said.contains("target-moon") && said.contains("target-local"), "{said}");
        let twice = r#"{"plugin": "target-local", "powers": {}}"#;
        let said = refused(&format!(r#"{{"grants": [{twice}, {twice}]}}"#));
        assert!(said.contains("two entries"), "{said}");
    }
}
