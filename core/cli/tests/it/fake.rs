//! A server of canned answers, and a person's terminal.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use clap::Parser;
use cli::args::{Command, PluginCommand};
use cli::{Context, Exit, Output, ServerFile};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use prost::Message;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::deployment_service_server::{DeploymentService, DeploymentServiceServer};
use towpath_proto::v1::plugin_service_server::{PluginService, PluginServiceServer};
use towpath_proto::v1::service_service_server::{ServiceService, ServiceServiceServer};

/// What the server says, and what it was asked.
#[derive(Default)]
pub(crate) struct Script {
    /// One entry per watch: its updates, and the error that it breaks off with, if it does.
    pub(crate) watches: Mutex<VecDeque<(Vec<v1::DeploymentUpdate>, Option<Status>)>>,
    /// The versions that watches were resumed behind.
    pub(crate) resumed_after: Mutex<Vec<u64>>,
    /// The starts that were asked for.
    pub(crate) started: Mutex<Vec<v1::StartRequest>>,
    /// The commands that were given.
    pub(crate) commanded: Mutex<Vec<(&'static str, v1::CommandRequest)>>,
    /// What runs where.
    pub(crate) status: Mutex<v1::StatusResponse>,
    /// What was to be installed.
    pub(crate) installs: Mutex<Vec<v1::InstallPluginRequest>>,
    /// What was to be granted.
    pub(crate) grants: Mutex<Vec<v1::GrantPluginRequest>>,
    /// What was to be taken back.
    pub(crate) revocations: Mutex<Vec<v1::RevokePluginRequest>>,
    /// The tokens that were shown.
    pub(crate) tokens: Mutex<Vec<String>>,
}

/// A server on a data folder of its own.
pub(crate) struct Fake {
    pub(crate) script: Arc<Script>,
    pub(crate) folder: TempDir,
    served: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.served.abort();
    }
}

#[derive(Clone)]
struct Answers(Arc<Script>);

impl Fake {
    pub(crate) async fn start() -> Self {
        let (script, folder) = (Arc::new(Script::default()), tempfile::tempdir().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let file = ServerFile { address: listener.local_addr().unwrap().to_string(), pid: 1 };
        std::fs::write(ServerFile::path(folder.path()), format!("{{\"address\":{:?},\"pid\":1}}", file.address)).unwrap();
        std::fs::write(folder.path().join("token"), "secret\n").unwrap();
        let answers = Answers(Arc::clone(&script));
        let served = tokio::spawn(async move {
            let server = Server::builder()
                .add_service(DeploymentServiceServer::new(answers.clone()))
                .add_service(PluginServiceServer::new(answers.clone()))
                .add_service(ServiceServiceServer::new(answers));
            server.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap();
        });
        Self { script, folder, served }
    }

    /// Runs a command line and returns its exit code, what it wrote to `out` and what to `err`.
    pub(crate) async fn run(&self, line: &str) -> (Exit, String, String) {
        run(self.folder.path(), line).await
    }
}

#[derive(Parser)]
struct Line {
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Said,
}

#[derive(clap::Subcommand)]
enum Said {
    #[command(subcommand)]
    Plugin(PluginCommand),
    #[command(flatten)]
    Other(Command),
}

/// Runs a command line on a data folder.
pub(crate) async fn run(data_dir: &Path, line: &str) -> (Exit, String, String) {
    let line = Line::try_parse_from(std::iter::once("towpath").chain(line.split_whitespace())).unwrap();
    let (out, err) = (Page::default(), Page::default());
    let context = Context {
        server: None,
        data_dir: data_dir.to_owned(),
        token_file: None,
        json: line.json,
        color_out: false,
        color_err: false,
        terminal: false,
        can_ask: false,
    };
    let mut output = Output { context, out: Box::new(out.clone()), err: Box::new(err.clone()) };
    let done = match &line.command {
        Said::Plugin(command) => cli::run_plugin(command, &mut output).await,
        Said::Other(command) => cli::run(command, &mut output).await,
    };
    let exit = match done {
        Ok(exit) => exit,
        Err(error) => {
            cli::print_error(&mut output, &error).unwrap();
            error.exit()
        }
    };
    (exit, out.text(), err.text())
}

/// A stream that is read afterwards.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns a refusal as the server makes them.
pub(crate) fn refusal(status: Code, message: &str, code: &str, hint: &str) -> Status {
    let detail = v1::ErrorDetail { code: code.to_owned(), hint: hint.to_owned() };
    let mut metadata = MetadataMap::new();
    metadata.insert_bin(towpath_proto::ERROR_TRAILER, MetadataValue::from_bytes(&detail.encode_to_vec()));
    Status::with_metadata(status, message, metadata)
}

fn deployment(id: &str) -> v1::Deployment {
    v1::Deployment {
        id: id.to_owned(),
        scope: Some(v1::Scope { service: "hello".to_owned(), environment: "local".to_owned() }),
        release_label: "v2".to_owned(),
        stable_label: "v1".to_owned(),
        phase: "succeeded".to_owned(),
        ended: true,
        version: 9,
        requested_at_ms: 1_000,
        ended_at_ms: 43_000,
        outcome: "the candidate serves all traffic and is the new stable".to_owned(),
        ..v1::Deployment::default()
    }
}

/// Returns an update of a deployment.
pub(crate) fn update(version: u64, phase: &str, event: &str, sentence: &str) -> v1::DeploymentUpdate {
    let ended = event == "ended";
    v1::DeploymentUpdate {
        version,
        at_ms: i64::try_from(version).unwrap() * 1_000,
        event: event.to_owned(),
        sentence: sentence.to_owned(),
        deployment: Some(v1::Deployment { phase: phase.to_owned(), ended, version, ..deployment("d-1") }),
    }
}

type Answer<T> = Result<Response<T>, Status>;

impl Answers {
    fn command(&self, verb: &'static str, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.0.commanded.lock().unwrap().push((verb, request.into_inner()));
        Ok(Response::new(v1::CommandResponse { version: 10, repeated: false }))
    }
}

#[tonic::async_trait]
impl DeploymentService for Answers {
    async fn plan(&self, request: Request<v1::PlanRequest>) -> Answer<v1::PlanResponse> {
        let asked = request.into_inner();
        Ok(Response::new(v1::PlanResponse {
            hash: "p-1".to_owned(),
            scope: asked.scope,
            release_label: asked.release,
            text: "1. provision\n2. shift".to_owned(),
            ..v1::PlanResponse::default()
        }))
    }

