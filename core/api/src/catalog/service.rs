//! Services.

use tonic::{Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::service_service_server::ServiceService;

use super::file;
use crate::auth::caller;
use crate::compile::faults;
use crate::document::{self, FileDocument};
use crate::error::ApiError;
use crate::request;
use crate::serve::{Services, to_the_end};

#[tonic::async_trait]
impl ServiceService for Services {
    async fn apply(&self, request: Request<v1::ApplyRequest>) -> Result<Response<v1::Document>, Status> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        let file = parsed(&request.into_inner(), by.name)?;
        Ok(Response::new(to_the_end(async move { file::apply(&api, document::SERVICE, file).await }).await?))
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Result<Response<v1::Document>, Status> {
        caller(&request)?;
        let store = self.api.handle.store();
        Ok(Response::new(file::get(&*store, document::SERVICE, &request.into_inner().name).await?))
    }

    async fn list(&self, request: Request<v1::ListRequest>) -> Result<Response<v1::ListDocumentsResponse>, Status> {
        caller(&request)?;
        let store = self.api.handle.store();
        Ok(Response::new(file::list(&*store, document::SERVICE).await?))
    }
}

fn parsed(asked: &v1::ApplyRequest, by: String) -> Result<FileDocument, ApiError> {
    let (text, file_name) = request::file(asked)?;
    let service = ::path::parse_service(text, &file_name).map_err(faults)?;
    Ok(FileDocument {
        form: document::FORM,
        name: service.name.to_string(),
        version: None,
        digest: file::digest(text.as_bytes()),
        summary: format!("follows {} {}", service.path, service.path_versions),
        text: text.to_owned(),
        file_name,
        written_by: by,
    })
}
