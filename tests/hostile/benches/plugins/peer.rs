//! How peers do it: a plugin is a child process that is asked over gRPC on a Unix socket.
//!
//! The child is this benchmark again, as a server of the same target: it is told what a plugin is told, reads the settings with the same
//! code, and answers with the same descriptor. Only the way there and back differs.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::task::{Context, Poll};
use std::time::Duration;

use plugin_host::CallContext;
use target_local::TargetLocal;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::body::Body;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use towpath_sdk::target::{Fencing, describe};

use crate::measure::{Times, now};

/// The argument before the socket's path.
pub(crate) const ARGUMENT: &str = "--peer";

/// Starts that are counted.
const STARTS: usize = 20;

/// How long a child may take to answer for the first time.
const START_MAX: Duration = Duration::from_secs(10);

/// Between two attempts to reach a child that starts.
const AGAIN: Duration = Duration::from_micros(200);

/// Where the one question is asked.
const METHOD: &str = "/bench.Target/Describe";

/// What a plugin is told.
#[derive(Clone, prost::Message)]
pub(crate) struct Question {
    #[prost(string, tag = "1")]
    service: String,
    #[prost(string, tag = "2")]
    environment: String,
    #[prost(string, tag = "3")]
    settings: String,
    #[prost(string, tag = "4")]
    deployment: String,
    #[prost(string, tag = "5")]
    operation_key: String,
    #[prost(uint64, tag = "6")]
    fence: u64,
    #[prost(uint32, tag = "7")]
    attempt: u32,
    #[prost(int64, tag = "8")]
    deadline_ms: i64,
    #[prost(bool, tag = "9")]
    outcome_unknown: bool,
    #[prost(bytes = "vec", optional, tag = "10")]
    state: Option<Vec<u8>>,
    #[prost(string, optional, tag = "11")]
    artifact_digest: Option<String>,
}

/// What a target answers.
#[derive(Clone, prost::Message)]
struct Descriptor {
    #[prost(bool, tag = "1")]
    weights: bool,
    #[prost(uint32, tag = "2")]
    weight_granularity_basis_points: u32,
    #[prost(bool, tag = "3")]
    header_match: bool,
    #[prost(bool, tag = "4")]
    cookie_match: bool,
    #[prost(bool, tag = "5")]
    sticky: bool,
    #[prost(bool, tag = "6")]
    mirror: bool,
    #[prost(bool, tag = "7")]
    instant_switch: bool,
    #[prost(bool, tag = "8")]
    native_fencing: bool,
}

impl From<CallContext> for Question {
    fn from(context: CallContext) -> Self {
        Self {
            service: context.service,
            environment: context.environment,
            settings: context.settings,
            deployment: context.deployment,
            operation_key: context.operation_key,
            fence: context.fence,
            attempt: context.attempt,
            deadline_ms: context.deadline_ms,
            outcome_unknown: context.outcome_unknown,
            state: context.state,
            artifact_digest: context.artifact_digest,
        }
    }
}

/// The target, as a service.
#[derive(Clone)]
struct Target;

impl NamedService for Target {
    const NAME: &'static str = "bench.Target";
}

impl Service<http::Request<Body>> for Target {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async { Ok(tonic::server::Grpc::new(ProstCodec::default()).unary(Describe, request).await) })
    }
}

/// Its one method.
struct Describe;

impl UnaryService<Question> for Describe {
    type Response = Descriptor;
    type Future = Ready<Result<Response<Descriptor>, Status>>;

    fn call(&mut self, request: Request<Question>) -> Self::Future {
        let found = describe::<TargetLocal>(&request.get_ref().settings);
        let answer = found.map(|found| Descriptor {
            weights: found.weights,
            weight_granularity_basis_points: found.weight_granularity_basis_points.into(),
            header_match: found.header_match,
            cookie_match: found.cookie_match,
            sticky: found.sticky,
            mirror: found.mirror,
            instant_switch: found.instant_switch,
            native_fencing: matches!(found.fencing, Fencing::Native),
        });
        ready(answer.map(Response::new).map_err(|fault| Status::invalid_argument(fault.message)))
    }
}

/// Answers until it is killed.
pub(crate) fn serve(socket: &Path) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let incoming = UnixListenerStream::new(UnixListener::bind(socket).expect("a socket"));
        Server::builder().add_service(Target).serve_with_incoming(incoming).await.expect("it serves until it is killed");
    });
    ExitCode::SUCCESS
}

/// A child process, killed when dropped.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        // It has nothing to lose, and may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the times of starts with the first call, and of so many calls of one that runs.
pub(crate) async fn measure(calls: usize, context: impl Fn() -> CallContext) -> (Times, Times) {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut starts, mut times) = (Times::default(), Times::default());
    for number in 0..STARTS {
        let begun = now();
        let (_peer, mut client) = start(&folder.path().join(number.to_string())).await;
        ask(&mut client, context()).await;
        starts.add(begun.elapsed());
    }
    let (_peer, mut client) = start(&folder.path().join("calls")).await;
    for _ in 0..calls {
        let begun = now();
        ask(&mut client, context()).await;
        times.add(begun.elapsed());
    }
    (starts, times)
}

async fn start(socket: &Path) -> (Peer, Channel) {
    let program = std::env::current_exe().expect("this benchmark");
    let child = Command::new(program).arg(ARGUMENT).arg(socket).stdin(Stdio::null()).spawn().expect("a process");
    let peer = Peer(child);
    let channel = tokio::time::timeout(START_MAX, wait_connected(socket)).await.expect("the child answers");
    (peer, channel)
}

async fn wait_connected(socket: &Path) -> Channel {
    let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).expect("an address");
    loop {
        match endpoint.connect().await {
            Ok(channel) => return channel,
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

async fn ask(channel: &mut Channel, context: CallContext) {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.expect("a connection");
    let (question, method) = (Request::new(Question::from(context)), PathAndQuery::from_static(METHOD));
    let answer: Response<Descriptor> = client.unary(question, method, ProstCodec::default()).await.expect("an answer");
    let found = answer.into_inner();
    assert!(found.weights && found.native_fencing, "the answer of the target: {found:?}");
}
