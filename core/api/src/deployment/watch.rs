//! What happens to a deployment, as a stream.

use engine::Update;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, future, stream};
use tokio::sync::watch::Receiver;
use tonic::Status;
use towpath_proto::v1;

use crate::Api;
use crate::error::ApiError;
use crate::request;
use crate::view::{self, Timeline};

/// Streams what happened behind the given version, then what happens, to the end of the deployment.
///
/// The whole history is folded even when the client has seen a part of it: the times of the steps are in there.
pub(super) async fn watch(
    api: &Api,
    mut stopping: Receiver<bool>,
    asked: &v1::WatchDeploymentRequest,
) -> Result<BoxStream<'static, Result<v1::DeploymentUpdate, Status>>, ApiError> {
    let id = request::deployment(&asked.deployment_id)?;
    // What does not exist is said at once, not in the stream.
    api.handle.state(&id).await?;
    let after = asked.after_version;
    let updates = api.handle.watch(&id, 0);
    let mut timeline = Timeline::default();
    let seen = updates.filter_map(move |update| {
        let next = match update {
            Err(error) => Some(Err(Status::from(ApiError::from(error)))),
            Ok(update) => {
                timeline.take(&update.stamped.event, &update.state.plan);
                (update.version > after).then(|| Ok(view_of(&update, &timeline)))
            }
        };
        future::ready(next)
    });
    let stop = async move {
        // The sender lives as long as the server; when it is gone, the server has stopped.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    let stopped = stream::once(async { Err(Status::from(ApiError::Stopping)) });
    // The end of the deployment ends the stream; the end of the server says so, and the client resumes elsewhere.
    let ended = seen.map(Some).chain(stream::once(async { None }));
    let until_stop = ended.take_until(stop).chain(stopped.map(Some));
    Ok(until_stop.take_while(|next| future::ready(next.is_some())).filter_map(future::ready).boxed())
}

fn view_of(update: &Update, timeline: &Timeline) -> v1::DeploymentUpdate {
    v1::DeploymentUpdate {
        version: update.version,
        at_ms: update.stamped.at.0,
        event: view::event::word(&update.stamped.event).to_owned(),
        sentence: view::event::sentence(&update.stamped.event, &update.state, timeline),
        deployment: Some(view::deployment(&update.state, timeline)),
    }
}
