//! How peers do it: a plugin is a child process that is asked over gRPC on a Unix socket.
//!
//! The child is this benchmark again, as a server of the smallest service there is (`grpc.health.v1`): it does less than a plugin,
//! so the comparison is in its favour.

use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::measure::{Times, now};

/// The argument before the socket's path.
pub(crate) const ARGUMENT: &str = "--peer";

/// Starts that are counted.
const STARTS: usize = 20;

/// How long a child may take to answer for the first time.
const START_MAX: Duration = Duration::from_secs(10);

/// Between two attempts to reach a child that starts.
const AGAIN: Duration = Duration::from_micros(200);

/// Answers until it is killed.
pub(crate) fn serve(socket: &Path) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (_, health) = tonic_health::server::health_reporter();
        let incoming = UnixListenerStream::new(UnixListener::bind(socket).expect("a socket"));
        Server::builder().add_service(health).serve_with_incoming(incoming).await.expect("it serves until it is killed");
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
pub(crate) async fn measure(calls: usize) -> (Times, Times) {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut starts, mut times) = (Times::default(), Times::default());
    for number in 0..STARTS {
        let begun = now();
        let (_peer, mut client) = start(&folder.path().join(number.to_string())).await;
        check(&mut client).await;
        starts.add(begun.elapsed());
    }
    let (_peer, mut client) = start(&folder.path().join("calls")).await;
    for _ in 0..calls {
        let begun = now();
        check(&mut client).await;
        times.add(begun.elapsed());
    }
    (starts, times)
}

async fn start(socket: &Path) -> (Peer, HealthClient<Channel>) {
    let program = std::env::current_exe().expect("this benchmark");
    let child = Command::new(program).arg(ARGUMENT).arg(socket).stdin(Stdio::null()).spawn().expect("a process");
    let peer = Peer(child);
    let channel = tokio::time::timeout(START_MAX, wait_connected(socket)).await.expect("the child answers");
    (peer, HealthClient::new(channel))
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

async fn check(client: &mut HealthClient<Channel>) {
    client.check(HealthCheckRequest { service: String::new() }).await.expect("an answer");
}
