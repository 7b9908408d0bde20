//! What a call is told, in the words of this version.

use super::bindings::types;
use crate::{CallContext, clock};

pub(super) fn lowered(context: &CallContext) -> types::Context {
    types::Context {
        service: context.service.clone(),
        environment: context.environment.clone(),
        settings: context.settings.clone(),
        deployment: context.deployment.clone(),
        operation_key: context.operation_key.clone(),
        fence: context.fence,
        attempt: context.attempt,
        deadline_ms: context.deadline_ms,
        now_ms: clock::now_ms(),
        outcome_unknown: context.outcome_unknown,
        state: context.state.clone(),
        artifact_digest: context.artifact_digest.clone(),
    }
}
