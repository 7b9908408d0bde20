//! What every test stands on: a runtime in its own folder, releases to give it, and callers that keep their connections.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use model::{EnvironmentName, Scope, ServiceName};
use runtime::client::{Client, ClientError};
use runtime::protocol::{DesiredState, Group, Readiness, Status, Traffic};
use runtime::{Options, Running, Runtime};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// How long a test waits for anything before it fails. Long, because the machine may be busy; nothing waits for it to pass.
const DEADLINE: Duration = Duration::from_secs(60);

/// The program that plays the service.
pub(crate) const SERVICE: &str = env!("CARGO_BIN_EXE_runtime-test-service");

pub(crate) struct Stage {
    pub(crate) dir: TempDir,
    pub(crate) client: Client,
    running: Option<Running>,
    fence: u64,
    /// Whether metrics can be read, and services are told where to send theirs.
    watched: bool,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::open(false).await
    }

    /// Returns a stage with an address for metrics.
    pub(crate) async fn watched() -> Self {
        Self::open(true).await
    }

    async fn open(watched: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::new(Options::default_control_socket(&dir.path().join("data")));
        let mut stage = Self { dir, client, running: None, fence: 0, watched };
        stage.start().await;
        stage
    }

    pub(crate) fn options(&self) -> Options {
        let options = Options::new(&self.dir.path().join("data"), &self.dir.path().join("artifacts"));
        match self.watched {
            true => Options {
                metrics_listen: Some(([127, 0, 0, 1], 0).into()),
                otlp_endpoint: Some("http://127.0.0.1:4318".to_owned()),
                ..options
            },
            false => options,
        }
    }

    /// Returns where metrics can be read, on a stage that is watched.
    pub(crate) fn metrics(&self) -> SocketAddr {
        self.running.as_ref().unwrap().metrics_address().unwrap()
    }

    pub(crate) async fn start(&mut self) {
        self.running = Some(Runtime::start(self.options()).await.unwrap());
    }

    pub(crate) async fn shutdown(&mut self) {
        self.running.take().unwrap().shutdown().await;
    }

    /// Registers a release whose folder holds only its version and `words`, and returns how to run one instance of it.
    pub(crate) fn release(&self, version: &str, words: &[&str]) -> Group {
        let source = tempfile::tempdir().unwrap();
        fs::write(source.path().join("version"), version).unwrap();
        fs::write(source.path().join("words"), words.join(" ")).unwrap();
        let store = artifact::Store::open(&self.dir.path().join("artifacts")).unwrap();
        let imported = store.import(source.path()).unwrap();
        let command = [SERVICE, version].iter().chain(words).map(|word| (*word).to_owned()).collect();
        Group {
            release: version.to_owned(),
            artifact_digest: imported.digest.to_string(),
            command,
            env: BTreeMap::new(),
            instances: 1,
            readiness: Readiness { path: "/healthz".to_owned(), interval_ms: 50, timeout_ms: 5000, successes: 1 },
            stop_timeout_ms: 5000,
        }
    }

    /// Registers a release of the example service with knobs, and returns how to run one instance of it.
    pub(crate) fn hello(&self, version: &str, knobs: &[(&str, &str)]) -> Group {
        let program = Path::new(SERVICE).with_file_name("hello-service");
        assert!(program.is_file(), "{} is missing; build it with `cargo build -p hello-service`", program.display());
        let source = tempfile::tempdir().unwrap();
        fs::copy(program, source.path().join("hello-service")).unwrap();
        fs::write(source.path().join("hello.env"), format!("VERSION={version}\n")).unwrap();
        let store = artifact::Store::open(&self.dir.path().join("artifacts")).unwrap();
        let imported = store.import(source.path()).unwrap();
        let env = knobs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let command = vec!["./hello-service".to_owned()];
        Group { command, env, artifact_digest: imported.digest.to_string(), ..self.release(version, &[]) }
    }

    /// Returns a state with a higher fence than every one before.
    pub(crate) fn next(&mut self, stable: Option<&Group>, candidate: Option<&Group>, traffic: Option<Traffic>) -> DesiredState {
        self.fence += 1;
        DesiredState {
            fence: self.fence,
            operation_key: format!("key-{}", self.fence),
            port: 0,
            stable: stable.cloned(),
            candidate: candidate.cloned(),
            traffic,
            drain_timeout_ms: 10_000,
        }
    }

    /// Asks for a state and waits until it is there.
    pub(crate) async fn bring(&mut self, stable: Option<&Group>, candidate: Option<&Group>, traffic: Option<Traffic>) -> Status {
        let desired = self.next(stable, candidate, traffic);
        self.client.apply(&scope(), &desired).await.unwrap();
        self.status_when(|status| status.converged).await
    }

    pub(crate) async fn apply(&self, desired: &DesiredState) -> Result<Status, ClientError> {
        self.client.apply(&scope(), desired).await
    }

    pub(crate) async fn status(&self) -> Status {
        self.client.status(&scope()).await.unwrap().unwrap()
    }

    /// Waits for a status that is as it should be, and shows the last one when it never comes.
    pub(crate) async fn status_when(&self, fits: impl Fn(&Status) -> bool) -> Status {
        let mut last = None;
        let wait = async {
            loop {
                let status = self.status().await;
                if fits(&status) {
                    return status;
                }
                last = Some(status);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let found = tokio::time::timeout(DEADLINE, wait).await;
        found.unwrap_or_else(|_| panic!("still not there: {last:#?}"))
    }
}

impl Drop for Stage {
    /// Makes the release folders writable, or nobody but root could remove the test's folder.
    fn drop(&mut self) {
        let mut open = vec![self.dir.path().join("artifacts")];
        while let Some(folder) = open.pop() {
            let _ = fs::set_permissions(&folder, Permissions::from_mode(0o700));
            let inside = fs::read_dir(&folder).into_iter().flatten().flatten();
            open.extend(inside.map(|item| item.path()).filter(|path| path.is_dir()));
        }
    }
}

pub(crate) fn scope() -> Scope {
    Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("test").unwrap() }
}

