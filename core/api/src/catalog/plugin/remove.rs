//! Removing an installed digest that nobody uses.

use journal::{DeploymentFilter, Status};
use model::{Actor, Digest, Plan, StepKind};
use towpath_proto::v1;

use super::{Which, record, refreshed};
use crate::document::{self, PluginNameDocument, ReleaseDocument};
use crate::error::ApiError;
use crate::{Api, limits};

/// Removes a digest with its grants.
pub(super) async fn remove(api: &Api, by: Actor, asked: v1::RemovePluginRequest) -> Result<v1::RemovePluginResponse, ApiError> {
    let store = api.handle.store();
    let which = Which::find(api, &asked.name).await?;
    if api.plugins.is_own(&which.name) {
        return Err(ApiError::OwnPlugin { name: which.name });
    }
    let mut users = deployments(api, which.digest).await?;
    if !asked.force {
        users.extend(releases(api, which.digest).await?);
    }
    if !users.is_empty() {
        return Err(ApiError::PluginUsed { name: which.name, digest: which.digest.to_string(), users });
    }
    record(api, &by, &which, "remove", "with its grants".to_owned(), String::new()).await?;
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
    refreshed(api).await?;
    Ok(v1::RemovePluginResponse { name: which.name, digest: which.digest.to_string() })
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

/// Returns the releases that pin a digest.
async fn releases(api: &Api, digest: Digest) -> Result<Vec<String>, ApiError> {
    let digest = digest.to_string();
    let mut users = Vec::new();
    for entry in api.handle.store().list(document::RELEASE, "").await? {
        let release: ReleaseDocument = document::read(document::RELEASE, &entry)?;
        if release.plugins.iter().any(|pin| pin.digest == digest) {
            users.push(format!("release {} of {}", release.label, release.service));
        }
    }
    Ok(users)
}

fn uses(plan: &Plan, digest: Digest) -> bool {
    plan.target.digest == digest
        || plan.steps.iter().any(|step| match &step.kind {
            StepKind::Gate { gate } => gate.digest == digest,
            StepKind::Action { action, .. } => action.digest == digest,
            StepKind::Watch(watch) => watch.checks.iter().any(|check| check.health.digest == digest),
            StepKind::Approval { .. } | StepKind::Reconcile { .. } | StepKind::Wait { .. } | StepKind::Promote => false,
        })
}
