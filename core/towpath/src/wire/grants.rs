//! What plugins may do.
//!
//! The first-party plugins are part of this program: whoever runs it grants them what `grants.json` lists, in every environment. A
//! grant belongs to the digest that is carried here; any other is granted nothing that reaches outside.

use std::collections::HashMap;

use api::PluginInfo;
use async_trait::async_trait;
use driver::GrantSource;
use model::{Digest, EnvironmentName};
use plugin_host::Grants;
use serde::Deserialize;

use crate::failure::Failure;

/// The list, as it is compiled in.
const GRANTS: &str = include_str!("grants.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantFile {
    grants: Vec<Grant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    plugin: String,
    powers: Grants,
}

/// The grants of our own plugins, by digest.
pub(crate) struct OwnPlugins {
    grants: HashMap<Digest, Grants>,
}

impl OwnPlugins {
    /// Returns the listed grants for the plugins that are carried.
    pub(crate) fn new(infos: &[PluginInfo]) -> Result<Self, Failure> {
        let file: GrantFile = serde_json::from_str(GRANTS).map_err(|error| Failure::of("TP0605", &error))?;
        let digest = |plugin: &str| infos.iter().find(|info| info.name == plugin).map(|info| info.digest);
        let listed = file.grants.into_iter().filter_map(|grant| Some((digest(&grant.plugin)?, grant.powers)));
        Ok(Self { grants: listed.collect() })
    }
}

#[async_trait]
impl GrantSource for OwnPlugins {
    async fn grants(&self, _plugin: &str, digest: Digest, _environment: &EnvironmentName) -> Grants {
        self.grants.get(&digest).cloned().unwrap_or_default()
    }
}
