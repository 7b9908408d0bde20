//! The loop of one deployment: every source becomes one input, one handler takes it, one place acts.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use journal::AppendError;
use machine::Journaled;
use model::plan::Supersede;
use model::{Command, Report, Stage, State};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::hold::Hold;
use crate::nudge::{Nudge, Wish};
use crate::perform::{InFlight, sleep_until};
use crate::roster::WorkerRef;
use crate::shared::Shared;
use crate::tenure::Tenure;
use crate::turn::{self, Asked, Known};
use crate::{Accepted, EngineError, limits, queue};

/// A command, with somebody who waits for the answer.
pub(crate) struct Ask {
    pub(crate) asked: Asked,
    pub(crate) answer: oneshot::Sender<Result<Accepted, EngineError>>,
}

enum Heard {
    Ask(Ask),
    Wish(Wish),
    Report(Report),
    Timer,
    Stop,
}

struct Worker {
    shared: Arc<Shared>,
    tenure: Arc<Tenure>,
    known: Known,
    inbox: mpsc::Receiver<Ask>,
    nudge: Arc<Nudge>,
    state: watch::Sender<Arc<State>>,
    in_flight: InFlight,
    hold: Hold,
}

/// Starts the worker of a deployment that is not over, unless it has one or the tenure under which it was read is over.
pub(crate) fn spawn(shared: &Arc<Shared>, tenure: &Arc<Tenure>, durable: Journaled) {
    let (inbox, received) = mpsc::channel(limits::INBOX_MAX);
    let (state, seen) = watch::channel(turn::share(&durable));
    let nudge = Arc::new(Nudge::default());
    let entry = WorkerRef { inbox, nudge: Arc::clone(&nudge), state: seen };
    let (scope, id) = (durable.plan.scope.clone(), durable.id.clone());
    let worker = Worker {
        shared: Arc::clone(shared),
        tenure: Arc::clone(tenure),
        known: Known::new(durable),
        inbox: received,
        nudge,
        state,
        in_flight: InFlight::default(),
        hold: Hold::new(format!("deployment {id}: the journal does not take its next event")),
    };
    let there = || !tenure.is_over();
    shared.roster.enter(&scope, &id, entry, there, || tenure.crew.spawn(worker.supervised()));
}

impl Worker {
    /// Runs to the end. A worker that breaks is begun again from the journal, as after a restart, later each time.
    async fn supervised(mut self) {
        let mut pause = limits::BROKEN_PAUSE_MIN;
        loop {
            let began = Instant::now();
            let Err(panic) = AssertUnwindSafe(self.run()).catch_unwind().await else { return };
            let deployment = self.known.durable.id.clone();
            tracing::error!(%deployment, message = said(panic.as_ref()), "its worker broke; beginning again in {pause:?}");
            self.in_flight = InFlight::default();
            self.known.doubt();
            if began.elapsed() > limits::BROKEN_PAUSE_MAX {
                pause = limits::BROKEN_PAUSE_MIN;
            }
            self.rest(Instant::now() + pause, false).await;
            pause = (pause * 2).min(limits::BROKEN_PAUSE_MAX);
            // What it had been told may be lost with it.
            queue::supersede(&self.shared, &self.known.durable.plan.scope);
            queue::look(&self.shared, self.known.durable.plan.scope.clone());
        }
    }

    async fn run(&mut self) {
        self.catch_up().await;
        self.recover().await;
        while self.tenure.may_write() {
            if self.known.is_doubtful() {
                self.catch_up().await;
                continue;
            }
            if self.known.durable.is_terminal() {
                self.shared.roster.leave(&self.known.durable.plan.scope, &self.known.durable.id);
                queue::look(&self.shared, self.known.durable.plan.scope.clone());
                return;
            }
            let wake = self.in_flight.perform(&self.shared, &self.known.durable);
            match self.hear(wake).await {
                Heard::Ask(ask) => self.answer(ask).await,
                Heard::Wish(Wish::Activate { stable, fence }) => self.tell(Command::Activate { stable, fence }).await,
                Heard::Wish(Wish::GiveWay { by, policy }) => {
                    if self.gives_way(policy) {
                        self.tell(Command::Supersede { by }).await;
                    }
                }
                Heard::Report(report) => self.tell(Command::Report(report)).await,
                Heard::Timer => self.tell(Command::Tick).await,
                Heard::Stop => return,
            }
        }
        // Nothing is performed on a right that is no longer trusted.
        self.tenure.end();
    }

