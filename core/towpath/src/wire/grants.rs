//! What plugins may do.
//!
//! The first-party plugins are part of this program: whoever runs it grants them what `examples/grants.json` lists, in every
//! environment, unless a file of the operator's says otherwise. A grant belongs to the digest that is carried here; any other is
//! granted nothing that reaches outside, until an operator grants it at the server: those grants live in the catalog, come on top, and
//! are asked at every host call.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use api::PluginInfo;
use api::document::PluginGrantDocument;
use async_trait::async_trait;
use driver::GrantSource;
use engine::Clock;
use model::{Digest, EnvironmentName, InvalidName, Timestamp};
use plugin_host::{GrantView, Grants, GrantsInForce};
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

/// All grants as they stand now. Cheap to clone; all clones are one table.
#[derive(Clone)]
pub(crate) struct GrantTable(Arc<Table>);

struct Table {
    own: OwnPlugins,
    stored: RwLock<HashMap<Place, Stored>>,
    clock: Arc<dyn Clock>,
}

/// A digest, and where; without an environment, in all of them.
type Place = (Digest, Option<EnvironmentName>);

struct Stored {
    powers: Grants,
    expires_at: Option<Timestamp>,
}

impl GrantTable {
    /// Returns a table in which nothing is granted but to our own plugins.
    pub(crate) fn new(own: OwnPlugins, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Table { own, stored: RwLock::default(), clock }))
    }

    /// Lets these grants hold from the next host call on, and no others of the catalog.
    pub(crate) fn replace(&self, documents: &[PluginGrantDocument]) {
        let mut grants = HashMap::new();
        for document in documents {
            match stored(document) {
                Ok((place, grant)) => drop(grants.insert(place, grant)),
                // What cannot be read grants nothing.
                Err(why) => tracing::error!(plugin = document.plugin, digest = document.digest, why, "a grant cannot be read"),
            }
        }
        *self.0.stored.write().unwrap_or_else(PoisonError::into_inner) = grants;
    }
}

fn stored(document: &PluginGrantDocument) -> Result<(Place, Stored), String> {
    let digest = Digest::parse(&document.digest).map_err(|error| error.to_string())?;
    let environment = document.environment.as_deref().map(EnvironmentName::new).transpose().map_err(|error| error.to_string())?;
    let powers = serde_json::from_value(document.powers.clone()).map_err(|error| error.to_string())?;
    Ok(((digest, environment), Stored { powers, expires_at: document.expires_at_ms.map(Timestamp) }))
}

impl Table {
    /// Returns what is granted at this moment: to our own plugins by the file, and to all by the catalog.
    fn now(&self, digest: Digest, environment: &EnvironmentName) -> Grants {
        let now = self.clock.now();
        let stored = self.stored.read().unwrap_or_else(PoisonError::into_inner);
        let places = [(digest, Some(environment.clone())), (digest, None)];
        let in_force = places.iter().filter_map(|place| stored.get(place));
        let in_force = in_force.filter(|grant| grant.expires_at.is_none_or(|expires| now < expires));
        in_force.fold(self.own.of(digest, environment), |grants, more| grants.merged(&more.powers))
    }
}

/// The grants of one plugin in one environment, as they stand whenever they are asked for.
struct View {
    table: Arc<Table>,
    digest: Digest,
    environment: EnvironmentName,
}

impl GrantView for View {
    fn current(&self) -> Arc<Grants> {
        Arc::new(self.table.now(self.digest, &self.environment))
    }
}

#[async_trait]
impl GrantSource for GrantTable {
    async fn grants(&self, _plugin: &str, digest: Digest, environment: &EnvironmentName) -> GrantsInForce {
        let view = View { table: Arc::clone(&self.0), digest, environment: environment.clone() };
        GrantsInForce::live(Arc::new(view))
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
            settings_schemas: Vec::new(),
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

    struct At(std::sync::atomic::AtomicI64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.load(std::sync::atomic::Ordering::Relaxed))
        }
    }

    fn granted(
        digest: Digest,
        environment: Option<&str>,
        powers: serde_json::Value,
        expires: Option<i64>,
    ) -> PluginGrantDocument {
        PluginGrantDocument {
            form: 1,
            plugin: "stranger".to_owned(),
            digest: digest.to_string(),
            environment: environment.map(str::to_owned),
            powers,
            expires_at_ms: expires,
            granted_by: "user:owner".to_owned(),
            granted_at_ms: 0,
            reason: String::new(),
        }
    }

    #[tokio::test]
    async fn a_grant_holds_in_the_middle_of_a_call_until_it_is_revoked_or_runs_out() {
        let clock = Arc::new(At(1_000.into()));
        let table = GrantTable::new(OwnPlugins::new(&infos(), None).unwrap(), Arc::clone(&clock) as Arc<dyn Clock>);
        let stranger = Digest::parse(&format!("sha256:{}", "0".repeat(64))).unwrap();
        let in_force = table.grants("stranger", stranger, &environment("staging")).await;
        assert!(!in_force.current().runtime);
        let runtime = serde_json::json!({"runtime": true});
        table.replace(&[granted(stranger, Some("staging"), runtime.clone(), Some(2_000))]);
        assert!(in_force.current().runtime);
        assert!(!table.grants("stranger", stranger, &environment("production")).await.current().runtime);
        clock.0.store(2_000, std::sync::atomic::Ordering::Relaxed);
        assert!(!in_force.current().runtime, "it has run out");
        table.replace(&[granted(stranger, None, runtime, None)]);
        assert!(in_force.current().runtime, "everywhere is here as well");
        table.replace(&[granted(stranger, None, serde_json::json!({"telepathy": true}), None)]);
        assert!(!in_force.current().runtime, "what cannot be read grants nothing");
        table.replace(&[]);
        assert!(!in_force.current().runtime, "it was revoked");
        let own = table.grants("target-local", target_local(), &environment("staging")).await;
        assert!(own.current().runtime, "the file stays the floor");
    }
}
