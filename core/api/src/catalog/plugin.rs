//! The plugins that the server knows.

use tonic::{Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::plugin_service_server::PluginService;

use crate::auth::caller;
use crate::error::ApiError;
use crate::ports::PluginInfo;
use crate::serve::Services;

#[tonic::async_trait]
impl PluginService for Services {
    async fn list(&self, request: Request<v1::ListRequest>) -> Result<Response<v1::ListPluginsResponse>, Status> {
        caller(&request)?;
        let plugins = self.api.plugins.list().into_iter().map(plugin).collect();
        Ok(Response::new(v1::ListPluginsResponse { plugins }))
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Result<Response<v1::Plugin>, Status> {
        caller(&request)?;
        let name = request.into_inner().name;
        let known = self.api.plugins.list();
        let names = known.iter().map(|plugin| plugin.name.clone()).collect();
        let found = known.into_iter().find(|plugin| plugin.name == name);
        Ok(Response::new(plugin(found.ok_or(ApiError::NotKnown { what: "plugin", name, known: names })?)))
    }
}

fn plugin(info: PluginInfo) -> v1::Plugin {
    v1::Plugin {
        name: info.name,
        version: info.version,
        digest: info.digest.to_string(),
        kinds: info.kinds,
        powers: info.powers.into_iter().map(|(name, reason)| v1::Power { name, reason }).collect(),
        settings_schema: info.settings_schema,
        size: info.bytes,
    }
}