    /// Asked here and not where the queue was looked at: it may have begun since.
    fn gives_way(&self, policy: Supersede) -> bool {
        match policy {
            Supersede::Active => true,
            Supersede::Queued => matches!(self.known.durable.stage, Stage::Queued { .. }),
            Supersede::Never => false,
        }
    }

    /// Open operations of a deployment that was read from the store were somebody else's: what they did is unknown.
    async fn recover(&mut self) {
        if !self.known.durable.operations.is_empty() {
            self.tell(Command::Recover).await;
        }
    }

    async fn hear(&mut self, wake: Option<model::Timestamp>) -> Heard {
        let timer = async {
            match wake {
                Some(at) => sleep_until(self.shared.clock.as_ref(), at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // What comes in one instant has an order, so that a run can be had again. People come last: there is no end to what they
            // may say, and there is to the rest.
            biased;
            () = self.tenure.over() => Heard::Stop,
            report = self.in_flight.next() => Heard::Report(report),
            wish = self.nudge.heard() => Heard::Wish(wish),
            () = timer => Heard::Timer,
            ask = self.inbox.recv() => ask.map_or(Heard::Stop, Heard::Ask),
        }
    }

    async fn answer(&mut self, ask: Ask) {
        let result = turn::take(&self.shared, &self.tenure, &mut self.known, &ask.asked).await;
        self.show();
        // Whoever asked may have gone; what was decided is durable all the same.
        let _ = ask.answer.send(result);
    }

    /// Takes an input that must not be lost: holds until the store takes it, or until this replica may not write any more.
    async fn tell(&mut self, command: Command) {
        let asked = Asked::internally(command);
        loop {
            match turn::take(&self.shared, &self.tenure, &mut self.known, &asked).await {
                Ok(_) => break,
                Err(EngineError::NotOwner | EngineError::Stopping) => return self.tenure.end(),
                Err(EngineError::Append(AppendError::ScopeTaken { scope, active })) => {
                    tracing::info!(deployment = %self.known.durable.id, %scope, %active, "stays in the queue");
                    break;
                }
                Err(EngineError::Append(AppendError::FenceFell { scope, found, given }))
                    if matches!(self.known.durable.stage, Stage::Queued { .. }) =>
                {
                    tracing::info!(deployment = %self.known.durable.id, %found, %given, "its turn was read too early; looking again");
                    queue::look(&self.shared, scope);
                    break;
                }
                Err(EngineError::Refused(refusal)) => {
                    tracing::debug!(deployment = %self.known.durable.id, %refusal, "not taken");
                    break;
                }
                Err(error) => {
                    let until = self.hold.failed(&error);
                    self.rest(until, true).await;
                }
            }
        }
        self.hold.over();
        self.show();
    }

    /// Reads the journal again if what it says is in doubt, until that succeeds or this replica may not write any more.
    async fn catch_up(&mut self) {
        while self.known.is_doubtful() && self.tenure.may_write() {
            match self.known.read_again(&self.shared).await {
                Ok(()) => self.hold.over(),
                Err(error) => {
                    let until = self.hold.failed(&error);
                    self.rest(until, true).await;
                }
            }
        }
        self.show();
    }

    /// Waits, and leaves nobody without an answer meanwhile: each gets what the store says, or that the worker broke.
    async fn rest(&mut self, until: Instant, sound: bool) {
        loop {
            let ask = tokio::select! {
                biased;
                () = tokio::time::sleep_until(until) => return,
                () = self.tenure.over() => return,
                ask = self.inbox.recv() => ask,
            };
            match ask {
                Some(ask) if sound => self.answer(ask).await,
                Some(ask) => drop(ask.answer.send(Err(EngineError::Unattended(self.known.durable.id.clone())))),
                None => return,
            }
        }
    }

    fn show(&self) {
        self.state.send_replace(turn::share(&self.known.durable));
    }
}

/// Returns what a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}
