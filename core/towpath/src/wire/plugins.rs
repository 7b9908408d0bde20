//! The plugins that this program carries, and the API's view of them.

use std::sync::Arc;

use api::{PluginInfo, Plugins, PluginsError};
use async_trait::async_trait;
use driver::{PluginDriver, Registry};
use engine::Clock;
use model::{BasisPoints, Digest};
use path::TargetDescriptor;
use plugin_host::{Manifest, PluginHost};

use crate::failure::{self, Failure};

/// Loads the plugins that this program carries. Blocks: the first start compiles them.
pub(crate) fn load_bundled(host: &PluginHost, registry: &Registry) -> Result<Vec<PluginInfo>, Failure> {
    let load = |bundled: &bundled_plugins::Bundled| {
        let cannot = |error: &dyn std::error::Error| {
            Failure::new("TP0605", format!("plugin {} cannot be loaded: {}", bundled.name, failure::chain(error)))
        };
        let plugin = host.load(bundled.component).map_err(|error| cannot(&error))?;
        let digest = Digest::parse(bundled.digest).map_err(|error| cannot(&error))?;
        let info = info(bundled.name, digest, plugin.manifest(), bundled.component.len());
        registry.insert(bundled.name, digest, plugin);
        Ok(info)
    };
    bundled_plugins::all().iter().map(load).collect()
}

fn info(name: &str, digest: Digest, manifest: &Manifest, bytes: usize) -> PluginInfo {
    // A plugin of several kinds has one schema per kind; paths of today use each plugin as one kind.
    let schema = manifest.settings.values().next().map(ToString::to_string);
    PluginInfo {
        name: name.to_owned(),
        version: manifest.version.to_string(),
        digest,
        kinds: manifest.kinds.iter().map(ToString::to_string).collect(),
        powers: manifest.powers.iter().map(|(power, reason)| (power.clone(), reason.clone())).collect(),
        settings_schema: schema.unwrap_or_else(|| "{}".to_owned()),
        bytes: bytes as u64,
    }
}

/// The plugins, as the API asks for them.
pub(crate) struct Catalog {
    pub(crate) infos: Vec<PluginInfo>,
    pub(crate) driver: Arc<PluginDriver>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Plugins for Catalog {
    fn list(&self) -> Vec<PluginInfo> {
        self.infos.clone()
    }

    async fn describe_target(&self, name: &str, settings: &str) -> Result<TargetDescriptor, PluginsError> {
        let said = self.driver.describe(name, settings, self.clock.now()).await;
        let said = said.map_err(|error| PluginsError { plugin: name.to_owned(), message: failure::chain(&error) })?;
        let granularity = BasisPoints::new(said.weight_granularity_basis_points).ok_or_else(|| PluginsError {
            plugin: name.to_owned(),
            message: format!(
                "it sets weights in steps of {} basis points, at most 10000 exist",
                said.weight_granularity_basis_points
            ),
        })?;
        Ok(TargetDescriptor {
            weights: said.weights,
            weight_granularity: granularity,
            header_match: said.header_match,
            cookie_match: said.cookie_match,
            sticky: said.sticky,
            mirror: said.mirror,
            instant_switch: said.instant_switch,
        })
    }
}
