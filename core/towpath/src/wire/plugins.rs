//! The plugins that this program carries, those that operators installed, and the API's view of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use api::document::{PluginDocument, PluginsKept};
use api::{FetchError, Fetched, LatestUse, Materials, PluginInfo, PluginUsage, Plugins, PluginsError};
use async_trait::async_trait;
use driver::{PluginDriver, Registry};
use engine::Clock;
use journal::Store;
use model::{BasisPoints, Digest};
use path::TargetDescriptor;
use plugin_host::{Grants, Manifest, PluginHost, PowerCounts, UseOutcome};

use super::components::{Components, Unloaded};
use super::grants::GrantTable;
use super::sources::materials_in;
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

pub(super) fn info(name: &str, digest: Digest, manifest: &Manifest, bytes: usize) -> PluginInfo {
    PluginInfo {
        name: name.to_owned(),
        version: manifest.version.to_string(),
        digest,
        kinds: manifest.kinds.iter().map(ToString::to_string).collect(),
        powers: manifest.powers.iter().map(|(power, reason)| (power.clone(), reason.clone())).collect(),
        settings_schemas: manifest.settings.iter().map(|(kind, schema)| (kind.to_string(), schema.to_string())).collect(),
        bytes: bytes as u64,
    }
}

fn latest(latest: plugin_host::LatestUse) -> LatestUse {
    let plugin_host::LatestUse { used, caller } = latest;
    let (outcome, why) = match used.outcome {
        UseOutcome::Done => ("done", used.told),
        UseOutcome::Failed(why) => ("failed", why),
        UseOutcome::Refused(why) => ("refused", why),
    };
    LatestUse {
        power: used.power.to_owned(),
        what: used.what,
        outcome,
        why,
        at_ms: used.at_ms,
        elapsed_us: used.elapsed_us,
        deployment: caller.deployment,
        service: caller.service,
        environment: caller.environment,
    }
}

/// The plugins, as the API asks for them.
pub(crate) struct Catalog {
    /// Those that this program carries.
    pub(crate) own: Vec<PluginInfo>,
    pub(crate) driver: Arc<PluginDriver>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) grants: GrantTable,
    pub(crate) registry: Registry,
    pub(crate) components: Components,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) installed: Installed,
}

/// What was installed, as the catalog said last.
#[derive(Default)]
pub(crate) struct Installed {
    known: RwLock<Known>,
    /// One at a time takes over what the catalog says: an older answer must not come after a newer one.
    taking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    infos: HashMap<Digest, PluginInfo>,
    names: HashMap<String, Digest>,
    problems: HashMap<Digest, String>,
}

/// How often the catalog is asked what other servers were told. A grant or its end holds there after this time and one question.
const POLL_EVERY: Duration = Duration::from_secs(2);

/// Takes over what the catalog says, again and again, as long as anybody needs it.
pub(crate) async fn poll_catalog(catalog: Weak<Catalog>) {
    loop {
        tokio::time::sleep(POLL_EVERY).await;
        let Some(catalog) = catalog.upgrade() else { return };
        if let Err(error) = catalog.refresh().await {
            tracing::warn!(error, "installed plugins and grants stay as they were known last");
        }
    }
}

