//! What runs where.

use journal::{DeploymentFilter, DeploymentRow, Status};
use model::{EnvironmentName, Scope, ServiceName};
use towpath_proto::v1;

use super::list::only;
use crate::Api;
use crate::document::{ENVIRONMENT, SERVICE};
use crate::error::ApiError;
use crate::view;

/// Returns one entry per known service and environment that was ever deployed to.
pub(super) async fn status(api: &Api, asked: &v1::StatusRequest) -> Result<v1::StatusResponse, ApiError> {
    let store = api.handle.store();
    let services = only(&asked.service, |name| ServiceName::new(name).map(|_| ()))?;
    let environments = only(&asked.environment, |name| EnvironmentName::new(name).map(|_| ()))?;
    let known = |kind| async move {
        let entries = api.handle.store().list(kind, "").await?;
        Ok::<_, ApiError>(entries.into_iter().map(|entry| entry.key).collect::<Vec<_>>())
    };
    let services = match services {
        Some(name) => vec![name],
        None => known(SERVICE).await?,
    };
    let environments = match environments {
        Some(name) => vec![name],
        None => known(ENVIRONMENT).await?,
    };
    let mut scopes = Vec::new();
    for service in &services {
        for environment in &environments {
            let scope = Scope { service: ServiceName::new(service)?, environment: EnvironmentName::new(environment)? };
            let rows = store.deployments(&filter(&scope)).await?;
            if !rows.is_empty() {
                scopes.push(scope_status(api, scope, &rows).await?);
            }
        }
    }
    Ok(v1::StatusResponse { scopes })
}

/// The last few deployments are enough to find the active one and to count the queue; a longer queue is counted as this many.
const LOOKED_AT: u32 = 100;

fn filter(scope: &Scope) -> DeploymentFilter {
    DeploymentFilter {
        service: Some(scope.service.to_string()),
        environment: Some(scope.environment.to_string()),
        limit: LOOKED_AT,
        ..DeploymentFilter::default()
    }
}

async fn scope_status(api: &Api, scope: Scope, rows: &[DeploymentRow]) -> Result<v1::ScopeStatus, ApiError> {
    let row = api.handle.scope(&scope).await?;
    let shown = rows.iter().find(|row| row.status == Status::Active).or_else(|| rows.first());
    let queued = rows.iter().filter(|row| row.status == Status::Queued).count();
    let named = |release: &Option<model::ReleaseSpec>| match release {
        Some(release) => (release.id.to_string(), release.label.clone()),
        None => (String::new(), String::new()),
    };
    let (stable, previous) = (named(&row.stable), named(&row.previous));
    Ok(v1::ScopeStatus {
        scope: Some(view::deployment::scope(&scope)),
        stable_release: stable.0,
        stable_label: stable.1,
        previous_release: previous.0,
        previous_label: previous.1,
        deployment: shown.map(view::summary),
        queued: u32::try_from(queued).unwrap_or(u32::MAX),
    })
}
