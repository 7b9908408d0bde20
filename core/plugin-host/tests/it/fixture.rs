//! What the tests share: the hostile component (built once), hosts, contexts, and small servers.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use plugin_host::{
    Assessment, CallContext, CallError, Called, Grants, HttpGrant, HttpRule, Limits, Options, Plugin, PluginHost, Scheme,
    Subjects, Window,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long a call may take unless a test says otherwise: far more than any needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Returns the hostile component.
pub(crate) fn hostile() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| built("tests/hostile-plugin"))
}

/// Returns the component of the first version of the contract.
pub(crate) fn elder() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| built("tests/elder-plugin"))
}

/// Returns the component of the second version of the contract.
pub(crate) fn second() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| built("tests/second-plugin"))
}

fn built(folder: &str) -> Vec<u8> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // The same folder as the first-party plugins: the standard library is there already.
    let guests = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("plugins");
    let options = plugin_build::Options { target_dir: Some(guests), ..plugin_build::Options::default() };
    plugin_build::build(&workspace.join(folder), &options).unwrap_or_else(|error| panic!("{folder}: {error}")).component
}

/// Returns the hostile plugin on a host with these limits.
pub(crate) fn plugin(limits: Limits) -> Plugin {
    let host = PluginHost::new(Options { limits, ..Options::default() }).expect("a host");
    host.load(hostile()).expect("the hostile plugin is a plugin")
}

/// Returns a context with these settings and this much time.
#[expect(clippy::disallowed_methods, reason = "deadlines are absolute")]
pub(crate) fn context(settings: &str, time: Duration) -> CallContext {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + time;
    CallContext {
        service: "web".to_owned(),
        environment: "test".to_owned(),
        settings: settings.to_owned(),
        deployment: "d-1".to_owned(),
        operation_key: "d-1/shift/1".to_owned(),
        fence: 7,
        attempt: 1,
        deadline_ms: i64::try_from(deadline.as_millis()).expect("a time of our age"),
        ..CallContext::default()
    }
}

/// Has the hostile plugin take a look.
pub(crate) async fn assess(plugin: &Plugin, settings: &str, grants: &Grants) -> Result<Called<Assessment>, CallError> {
    assess_within(plugin, settings, grants, PATIENCE).await
}

/// The same, with this much time.
pub(crate) async fn assess_within(
    plugin: &Plugin,
    settings: &str,
    grants: &Grants,
    time: Duration,
) -> Result<Called<Assessment>, CallError> {
    plugin.assess(&context(settings, time), &Subjects::default(), &Window::default(), grants).await
}

/// Returns a grant for plain GETs to this port of this machine.
pub(crate) fn may_get(port: u16, path: &str) -> Grants {
    let rule = HttpRule {
        scheme: Scheme::Http,
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        methods: Vec::new(),
        path: path.to_owned(),
        private: true,
        response_bytes_max: None,
        timeout_ms: None,
        credentials: None,
    };
    Grants { http: Some(HttpGrant { subjects: false, allow: vec![rule] }), ..Grants::default() }
}

/// A server that gives every connection the same answer. Stops when dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    serving: JoinHandle<()>,
}

impl Server {
    /// Starts a server; `None` takes requests and never answers.
    pub(crate) async fn start(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let serving = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 4096];
                // A client that goes away early is its own affair.
                let _ = connection.read(&mut request).await;
                match answer {
                    Some(answer) => drop(connection.write_all(answer.as_bytes()).await),
                    None => open.push(connection),
                }
            }
        });
        Self { port, serving }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A request, as a scripted service sees it.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

/// What a scripted service answers: status, type and body.
pub(crate) type Said = (u16, &'static str, String);

/// A service of HTTP/1.1 that answers as a function says. Stops when dropped.
pub(crate) struct Service {
    pub(crate) port: u16,
    serving: JoinHandle<()>,
}

impl Service {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answer = Arc::new(answer);
        let serving = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                let service = service_fn(move |request| answered(request, Arc::clone(&answer)));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
        Self { port, serving }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answered(
    request: http::Request<Incoming>,
    answer: Arc<impl Fn(&Asked) -> Said>,
) -> Result<http::Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned();
    let asked = Asked { method: head.method.to_string(), target: head.uri.to_string(), headers: head.headers, body };
    let (status, kind, body) = answer(&asked);
    Ok(http::Response::builder().status(status).header("content-type", kind).body(Full::new(body.into())).expect("an answer"))
}

/// Returns an answer with this status line, headers and body.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
