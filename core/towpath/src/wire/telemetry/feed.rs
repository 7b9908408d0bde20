//! What is done again and again: the router's counters are read, what is usual is learnt, and written down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use journal::Store;
use model::{EnvironmentName, Scope, ServiceName};
use runtime::client::Client;
use runtime::protocol::{ScopeSummary, SideCounters, StatusClasses};
use telemetry::{RouterCounters, Telemetry};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::catalog::Shelf;
use crate::clock;
use crate::failure;

/// How often the router's counters are read: twice in a window.
const READ_EVERY: Duration = Duration::from_secs(5);

/// After how many readings it is learnt: every minute.
const READINGS_PER_MINUTE: u64 = 12;

/// After how many it is written down: every hour. A server that is killed has forgotten no more.
const READINGS_PER_HOUR: u64 = 60 * READINGS_PER_MINUTE;

/// What is fed, from where, and where to.
pub(super) struct Feed {
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) store: Arc<dyn Store>,
    pub(super) runtime: Client,
    pub(super) shelf: Arc<Shelf>,
}

impl Feed {
    /// Goes on until the server stops.
    pub(super) async fn go_on(self, mut stopping: watch::Receiver<bool>) {
        let mut readings = tokio::time::interval(READ_EVERY);
        readings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for reading in 1_u64.. {
            // A runtime that does not answer must not keep the server from stopping. What is written is written to its end.
            let read = async {
                readings.tick().await;
                self.read_router().await;
            };
            tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => return,
                () = read => {}
            }
            if reading % READINGS_PER_MINUTE == 0 {
                self.learn().await;
            }
            if reading % READINGS_PER_HOUR == 0
                && let Err(error) = self.telemetry.save(&*self.shelf).await
            {
                tracing::warn!(%error, "what was learnt is written down later");
            }
        }
    }

    /// Reads what the router counted. There may be no runtime on this machine; then there is nothing to read.
    async fn read_router(&self) {
        let scopes = match self.runtime.list().await {
            Ok(scopes) => scopes,
            Err(error) => return tracing::debug!(error = failure::chain(&error), "there is no runtime to read"),
        };
        for scope in scopes.iter().filter_map(named) {
            let counters = match self.runtime.status(&scope).await {
                Ok(status) => status.map(|status| status.counters),
                Err(error) => {
                    tracing::debug!(%scope, error = failure::chain(&error), "what the router counted cannot be read");
                    continue;
                }
            };
            let sides = counters.map(|counters| [counters.stable, counters.candidate]);
            for counters in sides.into_iter().flatten().flatten() {
                self.telemetry.take_router(&scope, &router(counters), clock::now_ms());
            }
        }
    }

    /// Learns from the releases that are stable now. Of a scope that cannot be read nothing is learnt this time.
    async fn learn(&self) {
        let mut stable = BTreeMap::new();
        for scope in self.telemetry.view().into_iter().map(|view| view.scope) {
            match self.store.scope(&scope).await {
                Ok(row) => drop(row.stable.map(|release| stable.insert(scope, vec![release.id.to_string(), release.label]))),
                Err(error) => tracing::warn!(%scope, %error, "it is not known what is stable; what is usual is learnt later"),
            }
        }
        self.telemetry.learn(|scope| stable.get(scope).cloned().unwrap_or_default(), clock::now_ms());
    }
}

fn named(summary: &ScopeSummary) -> Option<Scope> {
    let (service, environment) = (ServiceName::new(&summary.service).ok()?, EnvironmentName::new(&summary.environment).ok()?);
    Some(Scope { service, environment })
}

/// Returns the runtime's counters in the words of the room that measures.
pub(super) fn router(counters: SideCounters) -> RouterCounters {
    let SideCounters { release, since_unix_ms, errors, abandoned, classes, latency, .. } = counters;
    let StatusClasses { informational, success, redirection, client_error, server_error } = classes;
    RouterCounters {
        release,
        since_ms: since_unix_ms,
        classes: [informational, success, redirection, client_error, server_error],
        errors,
        abandoned,
        latency_ms: latency.buckets.iter().map(|bucket| (bucket.le_ms, bucket.count)).collect(),
        latency_count: latency.count,
        latency_sum_ms: latency.sum_ms,
    }
}
