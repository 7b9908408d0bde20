//! The server itself.

use tonic::{Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::server_service_server::ServerService;

use crate::auth::caller;
use crate::serve::Services;

#[tonic::async_trait]
impl ServerService for Services {
    async fn info(&self, request: Request<v1::InfoRequest>) -> Result<Response<v1::InfoResponse>, Status> {
        let caller = caller(&request)?;
        let info = &self.api.info;
        Ok(Response::new(v1::InfoResponse {
            version: info.version.clone(),
            data_dir: info.data_dir.clone(),
            started_at_ms: info.started_at.0,
            caller: caller.name,
            groups: caller.groups,
        }))
    }
}
