//! A registry that does what it is told: for what a proper one never answers.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// The paths that were asked for, with the proof that came along.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A server that answers by a function of the request.
pub(crate) struct Liar {
    pub(crate) host: String,
    pub(crate) asked: Asked,
    serving: tokio::task::JoinHandle<()>,
}

impl Liar {
    pub(crate) async fn start(answer: impl Fn(&str, Option<&str>) -> Response<Full<Bytes>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Asked::default();
        let (answer, seen) = (Arc::new(answer), asked.clone());
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen) = (answer.clone(), seen.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let path = request.uri().path_and_query().unwrap().to_string();
                    let proof = request.headers().get("authorization").map(|proof| proof.to_str().unwrap().to_owned());
                    let response = answer(&path, proof.as_deref());
                    seen.lock().unwrap().push((path, proof));
                    async move { Ok::<_, Infallible>(response) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { host, asked, serving }
    }

    pub(crate) fn times_asked(&self, part: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(path, _)| path.contains(part)).count()
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Returns an answer.
pub(crate) fn answer(status: u16, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    Response::builder().status(status).body(Full::new(body.into())).unwrap()
}

/// Returns an answer with a header.
pub(crate) fn with_header(status: u16, name: &str, value: &str) -> Response<Full<Bytes>> {
    Response::builder().status(status).header(name, value).body(Full::new(Bytes::new())).unwrap()
}