    async fn start(&self, request: Request<v1::StartRequest>) -> Answer<v1::StartResponse> {
        self.0.started.lock().unwrap().push(request.into_inner());
        Ok(Response::new(v1::StartResponse { deployment_id: "d-1".to_owned(), version: 1, repeated: false }))
    }

    async fn get(&self, request: Request<v1::GetDeploymentRequest>) -> Answer<v1::Deployment> {
        // It is as far as the story that will be told.
        let version = self.0.watches.lock().unwrap().front().and_then(|(story, _)| story.last()).map_or(0, |last| last.version);
        Ok(Response::new(v1::Deployment { version, ..deployment(&request.into_inner().deployment_id) }))
    }

    async fn list(&self, _: Request<v1::ListDeploymentsRequest>) -> Answer<v1::ListDeploymentsResponse> {
        Ok(Response::new(v1::ListDeploymentsResponse::default()))
    }

    type WatchStream = BoxStream<'static, Result<v1::DeploymentUpdate, Status>>;

    async fn watch(&self, request: Request<v1::WatchDeploymentRequest>) -> Answer<Self::WatchStream> {
        self.0.resumed_after.lock().unwrap().push(request.into_inner().after_version);
        let next = self.0.watches.lock().unwrap().pop_front();
        let (updates, broken) = next.ok_or_else(|| Status::unavailable("not now"))?;
        Ok(Response::new(stream::iter(updates.into_iter().map(Ok).chain(broken.map(Err))).boxed()))
    }

    async fn pause(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command("pause", request)
    }

    async fn resume(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command("resume", request)
    }

    async fn promote(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command("promote", request)
    }

    async fn abort(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command("abort", request)
    }

    async fn rollback(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command("rollback", request)
    }

    async fn approve(&self, _: Request<v1::ApproveRequest>) -> Answer<v1::CommandResponse> {
        Err(refusal(Code::FailedPrecondition, "cannot approve a deployment that is shifting", "TP0501", "look at it"))
    }

    async fn reject(&self, request: Request<v1::CommandRequest>) -> Answer<v1::CommandResponse> {
        self.command("reject", request)
    }

    async fn restore(&self, _: Request<v1::RestoreRequest>) -> Answer<v1::StartResponse> {
        Ok(Response::new(v1::StartResponse { deployment_id: "d-2".to_owned(), version: 1, repeated: false }))
    }

