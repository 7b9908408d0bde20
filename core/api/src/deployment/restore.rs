//! Taking a finished deployment back: a new one, straight to a release that was good before.

use engine::StartRequest;
use model::Actor;
use towpath_proto::v1;

use super::start;
use crate::Api;
use crate::compile;
use crate::error::ApiError;
use crate::request;

/// Starts a deployment that goes straight to an earlier release: the one that was stable before, unless another is named.
pub(super) async fn restore(api: &Api, by: Actor, asked: &v1::RestoreRequest) -> Result<v1::StartResponse, ApiError> {
    let scope = request::scope(asked.scope.as_ref())?;
    let request_id = request::request_id(&asked.request_id)?;
    if let Some(id) = &request_id
        && let Some(first) = api.handle.store().first_reply(&by.name, id).await?
        && let Some(answer) = start::repeated(api, &first, &scope, &asked.release).await?
    {
        return Ok(answer);
    }
    let row = api.handle.scope(&scope).await?;
    if let Some(active) = row.active {
        return Err(ApiError::Active { scope: scope.to_string(), active: active.to_string() });
    }
    let release = match asked.release.as_str() {
        "" => row.previous.ok_or_else(|| ApiError::NothingToRestore { scope: scope.to_string() })?,
        named => compile::plan(api, scope.clone(), named).await?.plan.release,
    };
    let plan = compile::restore(api, scope, release).await?;
    if row.stable.as_ref().is_some_and(|stable| stable.id == plan.release.id) {
        return Err(start::same(&plan));
    }
    let accepted = start::held(api, StartRequest { request: request_id, plan, by }).await?;
    Ok(v1::StartResponse {
        deployment_id: accepted.deployment.to_string(),
        version: accepted.version,
        repeated: accepted.repeated,
    })
}
