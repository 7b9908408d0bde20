//! Clients that are slow or silent, in virtual time.

use std::time::Duration;

use model::Scope;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::limits::REQUESTS_MAX;
use crate::otlp::{Directory, NotNow};
use crate::receiver::{Admission, Options};

struct Nothing;

impl Directory for Nothing {
    fn knows(&self, _: &Scope) -> Result<bool, NotNow> {
        Ok(false)
    }
}

/// A client's end of a connection, and the server's.
struct Line {
    client: DuplexStream,
    served: JoinHandle<()>,
    _open: watch::Sender<()>,
}

fn connect() -> Line {
    let (telemetry, directory) = (Arc::default(), Arc::new(Nothing));
    let options = Options { telemetry, directory, admission: Admission::anybody(), now_ms: Arc::new(|| 1_000) };
    let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
    let shared = Arc::new(Shared { options, requests, understanding: Arc::default() });
    let (client, server) = tokio::io::duplex(64 * 1024);
    let (open, closed) = watch::channel(());
    let served = tokio::spawn(serve(server, SocketAddr::from(([127, 0, 0, 1], 1)), shared, closed));
    Line { client, served, _open: open }
}

/// Returns after how many seconds the server left.
async fn left(line: Line) -> u64 {
    let begun = Instant::now();
    let Line { client, served, _open } = line;
    served.await.expect("no panic");
    drop(client);
    begun.elapsed().as_secs()
}

const HEAD: &str = "POST /v1/metrics HTTP/1.1\r\nhost: here\r\ncontent-type: application/x-protobuf\r\ncontent-length: ";

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_word_is_left() {
    assert_eq!(left(connect()).await, FIRST_REQUEST_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_is_left() {
    let mut line = connect();
    line.client.write_all(b"POST /v1/metrics HTTP/1.1\r\nhost: ").await.unwrap();
    assert_eq!(left(line).await, FIRST_REQUEST_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_not_said_to_its_end_is_left() {
    let mut line = connect();
    line.client.write_all(b"PRI * HT").await.unwrap();
    assert_eq!(left(line).await, FIRST_REQUEST_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_client_of_http_2_that_hears_nothing_is_left() {
    let mut line = connect();
    line.client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    assert!(left(line).await <= FIRST_REQUEST_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_answered_in_time() {
    let mut line = connect();
    line.client.write_all(format!("{HEAD}100\r\n\r\nabc").as_bytes()).await.unwrap();
    let begun = Instant::now();
    let mut answer = vec![0; 4096];
    let read = line.client.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("did not come within 10 s"), "{answer}");
    assert_eq!(begun.elapsed().as_secs(), REQUEST_TIMEOUT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_in_drops_is_answered_in_time() {
    let mut line = connect();
    line.client.write_all(format!("{HEAD}100\r\n\r\n").as_bytes()).await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(line.client);
    let dripping = tokio::spawn(async move {
        while writing.write_all(b"x").await.is_ok() {
            // tidy: the drops are what is tested, in virtual time.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let mut answer = vec![0; 4096];
    let read = reading.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 408 "));
    dripping.abort();
}

#[tokio::test(start_paused = true)]
async fn a_connection_rests_between_requests_and_is_left_after_a_while() {
    let mut line = connect();
    line.client.write_all(format!("{HEAD}0\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = line.client.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 200 "));
    let rested = left(line).await;
    assert!((60..=IDLE_TIMEOUT.as_secs()).contains(&rested), "{rested} s");
}
