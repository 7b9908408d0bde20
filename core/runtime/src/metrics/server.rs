//! Accepting connections of those who scrape.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};

use crate::control::Directory;
use crate::error::StartError;
use crate::limits::{ACCEPT_PAUSE, METRICS_CONNECTIONS_MAX, METRICS_HEAD_BYTES_MAX, REQUEST_HEAD_TIMEOUT};
use crate::metrics::answer::answer;

/// An address that was taken. Nobody is answered before [`Metrics::start`].
pub(crate) struct Open {
    socket: TcpListener,
    address: SocketAddr,
}

/// The interface for metrics; runs until it is dropped.
pub(crate) struct Metrics {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// Takes an address; port 0 lets the system pick.
pub(crate) async fn open(address: SocketAddr) -> Result<Open, StartError> {
    let failed = |source| StartError::Metrics { address, source };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok(Open { socket, address })
}

impl Metrics {
    pub(crate) fn start(open: Open, directory: Directory) -> Self {
        Self { address: open.address, task: tokio::spawn(accept(open.socket, directory)) }
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(socket: TcpListener, directory: Directory) {
    let permits = Arc::new(Semaphore::new(METRICS_CONNECTIONS_MAX));
    // Owns the connections: when this task goes, they go.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, _)) => drop(connections.spawn(serve(stream, directory.clone(), permit))),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection for metrics");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, directory: Directory, permit: OwnedSemaphorePermit) {
    let service = service_fn(move |request| {
        let directory = directory.clone();
        async move { Ok::<_, Infallible>(answer(&directory, &request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD_TIMEOUT)
        .max_buf_size(METRICS_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection for metrics ended early");
    }
    drop(permit);
}
