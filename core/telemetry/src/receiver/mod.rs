//! Listening for telemetry: OTLP over gRPC and over HTTP (protobuf and JSON), both on one port, told apart request by request.
//!
//! Taken are metrics alone. Nothing of a request is trusted: it is bounded before it is read, as sent, as unpacked and in what its parts
//! would take; slow clients are left, and there are only so many requests, calls and connections at once. At worst the receiver takes 180
//! MB: sixteen requests of 4 MiB, packed and unpacked, and the parts of the one that is being understood.

mod admission;
mod connection;
mod grpc;
mod http;
mod understand;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::Scope;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::limits::{REQUESTS_MAX, WINDOW_MS};
use crate::otlp::Directory;
use crate::scope::Tally;
use crate::telemetry::{Strangers, Telemetry};

pub use admission::Admission;

/// How often a listener closes windows.
const TICK_EVERY: Duration = Duration::from_millis(WINDOW_MS.unsigned_abs());

/// How many ticks are between two looks at what was refused: a minute.
const TICKS_PER_LOOK: u64 = 6;

/// What a listener is made of.
#[derive(Clone)]
pub struct Options {
    /// Where points go.
    pub telemetry: Arc<Telemetry>,
    /// Which scopes are known.
    pub directory: Arc<dyn Directory>,
    /// Who may send.
    pub admission: Admission,
    /// What time it is, in Unix milliseconds.
    pub now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

/// Telemetry cannot be listened for.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    /// Anybody could send from elsewhere.
    #[error("telemetry without a token is taken on a loopback address only, and {0} is none")]
    Open(SocketAddr),
    /// The listener cannot be used.
    #[error("the listener for telemetry cannot be used")]
    Listener(#[source] std::io::Error),
}

/// What every request needs.
struct Shared {
    options: Options,
    /// Requests that are being read.
    requests: Arc<Semaphore>,
    /// The one request that is being understood: that is what takes memory.
    understanding: Arc<tokio::sync::Mutex<()>>,
}

/// Takes telemetry on `listener` until `shutdown` is ready; then lets requests in flight end, and returns. While it runs it closes windows,
/// and says every minute in the log what was refused.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ReceiverError> {
    let address = listener.local_addr().map_err(ReceiverError::Listener)?;
    if !address.ip().is_loopback() && !options.admission.asks_for_token() {
        return Err(ReceiverError::Open(address));
    }
    let keeping = tokio::spawn(keep(Arc::clone(&options.telemetry), Arc::clone(&options.now_ms)));
    let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
    let shared = Arc::new(Shared { options, requests, understanding: Arc::default() });
    connection::accept(listener, shared, shutdown).await;
    keeping.abort();
    Ok(())
}

/// Closes windows, and says what was refused, for ever.
async fn keep(telemetry: Arc<Telemetry>, now_ms: Arc<dyn Fn() -> i64 + Send + Sync>) {
    let mut told = Told::default();
    let mut ticks = tokio::time::interval(TICK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for tick in 0_u64.. {
        ticks.tick().await;
        telemetry.tick(now_ms());
        if tick % TICKS_PER_LOOK == 0 {
            tell(&telemetry, &mut told);
        }
    }
}

/// What was in the log already.
#[derive(Default)]
struct Told {
    scopes: BTreeMap<Scope, Tally>,
    strangers: u64,
}

/// Says what was not taken, or not taken as it came, since the last time.
fn tell(telemetry: &Telemetry, told: &mut Told) {
    let Strangers { points, last_refusal } = telemetry.strangers();
    if points > told.strangers {
        let points = points - told.strangers;
        tracing::warn!(points, why = last_refusal, "telemetry of nobody that is known was turned away");
    }
    told.strangers = points;
    let views = telemetry.view();
    told.scopes.retain(|scope, _| views.iter().any(|view| view.scope == *scope));
    for view in views {
        let known = told.scopes.entry(view.scope.clone()).or_default();
        let Tally { refused, skewed, crowded_out, last_refusal, .. } = &view.tally;
        if *refused > known.refused {
            let (scope, points, turned_away) = (&view.scope, refused - known.refused, view.turned_away);
            tracing::warn!(%scope, points, turned_away, why = last_refusal, "telemetry was refused");
        }
        if *skewed > known.skewed {
            let (scope, points) = (&view.scope, skewed - known.skewed);
            tracing::warn!(%scope, points, "telemetry came from clocks that are far from this one, and was placed at its arrival");
        }
        if *crowded_out > known.crowded_out {
            let (scope, windows) = (&view.scope, crowded_out - known.crowded_out);
            tracing::warn!(%scope, windows, "there was too much telemetry to keep it for an hour");
        }
        *known = view.tally;
    }
}
