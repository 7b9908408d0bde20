//! Removing an installed digest that nobody uses.

use journal::{DeploymentFilter, Status};
use model::{Actor, Digest, Plan};
use towpath_proto::v1;

use super::{Act, Which, hold, record, refreshed};
use crate::document::{self, FileDocument, PluginNameDocument, ReleaseDocument};
use crate::error::ApiError;
use crate::{Api, compile, limits};

/// Removes a digest with its grants.
pub(super) async fn remove(api: &Api, by: Actor, asked: v1::RemovePluginRequest) -> Result<v1::RemovePluginResponse, ApiError> {
    let which = Which::find(api, &asked.name).await?;
    if api.plugins.is_own(&which.name) {
        return Err(ApiError::OwnPlugin { name: which.name });
    }
    let leaving = hold::announce(api, &by.name, &which.name, which.digest).await?;
    let removed = announced(api, &by, &which, asked.force).await;
    leaving.over(api).await?;
    removed?;
    refreshed(api).await?;
    Ok(v1::RemovePluginResponse { name: which.name, digest: which.digest.to_string() })
}

/// Removes what nobody uses, after it was said that it is about to be removed: from there on nobody can begin to use it unseen.
async fn announced(api: &Api, by: &Actor, which: &Which, force: bool) -> Result<(), ApiError> {
    let store = api.handle.store();
    // Who holds it comes first: a hold ends when what it stands for is written, and is seen there then.
    let mut users = hold::holders(api, which.digest).await?;
    users.extend(deployments(api, which.digest).await?);
    users.extend(environments(api, which).await?);
    if !force {
        users.extend(releases(api, which.digest).await?);
    }
    if !users.is_empty() {
        return Err(ApiError::PluginUsed { name: which.name.clone(), digest: which.digest.to_string(), users });
    }
    record(api, by, which, Act { act: "remove", what: "with its grants".to_owned(), ..Act::default() }).await?;
    for entry in store.list(document::PLUGIN_GRANT, &format!("{}/", which.digest)).await? {
        store.remove(document::PLUGIN_GRANT, &entry.key).await?;
    }
    if let Some(entry) = store.get(document::PLUGIN_NAME, &which.name).await? {
        let current: PluginNameDocument = document::read(document::PLUGIN_NAME, &entry)?;
        if current.digest == which.digest.to_string() {
            store.remove(document::PLUGIN_NAME, &which.name).await?;
        }
    }
    store.remove(document::PLUGIN, &format!("{}/{}", which.name, which.digest)).await?;
    let digest = which.digest.to_string();
    // It may be installed under two names.
    if document::plugins_kept(&*store).await?.installed.iter().all(|plugin| plugin.digest != digest) {
        document::forget_component(&*store, which.digest).await?;
        document::forget_materials(&*store, which.digest).await?;
    }
    Ok(())
}

/// Returns the environments whose target a name is, while the name stands for this digest.
async fn environments(api: &Api, which: &Which) -> Result<Vec<String>, ApiError> {
    let store = api.handle.store();
    let Some(entry) = store.get(document::PLUGIN_NAME, &which.name).await? else { return Ok(Vec::new()) };
    let named: PluginNameDocument = document::read(document::PLUGIN_NAME, &entry)?;
    if named.digest != which.digest.to_string() {
        return Ok(Vec::new());
    }
    let mut users = Vec::new();
    for entry in store.list(document::ENVIRONMENT, "").await? {
        let file: FileDocument = document::read(document::ENVIRONMENT, &entry)?;
        let environment = path::parse_environment(&file.text, &file.file_name).map_err(compile::faults)?;
        if environment.target == which.name {
            users.push(format!("environment {}, whose target it is", environment.name));
        }
    }
    Ok(users)
}

/// Returns the deployments that are not over and use a digest.
async fn deployments(api: &Api, digest: Digest) -> Result<Vec<String>, ApiError> {
    let mut users = Vec::new();
    for status in [Status::Active, Status::Queued] {
        let mut before = None;
        loop {
            let filter =
                DeploymentFilter { status: Some(status), before, limit: limits::PAGE_SIZE_MAX, ..DeploymentFilter::default() };
            let rows = api.handle.list(&filter).await?;
            for row in &rows {
                if uses(&api.handle.state(&row.id).await?.plan, digest) {
                    users.push(format!("deployment {} of {}", row.id, row.scope));
                }
            }
            before = rows.last().map(|row| row.id.clone());
            if before.is_none() {
                break;
            }
        }
    }
    Ok(users)
}

/// Returns the releases that pin a digest, by their labels: the store has them in the order of their own digests.
async fn releases(api: &Api, digest: Digest) -> Result<Vec<String>, ApiError> {
    let digest = digest.to_string();
    let mut users = Vec::new();
    for entry in api.handle.store().list(document::RELEASE, "").await? {
        let release: ReleaseDocument = document::read(document::RELEASE, &entry)?;
        if release.plugins.iter().any(|pin| pin.digest == digest) {
            users.push(format!("release {} of {}", release.label, release.service));
        }
    }
    users.sort();
    Ok(users)
}

fn uses(plan: &Plan, digest: Digest) -> bool {
    hold::used_by(plan).iter().any(|(_, used)| *used == digest)
}
