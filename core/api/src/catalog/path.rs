//! Golden paths: published once, never changed.

use journal::Store;
use semver::{Version, VersionReq};
use tonic::{Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::path_service_server::PathService;

use super::file;
use crate::Api;
use crate::auth::caller;
use crate::compile::faults;
use crate::document::{self, FileDocument};
use crate::error::ApiError;
use crate::request;
use crate::serve::{Services, to_the_end};

#[tonic::async_trait]
impl PathService for Services {
    async fn publish(&self, request: Request<v1::ApplyRequest>) -> Result<Response<v1::Document>, Status> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        let file = parsed(&request.into_inner(), by.name)?;
        Ok(Response::new(to_the_end(async move { publish(&api, file).await }).await?))
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Result<Response<v1::Document>, Status> {
        caller(&request)?;
        let store = self.api.handle.store();
        Ok(Response::new(get(&*store, &request.into_inner().name).await?))
    }

    async fn list(&self, request: Request<v1::ListRequest>) -> Result<Response<v1::ListDocumentsResponse>, Status> {
        caller(&request)?;
        let store = self.api.handle.store();
        Ok(Response::new(file::list(&*store, document::PATH).await?))
    }
}

fn parsed(asked: &v1::ApplyRequest, by: String) -> Result<FileDocument, ApiError> {
    let (text, file_name) = request::file(asked)?;
    let path = ::path::parse_path(text, &file_name).map_err(faults)?;
    Ok(FileDocument {
        form: document::FORM,
        name: path.name.clone(),
        version: Some(path.version.to_string()),
        digest: path.digest.to_string(),
        summary: path.description.clone().unwrap_or_else(|| path.label()),
        text: text.to_owned(),
        file_name,
        written_by: by,
    })
}

async fn publish(api: &Api, file: FileDocument) -> Result<v1::Document, ApiError> {
    let (store, version) = (api.handle.store(), file.version.clone().unwrap_or_default());
    let key = format!("{}/{version}", file.name);
    if let Some(entry) = store.get(document::PATH, &key).await? {
        let published: FileDocument = document::read(document::PATH, &entry)?;
        return match published.digest == file.digest {
            true => Ok(file::view(published, &entry)),
            false => Err(ApiError::VersionTaken { path: file.name, version, published: published.digest, given: file.digest }),
        };
    }
    // Two people may publish at once: the store lets only one be the first, the other is told to look again.
    store.put(document::PATH, &key, &document::write(&file), Some(0), api.clock.now()).await?;
    file::get(&*store, document::PATH, &key).await
}

/// Returns all versions of a path, the newest first.
pub(crate) async fn versions(store: &dyn Store, name: &str) -> Result<Vec<(Version, FileDocument)>, ApiError> {
    let mut versions = Vec::new();
    for entry in store.list(document::PATH, &format!("{name}/")).await? {
        let file: FileDocument = document::read(document::PATH, &entry)?;
        let version = file.version.as_deref().unwrap_or_default();
        let version = Version::parse(version).map_err(|error| ApiError::Document {
            kind: document::PATH,
            key: entry.key.clone(),
            message: error.to_string(),
        })?;
        versions.push((version, file));
    }
    versions.sort_by(|(a, _), (b, _)| b.cmp(a));
    Ok(versions)
}

/// Returns `name` in its newest version, `name@1.2.0` in that one, or `name@^1.2` in the newest that fits.
async fn get(store: &dyn Store, asked: &str) -> Result<v1::Document, ApiError> {
    let (name, wanted) = asked.split_once('@').unwrap_or((asked, "*"));
    let versions = versions(store, name).await?;
    let found = match Version::parse(wanted) {
        Ok(exact) => versions.iter().find(|(version, _)| *version == exact),
        Err(_) => {
            let range = VersionReq::parse(wanted).map_err(|error| ApiError::Field {
                field: "version",
                found: wanted.to_owned(),
                expected: format!("a version or a range of versions ({error})"),
            })?;
            versions.iter().find(|(version, _)| range.matches(version))
        }
    };
    match found {
        Some((version, _)) => file::get(store, document::PATH, &format!("{name}/{version}")).await,
        None => {
            let known = store.list(document::PATH, "").await?.into_iter().map(|entry| entry.key.replace('/', "@")).collect();
            Err(ApiError::NotKnown { what: "path", name: asked.to_owned(), known })
        }
    }
}
