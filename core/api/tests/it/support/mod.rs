//! A server of its own for every test.

mod files;
mod world;

use std::sync::Arc;
use std::time::Duration;

use api::{Api, ServerInfo, Tokens, serve};
use engine::{Clock, Engine, EngineOptions};
use journal::memory::MemoryStore;
use journal::{Owner, Store};
use model::{Actor, Millis, Timestamp};
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use towpath_proto::v1;
use towpath_proto::v1::deployment_service_client::DeploymentServiceClient;
use towpath_proto::v1::environment_service_client::EnvironmentServiceClient;
use towpath_proto::v1::path_service_client::PathServiceClient;
use towpath_proto::v1::plugin_service_client::PluginServiceClient;
use towpath_proto::v1::release_service_client::ReleaseServiceClient;
use towpath_proto::v1::server_service_client::ServerServiceClient;
use towpath_proto::v1::service_service_client::ServiceServiceClient;
use towpath_proto::v1::telemetry_service_client::TelemetryServiceClient;

pub(crate) use files::{ENVIRONMENT, PATH, service};
pub(crate) use world::World;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The token that the server takes.
pub(crate) const TOKEN: &str = "secret";

type Bearer = fn(Request<()>) -> Result<Request<()>, Status>;
pub(crate) type Way = InterceptedService<Channel, Bearer>;

/// A running server, and a client that it knows.
pub(crate) struct Rig {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) world: Arc<World>,
    pub(crate) channel: Channel,
    engine: Engine,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        now()
    }
}

#[expect(clippy::disallowed_methods, reason = "the engine's timers run on the wall clock here")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_millis()).unwrap())
}

fn with_token(mut request: Request<()>) -> Result<Request<()>, Status> {
    request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    Ok(request)
}

macro_rules! stub {
    ($name:ident, $client:ident) => {
        pub(crate) fn $name(&self) -> $client<Way> {
            $client::new(InterceptedService::new(self.channel.clone(), with_token as Bearer))
        }
    };
}

impl Rig {
    /// Starts a server on a port that the system chooses.
    pub(crate) async fn start() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(now));
        let world = Arc::new(World::default());
        *world.store.lock().unwrap() = Some(Arc::clone(&store));
        let options = EngineOptions {
            store: Arc::clone(&store),
            driver: world.clone(),
            clock: Arc::new(WallClock),
            owner: Owner("test".to_owned()),
            lease_ttl: Millis::seconds(30),
            replicated: false,
            pack_after: Millis::hours(1),
        };
        let engine = Engine::start(options).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let info = ServerInfo { version: "0.0.0".to_owned(), data_dir: "nowhere".to_owned(), started_at: now() };
        let api = Api {
            handle: engine.handle(),
            plugins: world.clone(),
            artifacts: world.clone(),
            measured: Some(world.clone()),
            clock: Arc::new(WallClock),
            info: Arc::new(info),
        };
        let ada = Actor { name: "user:ada".to_owned(), groups: vec!["group:operators".to_owned()], from: String::new() };
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve(listener, api, Tokens::single(TOKEN, ada), stopped).await.unwrap();
        });
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
        Self { store, world, channel, engine, stop: Some(stop), served }
    }

    /// Starts a server that knows the path, the environment and the services `quick` and `slow`, each with releases v1 and v2.
    pub(crate) async fn furnished() -> Self {
        let rig = Self::start().await;
        rig.paths().publish(apply(PATH)).await.unwrap();
        rig.environments().apply(apply(ENVIRONMENT)).await.unwrap();
        for (name, watch) in [("quick", "20ms"), ("slow", "1h")] {
            rig.services().apply(apply(&service(name, watch))).await.unwrap();
            for label in ["v1", "v2"] {
                rig.release(name, label).await;
            }
        }
        rig
    }

    /// Makes a release of its own artifact.
    pub(crate) async fn release(&self, service: &str, label: &str) -> v1::Release {
        self.releases().create(release(service, label)).await.unwrap().into_inner()
    }

    stub!(services, ServiceServiceClient);
    stub!(environments, EnvironmentServiceClient);
    stub!(paths, PathServiceClient);
    stub!(releases, ReleaseServiceClient);
    stub!(plugins, PluginServiceClient);
    stub!(server, ServerServiceClient);
    stub!(telemetry, TelemetryServiceClient);
    stub!(deployments, DeploymentServiceClient);

    /// Starts a deployment and returns its id.
    pub(crate) async fn deploy(&self, service: &str, release: &str) -> String {
        self.deployments().start(start(service, release)).await.unwrap().into_inner().deployment_id
    }

    /// Returns a deployment as it is now.
    pub(crate) async fn get(&self, id: &str) -> v1::Deployment {
        let request = v1::GetDeploymentRequest { deployment_id: id.to_owned() };
        self.deployments().get(request).await.unwrap().into_inner()
    }

    /// Follows a deployment until the condition holds, and returns everything seen up to there.
    pub(crate) async fn follow(&self, id: &str, until: impl Fn(&v1::Deployment) -> bool) -> Vec<v1::DeploymentUpdate> {
        let request = v1::WatchDeploymentRequest { deployment_id: id.to_owned(), after_version: 0 };
        let mut stream = self.deployments().watch(request).await.unwrap().into_inner();
        let mut seen = Vec::new();
        let followed = async {
            while let Some(update) = stream.message().await.unwrap() {
                let met = until(update.deployment.as_ref().unwrap());
                seen.push(update);
                if met {
                    return;
                }
            }
            panic!("the watch of {id} ended before the condition held");
        };
        let late = tokio::time::timeout(PATIENCE, followed).await.is_err();
        let story = || seen.iter().map(|update| format!("{} {}\n", update.version, update.sentence)).collect::<String>();
        assert!(!late, "{id} did not get there:\n{}", story());
        seen
    }

    /// Follows a deployment to its end and returns it.
    pub(crate) async fn end_of(&self, id: &str) -> v1::Deployment {
        self.follow(id, |deployment| deployment.ended).await.pop().unwrap().deployment.unwrap()
    }

    /// Stops the server in order.
    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.served).await.expect("the server stops").unwrap();
        self.engine.shutdown().await;
    }
}

pub(crate) fn apply(text: &str) -> v1::ApplyRequest {
    v1::ApplyRequest { text: text.to_owned(), file_name: "file.yaml".to_owned() }
}

pub(crate) fn release(service: &str, label: &str) -> v1::CreateReleaseRequest {
    v1::CreateReleaseRequest {
        service: service.to_owned(),
        label: label.to_owned(),
        artifact: format!("/srv/{service}-{label}"),
        ..v1::CreateReleaseRequest::default()
    }
}

pub(crate) fn scope(service: &str) -> Option<v1::Scope> {
    Some(v1::Scope { service: service.to_owned(), environment: "local".to_owned() })
}

pub(crate) fn start(service: &str, release: &str) -> v1::StartRequest {
    v1::StartRequest { scope: scope(service), release: release.to_owned(), ..v1::StartRequest::default() }
}

pub(crate) fn command(id: &str) -> v1::CommandRequest {
    v1::CommandRequest { deployment_id: id.to_owned(), ..v1::CommandRequest::default() }
}

/// Returns the stable code that a refusal carries.
pub(crate) fn code(status: &Status) -> String {
    let bytes = status.metadata().get_bin(towpath_proto::ERROR_TRAILER).expect("a refusal carries its code").to_bytes().unwrap();
    v1::ErrorDetail::decode(bytes).unwrap().code
}
