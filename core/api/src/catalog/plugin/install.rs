//! Installing a component, and letting one that asks for more take over its name.

use journal::StoreError;
use model::{Actor, Digest};
use towpath_proto::v1;

use super::{Act, Which, hold, record, refreshed, view};
use crate::document::{self, PluginDocument, PluginGrantDocument, PluginNameDocument};
use crate::error::ApiError;
use crate::ports::{Fetched, PluginInfo};
use crate::{Api, request};

/// Installs what a reference names.
pub(super) async fn install(api: &Api, by: Actor, asked: v1::InstallPluginRequest) -> Result<v1::Plugin, ApiError> {
    let reference = request::text("reference", &asked.reference)?;
    let mut fetched = api.plugins.fetch(&reference).await?;
    if !asked.digest.is_empty() && Digest::parse(&asked.digest)? != fetched.info.digest {
        let found = fetched.info.digest.to_string();
        return Err(ApiError::OtherComponent { reference, found, wanted: asked.digest });
    }
    if !asked.name.is_empty() {
        fetched.info.name = asked.name;
    }
    // Names of plugins follow the rule of services' names: they are parts of keys.
    let name = model::ServiceName::new(&fetched.info.name)?.to_string();
    if api.plugins.is_own(&name) {
        return Err(ApiError::OwnPlugin { name });
    }
    if asked.check_only {
        return Ok(view::fetched(api, &fetched));
    }
    let which = Which { name, digest: fetched.info.digest };
    // Whoever removes the same digest would take its bytes away.
    let held = hold::arrive(api, "an installation of it", &which.name, which.digest).await?;
    let written = held_install(api, &by, &fetched, &which).await;
    held.release(api).await?;
    written?;
    refreshed(api).await?;
    view::one(api, &which).await
}

/// Keeps the bytes, and only then lets anybody know of them.
async fn held_install(api: &Api, by: &Actor, fetched: &Fetched, which: &Which) -> Result<(), ApiError> {
    api.plugins.keep(fetched).await?;
    if let Some(materials) = fetched.materials.clone() {
        document::keep_materials(&*api.handle.store(), which.digest, materials, api.clock.now()).await?;
    }
    let written = write(api, by, fetched).await?;
    let moved = take_over(api, &fetched.info).await?;
    if written || moved {
        let what = format!("from {}, asking for {}", fetched.source, names(&fetched.info).join(", "));
        record(api, by, which, Act { act: "install", what, ..Act::default() }).await?;
    }
    Ok(())
}

