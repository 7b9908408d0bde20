//! One deployment.

use towpath_proto::v1;

use crate::Api;
use crate::error::ApiError;
use crate::request;
use crate::view::{self, Timeline};

/// Returns a deployment as it is now.
pub(super) async fn get(api: &Api, asked: &v1::GetDeploymentRequest) -> Result<v1::Deployment, ApiError> {
    let id = request::deployment(&asked.deployment_id)?;
    let state = api.handle.state(&id).await?;
    let history = api.handle.history(&id).await?;
    let mut timeline = Timeline::default();
    // The journal may be ahead of the state that was read first; what is shown is one moment.
    for stamped in history.iter().take(usize::try_from(state.version).unwrap_or(usize::MAX)) {
        timeline.take(&stamped.event, &state.plan);
    }
    Ok(view::deployment(&state, &timeline))
}
