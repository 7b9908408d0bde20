//! Granting and revoking.

use model::{Actor, EnvironmentName};
use towpath_proto::v1;

use super::{Act, Which, install, record, refreshed, view};
use crate::document::{self, PluginGrantDocument};
use crate::error::ApiError;
use crate::{Api, limits, request};

/// Grants powers; what was granted there before is replaced.
pub(super) async fn grant(api: &Api, by: Actor, asked: v1::GrantPluginRequest) -> Result<v1::Plugin, ApiError> {
    let environment = environment(&asked.environment)?;
    let reason = request::text("reason", &asked.reason)?;
    let now = api.clock.now();
    if asked.powers.len() > limits::GRANT_BYTES_MAX {
        return Err(ApiError::TooLarge { field: "powers", found: asked.powers.len(), limit: limits::GRANT_BYTES_MAX });
    }
    if asked.expires_at_ms != 0 && asked.expires_at_ms <= now.0 {
        let (found, expected) = (asked.expires_at_ms.to_string(), format!("an instant after now ({})", now.0));
        return Err(ApiError::Field { field: "expires_at_ms", found, expected });
    }
    let powers = api.plugins.grant(&asked.powers).map_err(ApiError::Grant)?;
    let which = Which::find(api, &asked.name).await?;
    let document = PluginGrantDocument {
        form: document::FORM,
        plugin: which.name.clone(),
        digest: which.digest.to_string(),
        environment: environment.clone(),
        powers,
        expires_at_ms: (asked.expires_at_ms != 0).then_some(asked.expires_at_ms),
        granted_by: by.name.clone(),
        granted_at_ms: now.0,
        reason: reason.clone(),
    };
    // The record first: a grant that nobody can account for must not exist.
    let what = format!("{} in {}", asked.powers, place(environment.as_deref()));
    record(api, &by, &which, Act { act: "grant", what, environment: Some(recorded(environment.as_deref())), reason }).await?;
    let key = document::grant_key(&document.digest, environment.as_deref());
    api.handle.store().put(document::PLUGIN_GRANT, &key, &document::write(&document), None, now).await?;
    // Whoever grants a waiting digest powers has read what it asks for.
    install::activate(api, &by, &which).await?;
    refreshed(api).await?;
    view::one(api, &which).await
}

/// Takes a grant back, or one power of it. A name without a digest means all its digests: what runs with an older one is meant too.
pub(super) async fn revoke(api: &Api, by: Actor, asked: v1::RevokePluginRequest) -> Result<v1::Plugin, ApiError> {
    let environment = environment(&asked.environment)?;
    let reason = request::text("reason", &asked.reason)?;
    let which = Which::find(api, &asked.name).await?;
    let mut meant = vec![which.digest.to_string()];
    if !asked.name.contains('@') {
        let kept = document::plugins_kept(&*api.handle.store()).await?;
        meant.extend(kept.installed.into_iter().filter(|other| other.name == which.name).map(|other| other.digest));
        meant.sort();
        meant.dedup();
    }
    let mut revoked = 0;
    for digest in meant {
        revoked += u32::from(take_back(api, &digest, environment.as_deref(), &asked.power).await?);
    }
    // It holds before anything else can go wrong.
    api.plugins.refresh().await.map_err(ApiError::Broken)?;
    let place = place(environment.as_deref());
    if revoked == 0 {
        let name = format!("{} in {place}", which.name);
        return Err(ApiError::NotKnown { what: "grant", name, known: granted(api, &which).await? });
    }
    let what = if asked.power.is_empty() { "everything" } else { &asked.power };
    let what = format!("{what} in {place}");
    record(api, &by, &which, Act { act: "revoke", what, environment: Some(recorded(environment.as_deref())), reason }).await?;
    view::one(api, &which).await
}

/// Takes back one digest's grant; returns whether there was one.
async fn take_back(api: &Api, digest: &str, environment: Option<&str>, power: &str) -> Result<bool, ApiError> {
    let (store, now) = (api.handle.store(), api.clock.now());
    let key = document::grant_key(digest, environment);
    let Some(entry) = store.get(document::PLUGIN_GRANT, &key).await? else { return Ok(false) };
    if power.is_empty() {
        return Ok(store.remove(document::PLUGIN_GRANT, &key).await?);
    }
    let mut grant: PluginGrantDocument = document::read(document::PLUGIN_GRANT, &entry)?;
    let nothing = match grant.powers.get(power) {
        Some(serde_json::Value::Bool(_)) => serde_json::Value::Bool(false),
        Some(_) => serde_json::Value::Null,
        None => return Err(ApiError::Grant(format!("there is no power {power:?}; known are {}", known(&grant)))),
    };
    grant.powers[power] = nothing;
    store.put(document::PLUGIN_GRANT, &key, &document::write(&grant), Some(entry.revision), now).await?;
    Ok(true)
}

/// Returns where a plugin was granted anything.
async fn granted(api: &Api, which: &Which) -> Result<Vec<String>, ApiError> {
    let prefix = format!("{}/", which.digest);
    let entries = api.handle.store().list(document::PLUGIN_GRANT, &prefix).await?;
    Ok(entries.iter().map(|entry| entry.key.trim_start_matches(&prefix).to_owned()).collect())
}

fn known(grant: &PluginGrantDocument) -> String {
    let powers = grant.powers.as_object().into_iter().flatten().map(|(power, _)| power.as_str());
    powers.collect::<Vec<_>>().join(", ")
}

fn environment(name: &str) -> Result<Option<String>, ApiError> {
    match name {
        "" => Ok(None),
        name => Ok(Some(EnvironmentName::new(name)?.to_string())),
    }
}

/// Returns how a record names an environment.
fn recorded(environment: Option<&str>) -> String {
    environment.unwrap_or(document::ALL_ENVIRONMENTS).to_owned()
}

fn place(environment: Option<&str>) -> &str {
    environment.unwrap_or("all environments")
}
