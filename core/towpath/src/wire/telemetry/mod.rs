//! What services measure: the listener for it, what feeds it, and where what is usual is kept.

mod backend;
mod catalog;
mod feed;
mod list;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use journal::Store;
use plugin_host::TelemetryBackend;
use runtime::client::Client;
use telemetry::Telemetry;
use telemetry::receiver::{self, Admission};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::{TelemetryArgs, TelemetryListen};
use crate::clock;
use crate::data::{Announcement, DataDir};
use crate::failure::{self, Failure};

/// What services measure, as long as this is not stopped.
pub(crate) struct Measuring {
    telemetry: Arc<Telemetry>,
    shelf: Arc<catalog::Shelf>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Measuring {
    /// Listens where the operator said, reads what is usual, and begins to learn; `None` where the operator wants none of it.
    pub(crate) async fn start(
        data: &DataDir,
        args: &TelemetryArgs,
        store: Arc<dyn Store>,
        runtime: Client,
    ) -> Result<Option<Self>, Failure> {
        let Some(TelemetryListen::At(address)) = args.telemetry_listen else { return Ok(None) };
        let listener = listen(address, args.telemetry_if_free).await?;
        let telemetry = Arc::new(Telemetry::default());
        let shelf = Arc::new(catalog::Shelf(Arc::clone(&store)));
        let unread = telemetry.restore(&*shelf).await;
        let unread = unread.map_err(|error| Failure::new("TP0405", format!("what is usual cannot be read: {error}")))?;
        unread.iter().for_each(|why| tracing::error!("{why}"));
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        if let Some(listener) = listener {
            let options = receiver::Options {
                telemetry: Arc::clone(&telemetry),
                directory: Arc::new(catalog::Directory::new(Arc::clone(&store))),
                admission: admission(data, args, address)?,
                now_ms: Arc::new(clock::now_ms),
            };
            tasks.spawn(take(data.clone(), listener, options, stopping.clone()));
        }
        let feed = feed::Feed { telemetry: Arc::clone(&telemetry), store, runtime, shelf: Arc::clone(&shelf) };
        tasks.spawn(feed.go_on(stopping));
        Ok(Some(Self { telemetry, shelf, tasks, stop }))
    }

    /// Returns what plugins ask.
    pub(crate) fn backend(&self) -> Arc<dyn TelemetryBackend> {
        Arc::new(backend::Measured(Arc::clone(&self.telemetry)))
    }

    /// Returns what people ask.
    pub(crate) fn listed(&self) -> Arc<dyn api::Measured> {
        Arc::new(list::Listed(Arc::clone(&self.telemetry)))
    }

    /// Stops, and writes down what was learnt.
    pub(crate) async fn stop(mut self, data: &DataDir) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        data.withdraw_telemetry(std::process::id());
        if let Err(error) = self.telemetry.save(&*self.shelf).await {
            tracing::warn!(%error, "what was learnt lately is not written down");
        }
    }
}

async fn listen(address: SocketAddr, if_free: bool) -> Result<Option<TcpListener>, Failure> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if if_free && error.kind() == ErrorKind::AddrInUse => {
            tracing::warn!(%address, "another program has the address for services' metrics; name another with --telemetry-listen");
            Ok(None)
        }
        Err(error) => Err(Failure::new("TP0302", format!("cannot listen on {address} for services' metrics: {error}"))
            .hint("choose another address with --telemetry-listen HOST:PORT, or `off`")),
    }
}

fn admission(data: &DataDir, args: &TelemetryArgs, address: SocketAddr) -> Result<Admission, Failure> {
    let admission = match address.ip().is_loopback() {
        true => Admission::anybody(),
        false => Admission::token(&data.telemetry_token()?),
    };
    let origins = args.telemetry_origins.clone();
    admission.with_origins(origins).map_err(|why| Failure::new("TP0302", format!("--telemetry-origin: {why}")).usage())
}

/// Takes metrics until the server stops.
async fn take(data: DataDir, listener: TcpListener, options: receiver::Options, mut stopping: watch::Receiver<bool>) {
    match listener.local_addr() {
        Ok(address) => {
            let ours = Announcement { address: address.to_string(), pid: std::process::id() };
            if let Err(failure) = data.announce_telemetry(&ours) {
                tracing::warn!(%failure, "services may not find where to send their metrics");
            }
            tracing::info!(%address, "services' metrics are taken");
        }
        Err(error) => tracing::warn!(%error, "it is not known where services' metrics are taken"),
    }
    let stopped = async move {
        // Whoever holds the other end is gone: that is a stop as well.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    if let Err(error) = receiver::serve(listener, options, stopped).await {
        tracing::error!(error = failure::chain(&error), "services' metrics are not taken any more");
    }
}
