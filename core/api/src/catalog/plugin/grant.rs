//! Granting and revoking.

use model::{Actor, EnvironmentName};
use towpath_proto::v1;

use super::{Which, install, record, refreshed, view};
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
    record(api, &by, &which, "grant", what, reason).await?;
    let key = document::grant_key(&document.digest, environment.as_deref());
    api.handle.store().put(document::PLUGIN_GRANT, &key, &document::write(&document), None, now).await?;
    // Whoever grants a waiting digest powers has read what it asks for.
    install::activate(api, &by, &which).await?;
    refreshed(api).await?;
    view::one(api, &which).await
}

/// Takes a grant back, or one power of it.
pub(super) async fn revoke(api: &Api, by: Actor, asked: v1::RevokePluginRequest) -> Result<v1::Plugin, ApiError> {
    let (store, now) = (api.handle.store(), api.clock.now());
    let environment = environment(&asked.environment)?;
    let reason = request::text("reason", &asked.reason)?;
    let which = Which::find(api, &asked.name).await?;
    let key = document::grant_key(&which.digest.to_string(), environment.as_deref());
    let (mut grant, entry) = document::find::<PluginGrantDocument>(&*store, document::PLUGIN_GRANT, &key).await?;
    let what = match asked.power.as_str() {
        "" => format!("everything in {}", place(environment.as_deref())),
        power => format!("{power} in {}", place(environment.as_deref())),
    };
    match asked.power.as_str() {
        "" => drop(store.remove(document::PLUGIN_GRANT, &key).await?),
        power => {
            let nothing = match grant.powers.get(power) {
                Some(serde_json::Value::Bool(_)) => serde_json::Value::Bool(false),
                Some(_) => serde_json::Value::Null,
                None => return Err(ApiError::Grant(format!("there is no power {power:?}; known are {}", known(&grant)))),
            };
            grant.powers[power] = nothing;
            store.put(document::PLUGIN_GRANT, &key, &document::write(&grant), Some(entry.revision), now).await?;
        }
    }
    // It holds before anything else can go wrong.
    api.plugins.refresh().await.map_err(ApiError::Broken)?;
    record(api, &by, &which, "revoke", what, reason).await?;
    view::one(api, &which).await
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

fn place(environment: Option<&str>) -> &str {
    environment.unwrap_or("all environments")
}
