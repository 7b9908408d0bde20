//! The services on a socket: authentication before all but health and reflection, limits, an orderly end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use engine::{Clock, Handle};
use model::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use towpath_proto::v1::deployment_service_server::DeploymentServiceServer;
use towpath_proto::v1::environment_service_server::EnvironmentServiceServer;
use towpath_proto::v1::path_service_server::PathServiceServer;
use towpath_proto::v1::plugin_service_server::PluginServiceServer;
use towpath_proto::v1::release_service_server::ReleaseServiceServer;
use towpath_proto::v1::server_service_server::ServerServiceServer;
use towpath_proto::v1::service_service_server::ServiceServiceServer;
use towpath_proto::v1::telemetry_service_server::TelemetryServiceServer;

use crate::auth::Tokens;
use crate::error::ApiError;
use crate::limits;
use crate::ports::{Artifacts, Measured, Plugins};

/// How often a silent connection is asked whether anybody is there: a watcher behind a dead network must not stay for ever.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What the services are made of. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// The engine.
    pub handle: Handle,
    /// The plugins that the server knows.
    pub plugins: Arc<dyn Plugins>,
    /// The artifact store.
    pub artifacts: Arc<dyn Artifacts>,
    /// What services measure; none where the server takes no metrics.
    pub measured: Option<Arc<dyn Measured>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What the server says of itself.
    pub info: Arc<ServerInfo>,
}

/// What the server says of itself.
#[derive(Clone, Debug)]
pub struct ServerInfo {
    /// The version of the program.
    pub version: String,
    /// Where it keeps its data.
    pub data_dir: String,
    /// When it was started.
    pub started_at: Timestamp,
}

/// The services could not be offered, or not any longer.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The contract's own description is not readable.
    #[error("the reflection service could not be built")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("the gRPC transport failed")]
    Transport(#[source] tonic::transport::Error),
}

/// One service with what it needs; the traits of all services are implemented on it.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) api: Api,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Offers the services on `listener` until `shutdown` is ready; then ends the watches, waits for open calls and returns.
pub async fn serve(
    listener: TcpListener,
    api: Api,
    tokens: Tokens,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (stop, stopping) = watch::channel(false);
    let (health_reporter, health) = tonic_health::server::health_reporter();
    health_reporter.set_serving::<DeploymentServiceServer<Services>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(towpath_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let reflection_v1 = reflection().build_v1().map_err(ServeError::Reflection)?;
    // Most clients still ask for the one before.
    let reflection_v1alpha = reflection().build_v1alpha().map_err(ServeError::Reflection)?;
    let services = Services { api, stopping };
    macro_rules! guarded {
        ($server:ident) => {
            InterceptedService::new(
                $server::new(services.clone()).max_decoding_message_size(towpath_proto::MESSAGE_BYTES_MAX),
                tokens.clone(),
            )
        };
    }
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION_MAX)
        .add_service(health)
        .add_service(reflection_v1)
        .add_service(reflection_v1alpha)
        .add_service(guarded!(ServiceServiceServer))
        .add_service(guarded!(EnvironmentServiceServer))
        .add_service(guarded!(PathServiceServer))
        .add_service(guarded!(ReleaseServiceServer))
        .add_service(guarded!(PluginServiceServer))
        .add_service(guarded!(ServerServiceServer))
        .add_service(guarded!(TelemetryServiceServer))
        .add_service(guarded!(DeploymentServiceServer))
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), async move {
            shutdown.await;
            stop.send_replace(true);
        })
        .await
        .map_err(ServeError::Transport)
}

/// Runs a call that changes something to its end, even when the client has gone away in the middle of it.
pub(crate) async fn to_the_end<T: Send + 'static>(
    call: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::spawn(call).await {
        Ok(result) => result,
        Err(error) => Err(ApiError::Broken(error.to_string())),
    }
}
