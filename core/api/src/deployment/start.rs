//! Starting a deployment.

use engine::{Accepted, EngineError, StartRequest};
use model::{Actor, Plan};
use towpath_proto::v1;

use crate::Api;
use crate::catalog::plugin::hold;
use crate::compile::{self, Compiled};
use crate::error::ApiError;
use crate::request;

/// Starts a deployment of the plan as it is compiled now.
pub(super) async fn start(api: &Api, by: Actor, asked: &v1::StartRequest) -> Result<v1::StartResponse, ApiError> {
    let scope = request::scope(asked.scope.as_ref())?;
    let request_id = request::request_id(&asked.request_id)?;
    // A retry finds a world that its first call has changed: it is answered before anything is compiled again.
    if let Some(id) = &request_id
        && let Some(first) = api.handle.store().first_reply(&by.name, id).await?
        && let Some(answer) = repeated(api, &first, &scope, &asked.release).await?
    {
        return Ok(answer);
    }
    let Compiled { plan, stable } = compile::plan(api, scope, &asked.release).await?;
    if stable.as_ref().is_some_and(|stable| stable.id == plan.release.id) {
        return Err(same(&plan));
    }
    if !asked.plan_hash.is_empty() && asked.plan_hash != plan.hash.as_str() {
        return Err(ApiError::PlanMoved { seen: asked.plan_hash.clone(), now: plan.hash.to_string() });
    }
    let accepted = held(api, StartRequest { request: request_id, plan, by }).await?;
    Ok(v1::StartResponse {
        deployment_id: accepted.deployment.to_string(),
        version: accepted.version,
        repeated: accepted.repeated,
    })
}

/// Has a deployment written down while nobody can remove the plugins that it will use.
pub(super) async fn held(api: &Api, asked: StartRequest) -> Result<Accepted, ApiError> {
    let by = format!("a deployment to {} that is being started", asked.plan.scope);
    let held = hold::hold(api, &by, &hold::used_by(&asked.plan)).await?;
    let accepted = api.handle.start(asked).await;
    match &accepted {
        Ok(_)
        | Err(
            EngineError::Plan(_)
            | EngineError::Refused(_)
            | EngineError::RefusedThere(_)
            | EngineError::RequestReused { .. }
            | EngineError::TooMany { .. },
        ) => held.release(api).await?,
        // It may still be written: the holds stay until they are too old.
        Err(_) => {}
    }
    Ok(accepted?)
}

/// Returns the refusal of a release that is stable already: going from it to itself would only make loops.
pub(super) fn same(plan: &Plan) -> ApiError {
    ApiError::SameRelease {
        scope: plan.scope.to_string(),
        release: plan.release.id.to_string(),
        label: plan.release.label.clone(),
    }
}

/// Returns the first answer to a request that is asked again; nothing when it asks for something else, which the engine
/// then refuses.
pub(super) async fn repeated(
    api: &Api,
    first: &journal::FirstReply,
    scope: &model::Scope,
    release: &str,
) -> Result<Option<v1::StartResponse>, ApiError> {
    let plan = &api.handle.state(&first.deployment).await?.plan;
    let snapshot = plan.release.id.as_str().split('.').next().unwrap_or_default();
    let asked_for = [plan.release.label.as_str(), plan.release.id.as_str(), snapshot].contains(&release) || release.is_empty();
    Ok((plan.scope == *scope && asked_for).then(|| v1::StartResponse {
        deployment_id: first.deployment.to_string(),
        version: first.version,
        repeated: true,
    }))
}