    async fn status(&self, _: Request<v1::StatusRequest>) -> Answer<v1::StatusResponse> {
        Ok(Response::new(self.0.status.lock().unwrap().clone()))
    }
}

#[tonic::async_trait]
impl ServiceService for Answers {
    async fn apply(&self, request: Request<v1::ApplyRequest>) -> Answer<v1::Document> {
        let text = request.into_inner().text;
        Ok(Response::new(v1::Document { name: "hello".to_owned(), text, revision: 1, ..v1::Document::default() }))
    }

    async fn get(&self, request: Request<v1::GetRequest>) -> Answer<v1::Document> {
        let token = request.metadata().get("authorization").map(|token| token.to_str().unwrap().to_owned());
        self.0.tokens.lock().unwrap().extend(token);
        let name = request.into_inner().name;
        Err(refusal(Code::NotFound, &format!("there is no service {name:?}; known: hello"), "TP0111", ""))
    }

    async fn list(&self, _: Request<v1::ListRequest>) -> Answer<v1::ListDocumentsResponse> {
        let document = |name: &str, summary: &str| v1::Document {
            name: name.to_owned(),
            revision: 3,
            summary: summary.to_owned(),
            ..v1::Document::default()
        };
        let documents = vec![document("hello", "follows web-canary ^1.0"), document("a-longer-name", "\x1b[31mred")];
        Ok(Response::new(v1::ListDocumentsResponse { documents }))
    }
}

/// Returns a plugin that asks for more than the one before.
fn plugin(state: &str) -> v1::Plugin {
    v1::Plugin {
        name: "probe".to_owned(),
        version: "2.0.0".to_owned(),
        digest: "sha256:90ab".to_owned(),
        kinds: vec!["health".to_owned()],
        powers: vec![v1::Power { name: "http".to_owned(), reason: "to ask\x1b[2J the service".to_owned() }],
        size: 9,
        state: state.to_owned(),
        source: "file:///srv/probe.wasm".to_owned(),
        new_powers: vec!["http".to_owned()],
        grants: vec![v1::PluginGrant {
            powers: r#"{"runtime":true}"#.to_owned(),
            granted_by: "user:ada".to_owned(),
            reason: "to try it".to_owned(),
            ..v1::PluginGrant::default()
        }],
        latest_uses: vec![v1::PowerUse {
            power: "http".to_owned(),
            what: "GET http://a:80/\x1b[2J".to_owned(),
            outcome: "failed".to_owned(),
            why: "no answer in time".to_owned(),
            elapsed_us: 7,
            deployment: "d-1".to_owned(),
            service: "web".to_owned(),
            environment: "local".to_owned(),
            ..v1::PowerUse::default()
        }],
        materials: Some(v1::Materials {
            format: "spdx".to_owned(),
            materials: (1..=7).map(|number| v1::Material { name: format!("m{number}"), ..v1::Material::default() }).collect(),
            more: 3,
        }),
        settings_schemas: [("gate", "{}"), ("health", "[]")]
            .map(|(kind, schema)| v1::SettingsSchema { kind: kind.to_owned(), schema: schema.to_owned() })
            .to_vec(),
        ..v1::Plugin::default()
    }
}

#[tonic::async_trait]
impl PluginService for Answers {
    async fn list(&self, _: Request<v1::ListRequest>) -> Answer<v1::ListPluginsResponse> {
        Ok(Response::new(v1::ListPluginsResponse { plugins: vec![plugin("waiting")] }))
    }

    async fn get(&self, _: Request<v1::GetRequest>) -> Answer<v1::Plugin> {
        Ok(Response::new(plugin("waiting")))
    }

    async fn install(&self, request: Request<v1::InstallPluginRequest>) -> Answer<v1::Plugin> {
        let asked = request.into_inner();
        let state = if asked.check_only { "" } else { "waiting" };
        self.0.installs.lock().unwrap().push(asked);
        Ok(Response::new(plugin(state)))
    }

    async fn grant(&self, request: Request<v1::GrantPluginRequest>) -> Answer<v1::Plugin> {
        self.0.grants.lock().unwrap().push(request.into_inner());
        Ok(Response::new(plugin("current")))
    }

    async fn revoke(&self, request: Request<v1::RevokePluginRequest>) -> Answer<v1::Plugin> {
        self.0.revocations.lock().unwrap().push(request.into_inner());
        Ok(Response::new(plugin("current")))
    }

    async fn approve(&self, _: Request<v1::GetRequest>) -> Answer<v1::Plugin> {
        Ok(Response::new(plugin("current")))
    }

    async fn remove(&self, request: Request<v1::RemovePluginRequest>) -> Answer<v1::RemovePluginResponse> {
        Ok(Response::new(v1::RemovePluginResponse { name: request.into_inner().name, digest: "sha256:90ab".to_owned() }))
    }
}
