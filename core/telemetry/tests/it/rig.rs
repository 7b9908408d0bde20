//! A receiver on a port of its own, and clients that speak to it without any help.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use model::Scope;
use prost::Message;
use telemetry::otlp::{Directory, NotNow};
use telemetry::receiver::{Admission, Options, serve};
use telemetry::{Query, Reading, Telemetry};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A Monday: what time it is, unless a test says otherwise.
pub(crate) const T: i64 = 1_795_392_000_000;

/// The same in nanoseconds.
pub(crate) const T_NS: u64 = T as u64 * 1_000_000;

/// Knows one service in production, and nothing of one that is called "unsure".
struct Web;

impl Directory for Web {
    fn knows(&self, scope: &Scope) -> Result<bool, NotNow> {
        match scope.service.as_str() {
            "unsure" => Err(NotNow("the store cannot be reached".to_owned())),
            service => Ok(service == "web" && scope.environment.as_str() == "production"),
        }
    }
}

/// A running receiver.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) telemetry: Arc<Telemetry>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<Result<(), telemetry::receiver::ReceiverError>>,
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Rig {
    pub(crate) async fn start(admission: Admission) -> Self {
        Self::start_at(admission, || T + 1_000).await
    }

    pub(crate) async fn start_at(admission: Admission, now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        let telemetry = Arc::new(Telemetry::default());
        let directory = Arc::new(Web);
        let options = Options { telemetry: Arc::clone(&telemetry), directory, admission, now_ms: Arc::new(now_ms) };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(listener, options, async {
            let _ = stopped.await;
        }));
        Self { address, telemetry, stop: Some(stop), served }
    }

    /// Stops it, and sees that it ended well.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        let served = tokio::time::timeout(PATIENCE, &mut self.served).await.expect("it stops in time");
        served.expect("no panic").expect("no error");
    }

    /// Returns what was measured of a metric from an instant on, as read long after.
    pub(crate) fn read_from(&self, metric: &str, from_ms: i64) -> Reading {
        let scope = Scope {
            service: model::ServiceName::new("web").expect("a name"),
            environment: model::EnvironmentName::new("production").expect("a name"),
        };
        let to_ms = from_ms + 300_000;
        let query = Query { metric: metric.to_owned(), from_ms: from_ms - 60_000, to_ms, ..Query::default() };
        self.telemetry.read(&scope, &query, to_ms).expect("a reading")
    }

    /// Returns how many values of a metric there were at T.
    pub(crate) fn count(&self, metric: &str) -> u64 {
        self.read_from(metric, T).windows.iter().map(|window| window.count).sum()
    }

    async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        // Without it each small frame would wait for an acknowledgement.
        stream.set_nodelay(true).expect("a socket");
        stream
    }

    pub(crate) async fn http(&self) -> Http {
        let stream = self.connect().await;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a connection");
        tokio::spawn(connection);
        Http(sender)
    }

    pub(crate) async fn grpc(&self) -> Grpc {
        let stream = self.connect().await;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("a connection");
        tokio::spawn(connection);
        Grpc(sender)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.served.abort();
    }
}

/// A connection of HTTP/1.1.
pub(crate) struct Http(http1::SendRequest<Full<Bytes>>);

impl Http {
    pub(crate) async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "here");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.0.ready().await.expect("the connection is open");
        let request = request.body(Full::new(body.into())).expect("a request");
        read(self.0.send_request(request).await.expect("an answer")).await
    }

    /// Sends protobuf.
    pub(crate) async fn post(&mut self, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let headers = [&[("content-type", "application/x-protobuf")], headers].concat();
        self.send(Method::POST, "/v1/metrics", &headers, body).await
    }
}

/// A connection of gRPC.
pub(crate) struct Grpc(http2::SendRequest<Full<Bytes>>);

pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

impl Grpc {
    /// Sends a message, packed or not as its headers say.
    pub(crate) async fn call(&mut self, path: &str, headers: &[(&str, &str)], message: &[u8]) -> Answer {
        let packed = headers.iter().any(|(name, _)| *name == "grpc-encoding");
        let mut body = vec![u8::from(packed)];
        body.extend(u32::try_from(message.len()).expect("a message").to_be_bytes());
        body.extend(message);
        self.send(path, headers, body).await
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(Method::POST).uri(format!("http://here{path}"));
        for (name, value) in [("content-type", "application/grpc"), ("te", "trailers")].iter().chain(headers) {
            request = request.header(*name, *value);
        }
        self.0.ready().await.expect("the connection is open");
        let request = request.body(Full::new(body.into())).expect("a request");
        read(self.0.send_request(request).await.expect("an answer")).await
    }
}

async fn read(response: http::Response<hyper::body::Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let body = body.collect().await.expect("a body");
    let trailers = body.trailers().cloned().unwrap_or_default();
    Answer { status: head.status, headers: head.headers, body: body.to_bytes(), trailers }
}

impl Answer {
    /// Returns a header as text, or an empty one.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the status of a gRPC call, and what was said with it.
    pub(crate) fn grpc(&self) -> (i32, String) {
        let find = |name| self.trailers.get(name).or_else(|| self.headers.get(name));
        let text = |name| find(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        (text("grpc-status").parse().unwrap_or(-1), text("grpc-message").replace("%20", " ").replace("%22", "\""))
    }

    /// Returns the message of a gRPC answer.
    pub(crate) fn message<M: Message + Default>(&self) -> M {
        M::decode(&self.body[5..]).expect("a message")
    }
}

/// Packs bytes.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).expect("in memory");
    packed.finish().expect("in memory")
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            // tidy: polls a condition, with a deadline around it.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}
