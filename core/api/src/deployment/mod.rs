//! Deployments: one file per call.

mod command;
mod get;
mod list;
mod plan;
mod restore;
mod start;
mod status;
mod watch;

use futures_util::stream::BoxStream;
use model::Command;
use tonic::{Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::deployment_service_server::DeploymentService;

use crate::auth::caller;
use crate::serve::{Services, to_the_end};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl DeploymentService for Services {
    async fn plan(&self, request: Request<v1::PlanRequest>) -> Answer<v1::PlanResponse> {
        caller(&request)?;
        Ok(Response::new(plan::plan(&self.api, &request.into_inner()).await?))
    }

    async fn start(&self, request: Request<v1::StartRequest>) -> Answer<v1::StartResponse> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { start::start(&api, by, &request.into_inner()).await }).await?))
    }

    async fn get(&self, request: Request<v1::GetDeploymentRequest>) -> Answer<v1::Deployment> {
        caller(&request)?;
        Ok(Response::new(get::get(&self.api, &request.into_inner()).await?))
    }

    async fn list(&self, request: Request<v1::ListDeploymentsRequest>) -> Answer<v1::ListDeploymentsResponse> {
        caller(&request)?;
        Ok(Response::new(list::list(&self.api, &request.into_inner()).await?))
    }

    type WatchStream = BoxStream<'static, Result<v1::DeploymentUpdate, Status>>;

    async fn watch(&self, request: Request<v1::WatchDeploymentRequest>) -> Answer<Self::WatchStream> {
        caller(&request)?;
        Ok(Response::new(watch::watch(&self.api, self.stopping.clone(), &request.into_inner()).await?))
    }

    async fn pause(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command(request, |by, reason| Command::Pause { by, reason }).await
    }

    async fn resume(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command(request, |by, _| Command::Resume { by }).await
    }

    async fn promote(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command(request, |by, _| Command::Promote { by }).await
    }

    async fn abort(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command(request, |by, reason| Command::Abort { by, reason }).await
    }

    async fn rollback(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command(request, |by, reason| Command::Rollback { by, reason }).await
    }

    async fn approve(&self, request: Request<v1::ApproveRequest>) -> Answer<v1::CommandResponse> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { command::approve(&api, by, request.into_inner()).await }).await?))
    }

    async fn reject(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command(request, |by, reason| Command::Reject { by, reason }).await
    }

    async fn restore(&self, request: Request<v1::RestoreRequest>) -> Answer<v1::StartResponse> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { restore::restore(&api, by, &request.into_inner()).await }).await?))
    }

    async fn status(&self, request: Request<v1::StatusRequest>) -> Answer<v1::StatusResponse> {
        caller(&request)?;
        Ok(Response::new(status::status(&self.api, &request.into_inner()).await?))
    }
}

impl Services {
    async fn command(
        &self,
        request: Request<v1::CommandRequest>,
        make: impl FnOnce(model::Actor, String) -> Command + Send + 'static,
    ) -> Answer<v1::CommandResponse> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { command::command(&api, by, request.into_inner(), make).await }).await?))
    }
}
