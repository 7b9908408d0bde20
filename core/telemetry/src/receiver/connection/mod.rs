//! Connections: accepted, served in whichever version of HTTP they speak, and left when nobody says anything.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::{Shared, grpc, http as otlp_http};
use crate::limits::{
    ACCEPT_PAUSE, CONNECTIONS_MAX, FIRST_REQUEST_TIMEOUT, HEAD_BYTES_MAX, IDLE_TIMEOUT, REQUEST_TIMEOUT,
    STREAMS_PER_CONNECTION_MAX,
};

/// The answer to any request.
pub(super) type Response = http::Response<tonic::body::Body>;

/// Accepts connections until `shutdown` is ready, and then lets requests in flight end.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>, shutdown: impl Future<Output = ()> + Send) {
    let (closing, closed) = watch::channel(());
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            let permit = Arc::clone(&permits).acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            () = &mut shutdown => break,
            (permit, accepted) = next => match (permit, accepted) {
                (Ok(permit), Ok((stream, peer))) => {
                    let (shared, closed) = (Arc::clone(&shared), closed.clone());
                    // Without it small answers wait for acknowledgements; a failure costs time only.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(async move {
                        serve(stream, peer, shared, closed).await;
                        drop(permit);
                    });
                }
                (_, Err(error)) => {
                    tracing::warn!(%error, "cannot accept a connection with telemetry");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                (Err(_), _) => unreachable!("BUG: the semaphore is never closed"),
            }
        }
    }
    drop(listener);
    drop(closing);
    let all = async { while connections.join_next().await.is_some() {} };
    // What takes longer than a request may take is cut off with the set.
    let _ = tokio::time::timeout(REQUEST_TIMEOUT, all).await;
}

/// What is going on on a connection.
#[derive(Default)]
struct Activity {
    begun: watch::Sender<u64>,
    open: AtomicUsize,
}

/// Serves a connection until it ends, nobody says anything for long, or `closed` is.
async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: S,
    peer: SocketAddr,
    shared: Arc<Shared>,
    mut closed: watch::Receiver<()>,
) {
    let activity = Arc::new(Activity::default());
    let mut begun = activity.begun.subscribe();
    let noted = Arc::clone(&activity);
    let service = service_fn(move |request| {
        let (shared, activity) = (Arc::clone(&shared), Arc::clone(&noted));
        async move {
            activity.open.fetch_add(1, Relaxed);
            activity.begun.send_modify(|requests| *requests += 1);
            let answer = answer(&shared, request).await;
            activity.open.fetch_sub(1, Relaxed);
            Ok::<_, Infallible>(answer)
        }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut patience = FIRST_REQUEST_TIMEOUT;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, error, "a connection with telemetry ended early");
                }
                break;
            }
            // The sender is dropped when we stop: finish what is open, take nothing new.
            _ = closed.changed() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.as_mut().await;
                break;
            }
            seen = tokio::time::timeout(patience, begun.changed()) => match seen {
                Ok(_) => patience = IDLE_TIMEOUT,
                Err(_) if activity.open.load(Relaxed) == 0 => {
                    tracing::debug!(%peer, "a connection without telemetry is closed");
                    break;
                }
                Err(_) => {}
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // A head includes the rest before it: connections are kept between requests.
    let http1 = &mut builder.http1();
    http1.timer(TokioTimer::new()).header_read_timeout(FIRST_REQUEST_TIMEOUT).max_buf_size(HEAD_BYTES_MAX as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(HEAD_BYTES_MAX)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(REQUEST_TIMEOUT);
    builder
}

/// Answers a request, in whichever protocol it speaks.
async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Response {
    let admission = &shared.options.admission;
    let origin = admission.origin(request.headers()).and_then(|origin| HeaderValue::from_str(origin).ok());
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_grpc = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    let answered = async {
        match is_grpc {
            true => grpc::answer(shared, request).await,
            false => otlp_http::answer(shared, request).await,
        }
    };
    let mut response = match tokio::time::timeout(REQUEST_TIMEOUT, answered).await {
        Ok(response) => response,
        Err(_) if is_grpc => grpc::too_slow(),
        Err(_) => otlp_http::too_slow(),
    };
    if let Some(origin) = origin {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("origin"));
    }
    response
}
