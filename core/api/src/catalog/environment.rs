//! Environments.

use tonic::{Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::environment_service_server::EnvironmentService;

use super::file;
use crate::auth::caller;
use crate::compile::faults;
use crate::document::{self, FileDocument};
use crate::error::ApiError;
use crate::request;
use crate::serve::{Services, to_the_end};

#[tonic::async_trait]
impl EnvironmentService for Services {
    async fn apply(&self, request: Request<v1::ApplyRequest>) -> Result<Response<v1::Document>, Status> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        let file = parsed(&request.into_inner(), by.name)?;
        Ok(Response::new(to_the_end(async move { file::apply(&api, document::ENVIRONMENT, file).await }).await?))
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Result<Response<v1::Document>, Status> {
        caller(&request)?;
        let store = self.api.handle.store();
        Ok(Response::new(file::get(&*store, document::ENVIRONMENT, &request.into_inner().name).await?))
    }

    async fn list(&self, request: Request<v1::ListRequest>) -> Result<Response<v1::ListDocumentsResponse>, Status> {
        caller(&request)?;
        let store = self.api.handle.store();
        Ok(Response::new(file::list(&*store, document::ENVIRONMENT).await?))
    }
}

fn parsed(asked: &v1::ApplyRequest, by: String) -> Result<FileDocument, ApiError> {
    let (text, file_name) = request::file(asked)?;
    let environment = ::path::parse_environment(text, &file_name).map_err(faults)?;
    Ok(FileDocument {
        form: document::FORM,
        name: environment.name.to_string(),
        version: None,
        digest: file::digest(text.as_bytes()),
        summary: format!("{}, target {}", environment.tier, environment.target),
        text: text.to_owned(),
        file_name,
        written_by: by,
    })
}
