//! The load generator: callers that keep calling the service's public address and remember every answer.
//!
//! It is a client like any other: it knows the address and nothing of deployments, and it never repeats a failed request.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::clock;

/// Callers at once: enough that a canary of 5 % sees a request every few milliseconds, few enough for a laptop.
const CALLERS: usize = 16;

/// The pause between two calls of one caller.
const PACE: Duration = Duration::from_millis(40);

/// How long a caller waits for its answer before it counts the request as failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// One request as its caller saw it.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// When the answer, or its absence, was known; Unix milliseconds.
    pub(crate) at_ms: i64,
    /// Whether the answer was a success.
    pub(crate) ok: bool,
    /// The version that the answer names, if it names one.
    pub(crate) version: Option<String>,
    /// What went wrong, for people.
    pub(crate) fault: Option<String>,
}

/// A running load.
pub(crate) struct Load {
    samples: Arc<Mutex<Vec<Sample>>>,
    stop: watch::Sender<bool>,
    callers: JoinSet<()>,
}

impl Load {
    /// Starts calling `http://{address}/`.
    pub(crate) fn start(address: &str) -> Self {
        let samples = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = watch::channel(false);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let uri = format!("http://{address}/");
            callers.spawn(call_until_stopped(client.clone(), uri, Arc::clone(&samples), stopped.clone()));
        }
        Self { samples, stop, callers }
    }

    /// Returns how many requests were answered so far, and how many of them failed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let samples = self.samples.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (samples.len(), samples.iter().filter(|s| !s.ok).count())
    }

    /// Stops calling, lets the last answers come in, and returns all samples in the order of their answers.
    pub(crate) async fn stop(mut self) -> Vec<Sample> {
        self.stop.send_replace(true);
        while self.callers.join_next().await.is_some() {}
        let mut samples = std::mem::take(&mut *self.samples.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        samples.sort_by_key(|s| s.at_ms);
        samples
    }
}

type HttpClient = Client<HttpConnector, Empty<Bytes>>;

async fn call_until_stopped(client: HttpClient, uri: String, samples: Arc<Mutex<Vec<Sample>>>, mut stop: watch::Receiver<bool>) {
    let mut pace = interval(PACE);
    // A slow answer delays its own caller's next call; it is not made up for by a burst.
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = pace.tick() => {}
            _ = stop.changed() => return,
        }
        let sample = call(&client, &uri).await;
        samples.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(sample);
    }
}

async fn call(client: &HttpClient, uri: &str) -> Sample {
    let answered = match uri.parse() {
        Ok(uri) => timeout(PATIENCE, answer(client, uri)).await.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}"))),
        Err(error) => Err(format!("not an address: {error}")),
    };
    let at_ms = clock::now_ms();
    match answered {
        Ok((ok, status, version)) => {
            let fault = (!ok).then(|| format!("status {status}"));
            Sample { at_ms, ok, version, fault }
        }
        Err(fault) => Sample { at_ms, ok: false, version: None, fault: Some(fault) },
    }
}

async fn answer(client: &HttpClient, uri: hyper::Uri) -> Result<(bool, u16, Option<String>), String> {
    let response = client.get(uri).await.map_err(|error| chain(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(|error| error.to_string())?;
    let version = serde_json::from_slice::<serde_json::Value>(&body.to_bytes())
        .ok()
        .and_then(|answer| answer.get("version")?.as_str().map(str::to_owned));
    Ok((status.is_success(), status.as_u16(), version))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
