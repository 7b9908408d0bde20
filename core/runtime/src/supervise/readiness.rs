//! Whether an instance may take requests: one probe, and what a row of probes means.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::limits::UNREADY_AFTER_FAILURES;
use crate::protocol::Readiness;

/// What the probes so far say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Streak {
    ready: bool,
    successes: u32,
    failures: u32,
}

impl Streak {
    /// Notes a probe and returns whether the instance is ready now.
    pub(crate) fn probed(&mut self, success: bool, wanted_successes: u32) -> bool {
        if success {
            self.failures = 0;
            self.successes = self.successes.saturating_add(1);
            self.ready |= self.successes >= wanted_successes;
        } else {
            self.successes = 0;
            self.failures = self.failures.saturating_add(1);
            self.ready &= self.failures < UNREADY_AFTER_FAILURES;
        }
        self.ready
    }
}

/// Asks an instance once. The error is what it did instead of answering with a 2xx.
///
/// Every probe opens a connection of its own: an instance that serves old connections and accepts no new ones is not ready.
pub(crate) async fn probe(address: SocketAddr, readiness: &Readiness) -> Result<(), String> {
    let within = Duration::from_millis(readiness.timeout_ms);
    let failed = |what: String| Err(format!("readiness probe of {} {what}", readiness.path));
    match tokio::time::timeout(within, ask(address, &readiness.path)).await {
        Ok(Ok(status)) if status.is_success() => Ok(()),
        Ok(Ok(status)) => failed(format!("was answered with {}", status.as_u16())),
        Ok(Err(error)) => failed(format!("failed: {error}")),
        Err(_) => failed(format!("was not answered within {} ms", readiness.timeout_ms)),
    }
}

async fn ask(address: SocketAddr, path: &str) -> Result<StatusCode, String> {
    let stream = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    let request = Request::get(path)
        .header(header::HOST, address.to_string())
        .header(header::CONNECTION, "close")
        .header(header::USER_AGENT, "towpath-runtime")
        .body(Empty::<Bytes>::new())
        .map_err(|e| e.to_string())?;
    // Beside us and not in a `select!`: the connection may end in the same moment in which the answer is there.
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await.map(|r| r.status()).map_err(|e| e.to_string());
    driver.abort();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_after_enough_successes_and_unready_after_enough_failures() {
        let check = |probes: &str, expect: &str| {
            let mut streak = Streak::default();
            let found: String = probes.chars().map(|p| if streak.probed(p == '+', 2) { 'r' } else { '.' }).collect();
            assert_eq!(found, expect, "{probes}");
        };
        check("++", ".r");
        check("+-+-++", ".....r");
        check("++--+--+", ".rrrrrrr");
        check("++---++", ".rrr..r");
    }
}
