//! The plugins that the server knows: its own, and those that operators installed and granted powers.

mod grant;
pub(crate) mod hold;
mod install;
mod remove;
mod view;

use journal::{Store, StoreError};
use model::{Actor, Digest};
use tonic::{Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::plugin_service_server::PluginService;

use crate::Api;
use crate::auth::caller;
use crate::document::{self, PluginNameDocument, PluginRecordDocument, PluginsKept};
use crate::error::ApiError;
use crate::serve::{Services, to_the_end};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl PluginService for Services {
    async fn list(&self, request: Request<v1::ListRequest>) -> Answer<v1::ListPluginsResponse> {
        caller(&request)?;
        Ok(Response::new(v1::ListPluginsResponse { plugins: view::all(&self.api).await? }))
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Answer<v1::Plugin> {
        caller(&request)?;
        let which = Which::find(&self.api, &request.into_inner().name).await?;
        Ok(Response::new(view::one(&self.api, &which).await?))
    }

    async fn install(&self, request: Request<v1::InstallPluginRequest>) -> Answer<v1::Plugin> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { install::install(&api, by, request.into_inner()).await }).await?))
    }

    async fn grant(&self, request: Request<v1::GrantPluginRequest>) -> Answer<v1::Plugin> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { grant::grant(&api, by, request.into_inner()).await }).await?))
    }

    async fn revoke(&self, request: Request<v1::RevokePluginRequest>) -> Answer<v1::Plugin> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { grant::revoke(&api, by, request.into_inner()).await }).await?))
    }

    async fn approve(&self, request: Request<v1::GetRequest>) -> Answer<v1::Plugin> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { install::approve(&api, by, request.into_inner()).await }).await?))
    }

    async fn remove(&self, request: Request<v1::RemovePluginRequest>) -> Answer<v1::RemovePluginResponse> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { remove::remove(&api, by, request.into_inner()).await }).await?))
    }
}

/// One plugin that a caller named.
struct Which {
    name: String,
    digest: Digest,
}

impl Which {
    /// Returns what "name" stands for, or "name@sha256:…" itself when it is installed.
    async fn find(api: &Api, text: &str) -> Result<Self, ApiError> {
        let current = api.plugins.list();
        let Some((name, digest)) = text.split_once('@') else {
            // What cannot be used on this server has a page all the same.
            if let Some(entry) = api.handle.store().get(document::PLUGIN_NAME, text).await? {
                let named: PluginNameDocument = document::read(document::PLUGIN_NAME, &entry)?;
                return Ok(Self { name: named.name, digest: Digest::parse(&named.digest)? });
            }
            let names = current.iter().map(|plugin| plugin.name.clone()).collect();
            let found = current.into_iter().find(|plugin| plugin.name == text);
            let found = found.ok_or_else(|| ApiError::NotKnown { what: "plugin", name: text.to_owned(), known: names })?;
            return Ok(Self { name: found.name, digest: found.digest });
        };
        let digest = Digest::parse(digest)?;
        if current.iter().any(|plugin| plugin.name == name && plugin.digest == digest) {
            return Ok(Self { name: name.to_owned(), digest });
        }
        let entries = api.handle.store().list(document::PLUGIN, &format!("{name}/")).await?;
        let known: Vec<String> = entries.into_iter().map(|entry| entry.key.replacen('/', "@", 1)).collect();
        match known.iter().any(|key| key == text) {
            true => Ok(Self { name: name.to_owned(), digest }),
            false => Err(ApiError::NotKnown { what: "installed plugin", name: text.to_owned(), known }),
        }
    }
}

/// Takes over what was written, so that it holds at this server when the caller is answered.
async fn refreshed(api: &Api) -> Result<PluginsKept, ApiError> {
    api.plugins.refresh().await.map_err(ApiError::Broken)?;
    document::plugins_kept(&*api.handle.store()).await
}

/// What an operator did.
#[derive(Default)]
struct Act {
    /// The word for it.
    act: &'static str,
    /// What exactly.
    what: String,
    /// The environment that it is about, `*` for all, none where it is about none.
    environment: Option<String>,
    /// Why.
    reason: String,
}

/// Writes down what an operator did.
async fn record(api: &Api, by: &Actor, which: &Which, done: Act) -> Result<(), ApiError> {
    let Act { act, what, environment, reason } = done;
    let (store, now) = (api.handle.store(), api.clock.now());
    let text = document::write(&PluginRecordDocument {
        form: document::FORM,
        plugin: which.name.clone(),
        digest: which.digest.to_string(),
        act: act.to_owned(),
        what,
        environment,
        reason,
        by: by.name.clone(),
        from: by.from.clone(),
        at_ms: now.0,
    });
    append(&*store, &which.name, now, &text).await
}

/// Records of one plugin in one millisecond: operators are people, or programs that wait for answers.
const RECORDS_AT_ONCE_MAX: u32 = 100;

async fn append(store: &dyn Store, name: &str, now: model::Timestamp, text: &str) -> Result<(), ApiError> {
    for number in 0..RECORDS_AT_ONCE_MAX {
        let key = format!("{name}/{:013}-{number:02}", now.0);
        match store.put(document::PLUGIN_RECORD, &key, text, Some(0), now).await {
            Ok(_) => return Ok(()),
            Err(StoreError::RevisionMoved { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::Broken(format!("plugin {name} has {RECORDS_AT_ONCE_MAX} records of one millisecond")))
}
