//! A plugin's page.

use towpath_proto::v1;

use super::Which;
use crate::Api;
use crate::document::{self, PluginDocument, PluginGrantDocument, PluginsKept};
use crate::error::ApiError;
use crate::ports::{Fetched, LatestUse, Material, Materials, PluginInfo};

/// Its name stands for it.
const CURRENT: &str = "current";
/// It asks for more than the one before, and was not approved.
const WAITING: &str = "waiting";
/// Its name stands for another, and it asks for no more than that.
const OLDER: &str = "older";
/// It cannot be used on this server.
const UNUSABLE: &str = "unusable";

/// Returns all plugins with all their digests, by name.
pub(super) async fn all(api: &Api) -> Result<Vec<v1::Plugin>, ApiError> {
    let kept = document::plugins_kept(&*api.handle.store()).await?;
    let own = api.plugins.list().into_iter().filter(|info| api.plugins.is_own(&info.name));
    let own = own.map(|info| Page { api, kept: &kept }.of(info, None));
    let installed = kept.installed.iter().map(|plugin| page(api, &kept, plugin));
    let mut plugins: Vec<v1::Plugin> = own.map(Ok).chain(installed).collect::<Result<_, ApiError>>()?;
    plugins.sort_by(|a, b| (&a.name, &a.state, &a.digest).cmp(&(&b.name, &b.state, &b.digest)));
    Ok(plugins)
}

/// Returns one plugin.
pub(super) async fn one(api: &Api, which: &Which) -> Result<v1::Plugin, ApiError> {
    let kept = document::plugins_kept(&*api.handle.store()).await?;
    let digest = which.digest.to_string();
    let found = kept.installed.iter().find(|plugin| plugin.name == which.name && plugin.digest == digest);
    let page = match found {
        Some(plugin) => page(api, &kept, plugin)?,
        None => {
            let own = api.plugins.by_digest(&which.digest);
            let own = own.ok_or_else(|| ApiError::NotKnown { what: "plugin", name: which.name.clone(), known: Vec::new() })?;
            Page { api, kept: &kept }.of(own, None)
        }
    };
    let latest = api.plugins.usage(&which.digest).latest;
    let told = document::materials_of(&*api.handle.store(), which.digest).await?;
    let told = told.or_else(|| api.plugins.own_materials(&which.digest));
    Ok(v1::Plugin { latest_uses: latest.into_iter().map(latest_use).collect(), materials: told.map(materials), ..page })
}

fn materials(told: Materials) -> v1::Materials {
    let Materials { format, list, more } = told;
    let material = |Material { name, version, purl, licence }| v1::Material { name, version, purl, licence };
    v1::Materials { format, materials: list.into_iter().map(material).collect(), more }
}

fn latest_use(used: LatestUse) -> v1::PowerUse {
    let LatestUse { power, what, outcome, why, at_ms, elapsed_us, deployment, service, environment } = used;
    v1::PowerUse { power, what, outcome: outcome.to_owned(), why, at_ms, elapsed_us, deployment, service, environment }
}

/// Returns a plugin that was fetched and not installed.
pub(super) fn fetched(api: &Api, fetched: &Fetched) -> v1::Plugin {
    let current = api.plugins.list().into_iter().find(|info| info.name == fetched.info.name);
    let had = current.map(|info| info.powers).unwrap_or_default();
    let new_powers = fetched.info.powers.iter().filter(|(power, _)| !had.iter().any(|(known, _)| known == power));
    v1::Plugin {
        source: fetched.source.clone(),
        manifest_digest: fetched.manifest_digest.clone().unwrap_or_default(),
        signed_by: fetched.signed_by.clone(),
        materials: fetched.materials.clone().map(materials),
        new_powers: new_powers.map(|(power, _)| power.clone()).collect(),
        ..plain(fetched.info.clone())
    }
}

/// Returns how an installed digest stands.
pub(super) fn state(plugin: &PluginDocument, kept: &PluginsKept) -> &'static str {
    let current = kept.names.iter().find(|known| known.name == plugin.name);
    match current {
        Some(current) if current.digest == plugin.digest => CURRENT,
        _ if new_powers(plugin, kept).is_empty() => OLDER,
        _ => WAITING,
    }
}

