//! A public port: accepts, speaks HTTP/1.1, and closes without cutting anybody off.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::limits::{ACCEPT_PAUSE, CONNECTIONS_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEAD_TIMEOUT};
use crate::route::forward::forward;
use crate::route::table::PublicRoute;

/// An open public port. Dropping it closes the port and cuts its connections off.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    close: Option<oneshot::Sender<Duration>>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Takes a port; 0 lets the system pick. Nothing is accepted before [`Listener::serve`].
    pub(crate) async fn bind(host: IpAddr, port: u16) -> io::Result<TcpListener> {
        TcpListener::bind((host, port)).await
    }

    /// Starts to accept.
    pub(crate) fn serve(socket: TcpListener, route: Arc<PublicRoute>) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let (close, closed) = oneshot::channel();
        let task = tokio::spawn(accept(socket, route, closed));
        Ok(Self { address, close: Some(close), task })
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting at once. The future ends when the last connection finished its request, or after `drain`.
    pub(crate) fn close(mut self, drain: Duration) -> impl Future<Output = ()> + use<> {
        if let Some(close) = self.close.take() {
            let _ = close.send(drain);
        }
        let (finished, ended) = oneshot::channel();
        tokio::spawn(async move {
            let _ = (&mut self.task).await;
            let _ = finished.send(());
        });
        async move {
            let _ = ended.await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(socket: TcpListener, route: Arc<PublicRoute>, mut closed: oneshot::Receiver<Duration>) {
    let (closing, closed_too) = watch::channel(());
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Owns the connections: when this task goes, they go.
    let mut connections = JoinSet::new();
    let drain = loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            let permit = permits.clone().acquire_owned().await;
            (socket.accept().await, permit)
        };
        tokio::select! {
            drain = &mut closed => break drain.unwrap_or_default(),
            (accepted, permit) = next => match (accepted, permit) {
                (Ok((stream, peer)), Ok(permit)) => {
                    connections.spawn(serve(stream, peer, route.clone(), closed_too.clone(), permit));
                }
                (Err(error), _) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                (_, Err(_)) => unreachable!("BUG: the semaphore is never closed"),
            }
        }
    };
    drop(socket);
    drop(closing);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(drain, all).await;
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    route: Arc<PublicRoute>,
    mut closed: watch::Receiver<()>,
    permit: OwnedSemaphorePermit,
) {
    // Without it small answers wait for acknowledgements; a failure costs time only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let route = route.clone();
        async move { Ok::<_, Infallible>(forward(&route, peer.ip(), request).await) }
    });
    // The number of headers keeps hyper's own limit (100): another one costs an allocation for every request.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD_TIMEOUT)
        .max_buf_size(REQUEST_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // The sender is dropped when the port closes: finish the request at hand and take no other.
        _ = closed.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
    drop(permit);
}