/// Writes the installation down; returns whether it was not there before.
async fn write(api: &Api, by: &Actor, fetched: &Fetched) -> Result<bool, ApiError> {
    let (now, info) = (api.clock.now(), &fetched.info);
    let installed = PluginDocument {
        form: document::FORM,
        name: info.name.clone(),
        digest: info.digest.to_string(),
        version: info.version.clone(),
        kinds: info.kinds.clone(),
        powers: info.powers.clone(),
        source: fetched.source.clone(),
        manifest_digest: fetched.manifest_digest.clone(),
        signed_by: fetched.signed_by.clone(),
        bytes: info.bytes,
        installed_by: by.name.clone(),
        installed_at_ms: now.0,
    };
    let key = format!("{}/{}", installed.name, installed.digest);
    match api.handle.store().put(document::PLUGIN, &key, &document::write(&installed), Some(0), now).await {
        Ok(_) => Ok(true),
        Err(StoreError::RevisionMoved { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Lets a digest take over its name, unless it asks for more than the one before; returns whether the name stands for it only now.
async fn take_over(api: &Api, info: &PluginInfo) -> Result<bool, ApiError> {
    let store = api.handle.store();
    let Some(entry) = store.get(document::PLUGIN_NAME, &info.name).await? else {
        point(api, &info.name, info.digest, 0).await?;
        return Ok(true);
    };
    let current: PluginNameDocument = document::read(document::PLUGIN_NAME, &entry)?;
    let key = format!("{}/{}", info.name, current.digest);
    let (before, _) = document::find::<PluginDocument>(&*store, document::PLUGIN, &key).await?;
    let asks_for_more = info.powers.iter().any(|(power, _)| before.powers.iter().all(|(had, _)| had != power));
    if asks_for_more || current.digest == info.digest.to_string() {
        return Ok(false);
    }
    inherit(api, &current.digest, info.digest).await?;
    point(api, &info.name, info.digest, entry.revision).await?;
    Ok(true)
}

/// Lets a waiting digest take over its name; asked again it changes nothing.
pub(super) async fn approve(api: &Api, by: Actor, asked: v1::GetRequest) -> Result<v1::Plugin, ApiError> {
    let which = match asked.name.contains('@') {
        true => Which::find(api, &asked.name).await?,
        false => the_waiting_one(api, &asked.name).await?,
    };
    activate(api, &by, &which).await?;
    refreshed(api).await?;
    view::one(api, &which).await
}

/// Lets a digest take over its name and the grants of the one before.
pub(super) async fn activate(api: &Api, by: &Actor, which: &Which) -> Result<(), ApiError> {
    let store = api.handle.store();
    if api.plugins.is_own(&which.name) {
        return Ok(());
    }
    let entry = store.get(document::PLUGIN_NAME, &which.name).await?;
    let mut revision = 0;
    if let Some(entry) = entry {
        let current: PluginNameDocument = document::read(document::PLUGIN_NAME, &entry)?;
        if current.digest == which.digest.to_string() {
            return Ok(());
        }
        inherit(api, &current.digest, which.digest).await?;
        revision = entry.revision;
    }
    point(api, &which.name, which.digest, revision).await?;
    record(api, by, which, Act { act: "approve", what: "the name stands for it".to_owned(), ..Act::default() }).await
}

/// Returns the digest of a name that was installed last and waits.
async fn the_waiting_one(api: &Api, name: &str) -> Result<Which, ApiError> {
    let kept = document::plugins_kept(&*api.handle.store()).await?;
    let current = kept.names.iter().find(|known| known.name == name).map(|known| known.digest.as_str());
    let others = kept.installed.iter().filter(|plugin| plugin.name == name && Some(plugin.digest.as_str()) != current);
    let waiting = others.filter(|plugin| view::state(plugin, &kept) == "waiting").max_by_key(|plugin| plugin.installed_at_ms);
    match waiting {
        Some(plugin) => Ok(Which { name: name.to_owned(), digest: Digest::parse(&plugin.digest)? }),
        None => Which::find(api, name).await,
    }
}

/// Writes down what a name stands for.
async fn point(api: &Api, name: &str, digest: Digest, expected: u64) -> Result<(), ApiError> {
    let document = PluginNameDocument { form: document::FORM, name: name.to_owned(), digest: digest.to_string() };
    let text = document::write(&document);
    api.handle.store().put(document::PLUGIN_NAME, name, &text, Some(expected), api.clock.now()).await?;
    Ok(())
}

/// Gives a digest the grants of another, where it has none of its own.
async fn inherit(api: &Api, from: &str, to: Digest) -> Result<(), ApiError> {
    let (store, now) = (api.handle.store(), api.clock.now());
    for entry in store.list(document::PLUGIN_GRANT, &format!("{from}/")).await? {
        let mut grant: PluginGrantDocument = document::read(document::PLUGIN_GRANT, &entry)?;
        grant.digest = to.to_string();
        let key = document::grant_key(&grant.digest, grant.environment.as_deref());
        match store.put(document::PLUGIN_GRANT, &key, &document::write(&grant), Some(0), now).await {
            Ok(_) | Err(StoreError::RevisionMoved { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Returns the names of the powers that a plugin asks for.
fn names(info: &PluginInfo) -> Vec<String> {
    info.powers.iter().map(|(power, _)| power.clone()).collect()
}