/// Returns what a digest asks for and the one that its name stands for does not.
fn new_powers(plugin: &PluginDocument, kept: &PluginsKept) -> Vec<String> {
    let current = kept.names.iter().find(|known| known.name == plugin.name);
    let current = current
        .and_then(|current| kept.installed.iter().find(|other| other.name == plugin.name && other.digest == current.digest));
    let had = |power: &String| current.is_some_and(|current| current.powers.iter().any(|(known, _)| known == power));
    plugin.powers.iter().map(|(power, _)| power.clone()).filter(|power| !had(power)).collect()
}

fn page(api: &Api, kept: &PluginsKept, plugin: &PluginDocument) -> Result<v1::Plugin, ApiError> {
    let digest = model::Digest::parse(&plugin.digest)?;
    let schemas = api.plugins.by_digest(&digest).map(|info| info.settings_schemas).unwrap_or_default();
    let info = PluginInfo {
        name: plugin.name.clone(),
        version: plugin.version.clone(),
        digest,
        kinds: plugin.kinds.clone(),
        powers: plugin.powers.clone(),
        settings_schemas: schemas,
        bytes: plugin.bytes,
    };
    Ok(Page { api, kept }.of(info, Some(plugin)))
}

struct Page<'a> {
    api: &'a Api,
    kept: &'a PluginsKept,
}

impl Page<'_> {
    fn of(&self, info: PluginInfo, installed: Option<&PluginDocument>) -> v1::Plugin {
        let usage = self.api.plugins.usage(&info.digest);
        let power = |(power, [used, failed, refused]): (String, [u64; 3])| v1::PowerUsage { power, used, failed, refused };
        let digest = info.digest.to_string();
        let grants = self.kept.grants.iter().filter(|grant| grant.digest == digest);
        let problem = self.api.plugins.problem(&info.digest).unwrap_or_default();
        let state = match (installed, problem.as_str()) {
            (None, _) => CURRENT,
            (Some(plugin), "") => state(plugin, self.kept),
            (Some(_), _) => UNUSABLE,
        };
        v1::Plugin {
            state: state.to_owned(),
            source: installed.map(|plugin| plugin.source.clone()).unwrap_or_default(),
            manifest_digest: installed.and_then(|plugin| plugin.manifest_digest.clone()).unwrap_or_default(),
            signed_by: installed.map(|plugin| plugin.signed_by.clone()).unwrap_or_default(),
            installed_by: installed.map(|plugin| plugin.installed_by.clone()).unwrap_or_default(),
            installed_at_ms: installed.map(|plugin| plugin.installed_at_ms).unwrap_or_default(),
            grants: grants.map(|grant| self.grant(grant)).collect(),
            calls: usage.calls,
            failed_calls: usage.failed,
            usage: usage.powers.into_iter().map(power).collect(),
            problem,
            new_powers: installed.map(|plugin| new_powers(plugin, self.kept)).unwrap_or_default(),
            ..plain(info)
        }
    }

    fn grant(&self, grant: &PluginGrantDocument) -> v1::PluginGrant {
        v1::PluginGrant {
            environment: grant.environment.clone().unwrap_or_default(),
            powers: grant.powers.to_string(),
            expires_at_ms: grant.expires_at_ms.unwrap_or_default(),
            granted_by: grant.granted_by.clone(),
            granted_at_ms: grant.granted_at_ms,
            reason: grant.reason.clone(),
            expired: grant.expires_at_ms.is_some_and(|expires| expires <= self.api.clock.now().0),
        }
    }
}

fn plain(info: PluginInfo) -> v1::Plugin {
    v1::Plugin {
        name: info.name,
        version: info.version,
        digest: info.digest.to_string(),
        kinds: info.kinds,
        powers: info.powers.into_iter().map(|(name, reason)| v1::Power { name, reason }).collect(),
        settings_schema: info.settings_schemas.first().map(|(_, schema)| schema.clone()).unwrap_or_default(),
        settings_schemas: info.settings_schemas.into_iter().map(|(kind, schema)| v1::SettingsSchema { kind, schema }).collect(),
        size: info.bytes,
        ..v1::Plugin::default()
    }
}