pub(crate) fn weight(candidate_basis_points: u16) -> Option<Traffic> {
    Some(Traffic { candidate_basis_points, matches: vec![], mirror_basis_points: 0, sticky: None, release_header: false })
}

/// Waits for a condition with the deadline of all tests.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("still waiting: {what}"));
}

pub(crate) fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Somebody with one connection that is never opened again: an answer that closes it is a failure.
pub(crate) struct Caller {
    sender: SendRequest<Full<Bytes>>,
}

impl Caller {
    pub(crate) async fn connect(endpoint: &str) -> Self {
        let stream = TcpStream::connect(endpoint).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    pub(crate) async fn get(&mut self, path: &str) -> (StatusCode, String) {
        self.ask(Method::GET, path, &[], "").await.unwrap()
    }

    pub(crate) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(StatusCode, String), hyper::Error> {
        let (status, _, text) = self.ask_all(method, path, headers, body).await?;
        Ok((status, text))
    }

    pub(crate) async fn ask_all(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(StatusCode, http::HeaderMap, String), hyper::Error> {
        self.sender.ready().await?;
        let request = Request::builder().method(method).uri(path).header("host", "web.test");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = self.sender.send_request(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, headers, String::from_utf8(body.to_vec()).unwrap()))
    }
}

/// Callers that ask all the time, each on its one connection.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    callers: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    pub(crate) async fn start(endpoint: &str, callers: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for _ in 0..callers {
            let (stop, mut caller) = (stop.clone(), Caller::connect(endpoint).await);
            tasks.push(tokio::spawn(async move {
                let mut answers = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match caller.ask(Method::GET, "/", &[], "").await {
                        Ok((StatusCode::OK, version)) => answers.push(version),
                        Ok((status, text)) => answers.push(format!("failed: {status} {text}")),
                        Err(error) => {
                            answers.push(format!("failed: {error}"));
                            break;
                        }
                    }
                }
                answers
            }));
        }
        Self { stop, callers: tasks }
    }

    /// Ends the load and returns how many answers there were of each kind.
    pub(crate) async fn stop(self) -> BTreeMap<String, usize> {
        self.stop.store(true, Ordering::Relaxed);
        let mut counts = BTreeMap::new();
        for caller in self.callers {
            for answer in caller.await.unwrap() {
                *counts.entry(answer).or_default() += 1;
            }
        }
        counts
    }
}
