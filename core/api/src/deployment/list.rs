//! Deployments, newest first.

use journal::{DeploymentFilter, DeploymentRow, Status};
use model::{EnvironmentName, ServiceName};
use towpath_proto::v1;

use crate::Api;
use crate::error::ApiError;
use crate::{limits, request, view};

/// Returns a page of deployments.
pub(super) async fn list(api: &Api, asked: &v1::ListDeploymentsRequest) -> Result<v1::ListDeploymentsResponse, ApiError> {
    let limit = match asked.page_size {
        0 => limits::PAGE_SIZE_DEFAULT,
        size => size.min(limits::PAGE_SIZE_MAX),
    };
    let filter = DeploymentFilter {
        service: only(&asked.service, |name| ServiceName::new(name).map(|_| ()))?,
        environment: only(&asked.environment, |name| EnvironmentName::new(name).map(|_| ()))?,
        status: None,
        before: if asked.page_token.is_empty() { None } else { Some(request::deployment(&asked.page_token)?) },
        // One more than asked for tells whether there is another page.
        limit: limit + 1,
    };
    let rows = match asked.unfinished_only {
        true => unfinished(api, filter).await?,
        false => api.handle.list(&filter).await?,
    };
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > page;
    let deployments: Vec<_> = rows.iter().take(page).map(view::summary).collect();
    let next_page_token = deployments.last().filter(|_| more).map(|last| last.id.clone()).unwrap_or_default();
    Ok(v1::ListDeploymentsResponse { deployments, next_page_token })
}

async fn unfinished(api: &Api, filter: DeploymentFilter) -> Result<Vec<DeploymentRow>, ApiError> {
    let mut rows = Vec::new();
    for status in [Status::Queued, Status::Active] {
        rows.extend(api.handle.list(&DeploymentFilter { status: Some(status), ..filter.clone() }).await?);
    }
    // Each list is newest first; the two are merged by the time of the request, and by name where that is the same.
    rows.sort_by(|a, b| (b.requested_at, &b.id).cmp(&(a.requested_at, &a.id)));
    Ok(rows)
}

/// Returns a filter's name, checked, or that there is none.
pub(super) fn only(name: &str, check: impl FnOnce(&str) -> Result<(), model::InvalidName>) -> Result<Option<String>, ApiError> {
    match name {
        "" => Ok(None),
        name => {
            check(name)?;
            Ok(Some(name.to_owned()))
        }
    }
}
