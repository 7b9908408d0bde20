//! Commands to a running deployment.

use engine::CommandRequest;
use model::{Actor, Command, PlanHash};
use towpath_proto::v1;

use crate::Api;
use crate::error::ApiError;
use crate::request;

/// Gives the command that `make` makes of the caller and the reason.
pub(super) async fn command(
    api: &Api,
    by: Actor,
    asked: v1::CommandRequest,
    make: impl FnOnce(Actor, String) -> Command + Send,
) -> Result<v1::CommandResponse, ApiError> {
    let reason = request::text("reason", &asked.reason)?;
    give(api, &asked.deployment_id, &asked.request_id, asked.expected_version, by.clone(), make(by, reason)).await
}

/// Says yes to the plan that the caller saw.
pub(super) async fn approve(api: &Api, by: Actor, asked: v1::ApproveRequest) -> Result<v1::CommandResponse, ApiError> {
    let command = Command::Approve { by: by.clone(), plan: PlanHash::new(&asked.plan_hash)? };
    give(api, &asked.deployment_id, &asked.request_id, asked.expected_version, by, command).await
}

async fn give(
    api: &Api,
    deployment: &str,
    request_id: &str,
    expected_version: u64,
    by: Actor,
    command: Command,
) -> Result<v1::CommandResponse, ApiError> {
    let asked = CommandRequest {
        request: request::request_id(request_id)?,
        expected_version: (expected_version > 0).then_some(expected_version),
        deployment: request::deployment(deployment)?,
        by,
        command,
    };
    let accepted = api.handle.command(asked).await?;
    Ok(v1::CommandResponse { version: accepted.version, repeated: accepted.repeated })
}
