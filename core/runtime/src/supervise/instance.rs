//! One place for a process: starts it, probes it, starts it again when it crashes, and stops it when told to.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};

use crate::clock;
use crate::limits::{STABLE_RUN, STARTING_PROBE_INTERVAL, UNREADY_AFTER_FAILURES};
use crate::protocol::{Readiness, Stream};
use crate::route::upstream::Upstream;
use crate::supervise::backoff::Backoff;
use crate::supervise::leftovers::Records;
use crate::supervise::logs::GroupLog;
use crate::supervise::ports::{ClaimedPort, Ports};
use crate::supervise::process::{Launch, Process};
use crate::supervise::readiness::{Streak, probe};

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Runs, and has not been ready yet or is not any more.
    Starting,
    /// May take requests.
    Ready,
    /// Crashed, or could not be started; waits for the next attempt.
    Failed,
    /// Was told to stop and is finishing.
    Stopping,
    /// Is gone for good.
    Stopped,
}

/// What an instance says about itself.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) phase: Phase,
    /// Where requests go; there while a process runs.
    pub(crate) upstream: Option<Arc<Upstream>>,
    /// How often it was started again.
    pub(crate) restarts: u32,
    /// How the process ended last, until a long good run makes that old news.
    crash: Option<String>,
    /// Why it is not ready although it runs.
    unready: Option<String>,
}

impl Report {
    /// Returns the last thing that went wrong.
    pub(crate) fn last_error(&self) -> Option<&String> {
        self.crash.as_ref().or(self.unready.as_ref())
    }
}

/// What may change while an instance runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) readiness: Readiness,
    pub(crate) stop_timeout: Duration,
}

/// What an instance needs from its surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) launch: Arc<Launch>,
    pub(crate) settings: watch::Receiver<Settings>,
    pub(crate) log: GroupLog,
    pub(crate) ports: Ports,
    pub(crate) records: Records,
    /// Told whenever the report changes.
    pub(crate) changed: Arc<Notify>,
}

/// The handle of an instance. Dropping it stops the process without a drain.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) id: u32,
    report: watch::Receiver<Report>,
    stop: Option<oneshot::Sender<Duration>>,
}

impl Instance {
    /// Starts an instance in a task of its own.
    pub(crate) fn start(id: u32, surroundings: Surroundings) -> Self {
        let first = Report { phase: Phase::Starting, upstream: None, restarts: 0, crash: None, unready: None };
        let (sender, report) = watch::channel(first);
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(Slot { id, surroundings, report: sender }.run(stopped));
        Self { id, report, stop: Some(stop) }
    }

    /// Returns what the instance says about itself now.
    pub(crate) fn report(&self) -> Report {
        self.report.borrow().clone()
    }

    /// Returns whether it was told to stop.
    pub(crate) fn is_retiring(&self) -> bool {
        self.stop.is_none()
    }

    /// Tells it to stop: requests in flight get `drain` to finish. Must be out of the routing table by then.
    pub(crate) fn retire(&mut self, drain: Duration) {
        if let Some(stop) = self.stop.take() {
            // A closed channel means that it stopped already.
            let _ = stop.send(drain);
        }
    }
}

/// How the life of one process ended.
enum Ended {
    Stopped,
    Crashed { ran: Duration, how: String },
}

struct Slot {
    id: u32,
    surroundings: Surroundings,
    report: watch::Sender<Report>,
}