impl Catalog {
    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.installed.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Known> {
        self.installed.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads what is installed and not loaded yet; what cannot be loaded is set aside with its reason.
    async fn load(&self, plugin: &PluginDocument, digest: Digest) {
        let settled = {
            let known = self.known();
            known.infos.contains_key(&digest) || known.problems.contains_key(&digest)
        };
        if settled {
            return;
        }
        match self.components.load(digest, self.clock.now()).await {
            Ok((loaded, bytes)) => {
                let info = info(&plugin.name, digest, loaded.manifest(), bytes);
                self.registry.add(digest, loaded);
                self.change().infos.insert(digest, info);
            }
            Err(Unloaded::Unusable(why)) => {
                tracing::error!(plugin = plugin.name, %digest, why, "an installed plugin cannot be used");
                self.change().problems.insert(digest, why);
            }
            Err(Unloaded::NotNow(why)) => {
                tracing::warn!(plugin = plugin.name, %digest, why, "an installed plugin could not be read; it is tried again");
            }
        }
    }

    /// Lets names stand for what the catalog says, and lets go of what was removed.
    fn arrange(&self, kept: &PluginsKept) -> Vec<Digest> {
        let installed: HashSet<Digest> = kept.installed.iter().filter_map(|plugin| Digest::parse(&plugin.digest).ok()).collect();
        let own: HashMap<String, Digest> = self.own.iter().map(|info| (info.name.clone(), info.digest)).collect();
        let keep: HashSet<Digest> = installed.iter().chain(own.values()).copied().collect();
        let mut known = self.change();
        let named = kept.names.iter().filter_map(|name| Some((name.name.clone(), Digest::parse(&name.digest).ok()?)));
        known.names = named.filter(|(name, digest)| !own.contains_key(name) && known.infos.contains_key(digest)).collect();
        let gone = known.infos.keys().filter(|digest| !installed.contains(digest)).copied().collect();
        known.infos.retain(|digest, _| installed.contains(digest));
        known.problems.retain(|digest, _| installed.contains(digest));
        self.registry.arrange(known.names.clone().into_iter().chain(own).collect(), &keep);
        gone
    }
}

#[async_trait]
impl Plugins for Catalog {
    fn list(&self) -> Vec<PluginInfo> {
        let known = self.known();
        let named = |(name, digest): (&String, &Digest)| {
            known.infos.get(digest).map(|info| PluginInfo { name: name.clone(), ..info.clone() })
        };
        let mut all: Vec<PluginInfo> = self.own.iter().cloned().chain(known.names.iter().filter_map(named)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    fn by_digest(&self, digest: &Digest) -> Option<PluginInfo> {
        let own = self.own.iter().find(|info| info.digest == *digest).cloned();
        own.or_else(|| self.known().infos.get(digest).cloned())
    }

    fn is_own(&self, name: &str) -> bool {
        self.own.iter().any(|info| info.name == name)
    }

    fn problem(&self, digest: &Digest) -> Option<String> {
        self.known().problems.get(digest).cloned()
    }

    fn own_materials(&self, digest: &Digest) -> Option<Materials> {
        let own = bundled_plugins::all().iter().find(|own| own.digest == digest.to_string())?;
        materials_in(own.component, own.name)
    }

    fn usage(&self, digest: &Digest) -> PluginUsage {
        let Some(plugin) = self.registry.by_digest(digest) else { return PluginUsage::default() };
        let usage = plugin.usage();
        let power =
            |(power, counts): (&'static str, PowerCounts)| (power.to_owned(), [counts.used, counts.failed, counts.refused]);
        PluginUsage {
            calls: usage.calls,
            failed: usage.failed,
            powers: usage.powers.into_iter().map(power).collect(),
            latest: usage.latest.into_iter().map(latest).collect(),
        }
    }

    fn grant(&self, powers: &str) -> Result<serde_json::Value, String> {
        let grants: Grants = serde_json::from_str(powers).map_err(|error| error.to_string())?;
        serde_json::to_value(&grants).map_err(|error| error.to_string())
    }

    async fn fetch(&self, reference: &str) -> Result<Fetched, FetchError> {
        self.components.fetch(reference).await
    }

    async fn keep(&self, fetched: &Fetched) -> Result<(), FetchError> {
        self.components.keep(fetched.info.digest, fetched.component.clone(), self.clock.now()).await?;
        // Whatever was wrong with the copy before is mended.
        self.change().problems.remove(&fetched.info.digest);
        Ok(())
    }

    async fn refresh(&self) -> Result<(), String> {
        let _taking = self.installed.taking.lock().await;
        let kept = api::document::plugins_of(&*self.store).await?;
        // Grants first: loading may take its time, a grant that was taken back may not.
        self.grants.replace(&kept.grants);
        for plugin in &kept.installed {
            match Digest::parse(&plugin.digest) {
                Ok(digest) => self.load(plugin, digest).await,
                Err(error) => tracing::error!(plugin = plugin.name, %error, "an installed plugin cannot be used"),
            }
        }
        for gone in self.arrange(&kept) {
            self.components.forget(gone).await;
        }
        Ok(())
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
