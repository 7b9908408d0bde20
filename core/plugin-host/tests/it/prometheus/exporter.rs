//! What a Prometheus of a test's own scrapes, and a server that answers as one.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Counters of four releases, which grow with each scrape: `stable` and `good` fail once in a hundred requests, `bad` once in five,
/// `flawless` never.
pub(super) struct Exporter {
    pub(super) port: u16,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

/// As many scrapes as a service has seen that has been running for a while: beginning anew is a long way down.
const SCRAPES: u64 = 1_000;

struct State {
    scrapes: u64,
    silent: bool,
}

impl Exporter {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State { scrapes: SCRAPES, silent: false }));
        let shared = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 4096];
                // A client that goes away early is its own affair.
                let _ = connection.read(&mut request).await;
                let page = shared.lock().expect("nobody panicked").page();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\n\r\n";
                if let Some(page) = page {
                    let _ = connection.write_all(format!("{head}{page}").as_bytes()).await;
                }
            }
        });
        Self { port, state, serving }
    }

    /// Answers nobody any more.
    pub(super) fn fall_silent(&self) {
        self.state.lock().expect("nobody panicked").silent = true;
    }

    /// Counts from zero, as after a restart.
    pub(super) fn begin_anew(&self) {
        self.state.lock().expect("nobody panicked").scrapes = 0;
    }
}

impl State {
    fn page(&mut self) -> Option<String> {
        self.scrapes += 1;
        let mut page = "# TYPE requests_total counter\n".to_owned();
        for (release, failed) in [("stable", 1), ("good", 1), ("bad", 20), ("flawless", 0)] {
            for (code, each) in [("200", 100 - failed), ("500", failed)].into_iter().filter(|(_, each)| *each > 0) {
                writeln!(page, "requests_total{{release=\"{release}\",code=\"{code}\"}} {}", each * self.scrapes)
                    .expect("a text");
            }
        }
        (!self.silent).then_some(page)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A server that gives every request the same answer, and keeps what it was asked.
pub(super) struct Canned {
    pub(super) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Canned {
    pub(super) async fn start(body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let serving = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = vec![0; 64 * 1024];
                let read = connection.read(&mut request).await.unwrap_or_default();
                kept.lock().expect("nobody panicked").push(String::from_utf8_lossy(&request[..read]).into_owned());
                let _ = connection.write_all(head.as_bytes()).await;
                // A client that has read enough closes early.
                let _ = connection.write_all(body.as_bytes()).await;
            }
        });
        Self { port, asked, serving }
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