impl Slot {
    async fn run(self, mut stop: oneshot::Receiver<Duration>) {
        let mut backoff = Backoff::default();
        loop {
            let Ended::Crashed { ran, how } = self.one_life(&mut stop).await else { break };
            let pause = backoff.crashed_after(ran);
            self.note(&format!("{how}; starting again in {} ms", pause.as_millis()));
            self.say(|r| (r.phase, r.upstream, r.crash, r.unready) = (Phase::Failed, None, Some(how), None));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = &mut stop => break,
            }
            self.say(|r| (r.phase, r.restarts) = (Phase::Starting, r.restarts.saturating_add(1)));
        }
        self.say(|r| (r.phase, r.upstream) = (Phase::Stopped, None));
    }

    async fn one_life(&self, stop: &mut oneshot::Receiver<Duration>) -> Ended {
        let started = self.surroundings.ports.claim().and_then(|port| {
            let launch = &self.surroundings.launch;
            launch
                .start(port.address(), &self.surroundings.records, &self.surroundings.log, self.id)
                .map(|process| (port, process))
        });
        match started {
            Ok((port, process)) => self.watch_over(port, process, stop).await,
            Err(error) => {
                let program = self.surroundings.launch.command.first().map_or("", String::as_str);
                Ended::Crashed { ran: Duration::ZERO, how: format!("cannot start {program:?}: {error}") }
            }
        }
    }

    async fn watch_over(&self, port: ClaimedPort, mut process: Process, stop: &mut oneshot::Receiver<Duration>) -> Ended {
        let started = clock::now();
        let upstream = Arc::new(Upstream::new(port.address()));
        self.note(&format!("started, expected to listen on {}", port.address()));
        self.say(|r| r.upstream = Some(upstream.clone()));
        let mut streak = Streak::default();
        let mut failures = 0;
        loop {
            let ready = self.report.borrow().phase == Phase::Ready;
            tokio::select! {
                how = process.ended() => return Ended::Crashed { ran: started.elapsed(), how },
                drain = &mut *stop => {
                    self.finish(&upstream, process, drain.unwrap_or_default()).await;
                    return Ended::Stopped;
                }
                (result, wanted) = self.next_probe(ready, &upstream) => {
                    failures = if result.is_ok() { 0 } else { failures + 1 };
                    let ready = streak.probed(result.is_ok(), wanted);
                    self.probed(ready, result, failures, started.elapsed() >= STABLE_RUN);
                }
            }
        }
    }

    async fn next_probe(&self, ready: bool, upstream: &Upstream) -> (Result<(), String>, u32) {
        let readiness = self.surroundings.settings.borrow().readiness.clone();
        let interval = Duration::from_millis(readiness.interval_ms);
        tokio::time::sleep(if ready { interval } else { interval.min(STARTING_PROBE_INTERVAL) }).await;
        (probe(upstream.address(), &readiness).await, readiness.successes)
    }

    /// Puts what a probe found into the report; silent while nothing changes, because every change costs a reconciliation.
    fn probed(&self, ready: bool, result: Result<(), String>, failures: u32, stable: bool) {
        let changed = self.report.send_if_modified(|r| {
            let phase = if ready { Phase::Ready } else { Phase::Starting };
            let unready = match result {
                Err(why) if !ready && failures >= UNREADY_AFTER_FAILURES => Some(why),
                Err(_) => r.unready.clone(),
                Ok(()) => None,
            };
            let crash = r.crash.clone().filter(|_| !stable);
            let changed = (phase, &unready, &crash) != (r.phase, &r.unready, &r.crash);
            (r.phase, r.unready, r.crash) = (phase, unready, crash);
            changed
        });
        if changed {
            self.surroundings.changed.notify_one();
        }
    }

    async fn finish(&self, upstream: &Upstream, mut process: Process, drain: Duration) {
        self.say(|r| r.phase = Phase::Stopping);
        let crashed = tokio::select! {
            _ = tokio::time::timeout(drain, upstream.drained()) => None,
            how = process.ended() => Some(how),
        };
        let patience = self.surroundings.settings.borrow().stop_timeout;
        let how = match crashed {
            Some(how) => how,
            None => process.stop(patience).await,
        };
        self.note(&format!("stopped: {how}"));
    }

    fn say(&self, change: impl FnOnce(&mut Report)) {
        self.report.send_modify(change);
        self.surroundings.changed.notify_one();
    }

    fn note(&self, text: &str) {
        self.surroundings.log.write(self.id, Stream::Runtime, text.as_bytes());
    }
}
