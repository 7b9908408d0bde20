//! The way to the server: where it is, who calls, and the stubs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use towpath_proto::v1::deployment_service_client::DeploymentServiceClient;
use towpath_proto::v1::environment_service_client::EnvironmentServiceClient;
use towpath_proto::v1::path_service_client::PathServiceClient;
use towpath_proto::v1::plugin_service_client::PluginServiceClient;
use towpath_proto::v1::release_service_client::ReleaseServiceClient;
use towpath_proto::v1::service_service_client::ServiceServiceClient;
use towpath_proto::v1::telemetry_service_client::TelemetryServiceClient;

use crate::error::Error;
use crate::output::Context;

/// How long a connection may take: a server on the same machine or network answers at once, or is not there.
const CONNECT: Duration = Duration::from_secs(5);

/// How often a silent connection is asked whether anybody is there.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// What this program says of itself: servers keep it with what was asked.
const PROGRAM: &str = concat!("towpath/", env!("CARGO_PKG_VERSION"));

/// What a running server writes into its data folder, so that it is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFile {
    /// Where it listens, as `host:port`.
    pub address: String,
    /// Its process.
    pub pid: u32,
}

impl ServerFile {
    /// Returns where the file of a data folder is.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("server.json")
    }
}

/// Adds the bearer token to every call.
#[derive(Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

type Way = InterceptedService<Channel, Bearer>;

/// A connection.
#[derive(Clone)]
pub(crate) struct Client {
    way: Way,
}

macro_rules! stub {
    ($(#[$doc:meta])* $name:ident, $client:ident) => {
        $(#[$doc])*
        pub(crate) fn $name(&self) -> $client<Way> {
            $client::new(self.way.clone()).max_decoding_message_size(towpath_proto::MESSAGE_BYTES_MAX)
        }
    };
}

impl Client {
    /// Connects to the server of the context.
    pub(crate) async fn connect(context: &Context) -> Result<Self, Error> {
        let address = address(context)?;
        let no_answer = |message: String| Error::NoAnswer { address: address.clone(), message };
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| no_answer(chain(&error)))?;
        let endpoint = endpoint.user_agent(PROGRAM).map_err(|error| no_answer(chain(&error)))?;
        let endpoint = endpoint.connect_timeout(CONNECT).http2_keep_alive_interval(KEEPALIVE).keep_alive_while_idle(true);
        let channel = endpoint.connect().await.map_err(|error| no_answer(chain(&error)))?;
        Ok(Self { way: InterceptedService::new(channel, Bearer(token(context)?)) })
    }

    stub!(
        /// Services.
        services, ServiceServiceClient
    );
    stub!(
        /// Environments.
        environments, EnvironmentServiceClient
    );
    stub!(
        /// Golden paths.
        paths, PathServiceClient
    );
    stub!(
        /// Releases.
        releases, ReleaseServiceClient
    );
    stub!(
        /// Plugins.
        plugins, PluginServiceClient
    );
    stub!(
        /// What services measure.
        telemetry, TelemetryServiceClient
    );
    stub!(
        /// Deployments.
        deployments, DeploymentServiceClient
    );
}

fn address(context: &Context) -> Result<String, Error> {
    if let Some(address) = &context.server {
        return Ok(address.trim_start_matches("http://").to_owned());
    }
    let not_running = || Error::NotRunning { data_dir: context.data_dir.clone() };
    let text = std::fs::read_to_string(ServerFile::path(&context.data_dir)).map_err(|_| not_running())?;
    let file: ServerFile = serde_json::from_str(&text).map_err(|_| not_running())?;
    Ok(file.address)
}

fn token(context: &Context) -> Result<Option<MetadataValue<Ascii>>, Error> {
    let path = context.token_file.clone().unwrap_or_else(|| context.data_dir.join("token"));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // A server that takes everybody has no token; one that does not will say so.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && context.token_file.is_none() => return Ok(None),
        Err(source) => return Err(Error::Unreadable { path, source }),
    };
    let invalid = |_| Error::File(format!("{} holds no token", path.display()));
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", text.trim()).parse().map_err(invalid)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}
