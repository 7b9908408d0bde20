//! The loop of one deployment: every source becomes one input, one handler takes it, one place acts.

use std::sync::Arc;

use machine::Journaled;
use model::plan::Supersede;
use model::{Command, DeploymentId, Report, Stage};
use tokio::sync::{mpsc, oneshot, watch};

use crate::perform::{InFlight, sleep_until};
use crate::shared::{Shared, WorkerRef};
use crate::turn::{self, Asked};
use crate::{Accepted, EngineError, limits, queue};

/// What a worker takes from others.
pub(crate) enum Input {
    /// A command, with somebody who waits for the answer.
    Asked(Asked, oneshot::Sender<Result<Accepted, EngineError>>),
    /// A command of the engine itself.
    Told(Command),
    /// A newer deployment wants its place, as far as the newer one's path says.
    GiveWay { by: DeploymentId, policy: Supersede },
}

enum Heard {
    Input(Input),
    Report(Report),
    Timer,
    Stop,
}

struct Worker {
    shared: Arc<Shared>,
    durable: Journaled,
    inbox: mpsc::Receiver<Input>,
    state: watch::Sender<Arc<model::State>>,
    in_flight: InFlight,
}

/// Starts the worker of a deployment that is not over.
pub(crate) fn spawn(shared: &Arc<Shared>, durable: Journaled) {
    let (inbox, received) = mpsc::channel(limits::INBOX_MAX);
    let (state, seen) = watch::channel(turn::share(&durable));
    shared.workers().insert(durable.id.clone(), WorkerRef { inbox, state: seen });
    let worker = Worker { shared: Arc::clone(shared), durable, inbox: received, state, in_flight: InFlight::default() };
    shared.crew.spawn(worker.run());
}

impl Worker {
    async fn run(mut self) {
        self.recover().await;
        while !self.durable.is_terminal() {
            if self.shared.lease(&self.durable.plan.scope).is_err() {
                // Nothing is performed on a right that is no longer trusted.
                self.shared.step_down();
                return;
            }
            let wake = self.in_flight.perform(&self.shared, &self.durable);
            match self.hear(wake).await {
                Heard::Input(Input::Asked(asked, answer)) => {
                    let result = turn::take(&self.shared, &mut self.durable, &asked).await;
                    self.show();
                    // Whoever asked may have gone; what was decided is durable all the same.
                    let _ = answer.send(result);
                }
                Heard::Input(Input::Told(command)) => self.tell(command).await,
                Heard::Input(Input::GiveWay { by, policy }) => self.give_way(by, policy).await,
                Heard::Report(report) => self.tell(Command::Report(report)).await,
                Heard::Timer => self.tell(Command::Tick).await,
                Heard::Stop => return,
            }
        }
        self.shared.workers().remove(&self.durable.id);
        queue::look(&self.shared, self.durable.plan.scope.clone());
    }

    /// Asked here and not where the list was read: it may have begun since.
    async fn give_way(&mut self, by: DeploymentId, policy: Supersede) {
        let queued = matches!(self.durable.stage, Stage::Queued { .. });
        match policy {
            Supersede::Active => self.tell(Command::Supersede { by }).await,
            Supersede::Queued if queued => self.tell(Command::Supersede { by }).await,
            Supersede::Queued | Supersede::Never => {}
        }
    }

    /// Open operations of a deployment that was read from the store were somebody else's: what they did is unknown.
    async fn recover(&mut self) {
        if !self.durable.operations.is_empty() {
            self.tell(Command::Recover).await;
        }
    }

    async fn hear(&mut self, wake: Option<model::Timestamp>) -> Heard {
        let mut held = self.shared.held.subscribe();
        let timer = async {
            match wake {
                Some(at) => sleep_until(self.shared.clock.as_ref(), at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            input = self.inbox.recv() => input.map_or(Heard::Stop, Heard::Input),
            report = self.in_flight.next() => Heard::Report(report),
            () = timer => Heard::Timer,
            _ = held.wait_for(Option::is_none) => Heard::Stop,
        }
    }

    /// Takes an input that must not be lost: holds until the store takes it, or until this replica may not write any more.
    async fn tell(&mut self, command: Command) {
        let asked = Asked::internally(command);
        loop {
            match turn::take(&self.shared, &mut self.durable, &asked).await {
                Ok(_) => break,
                Err(EngineError::NotOwner | EngineError::Stopping) => {
                    self.shared.step_down();
                    return;
                }
                Err(EngineError::Append(journal::AppendError::ScopeTaken { scope, active })) => {
                    tracing::info!(deployment = %self.durable.id, %scope, %active, "stays in the queue");
                    break;
                }
                Err(EngineError::Append(journal::AppendError::FenceFell { scope, found, given }))
                    if matches!(self.durable.stage, Stage::Queued { .. }) =>
                {
                    tracing::info!(deployment = %self.durable.id, %found, %given, "its turn was read too early; looking again");
                    queue::look(&self.shared, scope);
                    break;
                }
                Err(EngineError::Refused(refusal)) => {
                    tracing::debug!(deployment = %self.durable.id, %refusal, "not taken");
                    break;
                }
                Err(error) => {
                    tracing::error!(deployment = %self.durable.id, %error, "on hold: the store does not take it");
                    tokio::time::sleep(limits::HOLD).await;
                }
            }
        }
        self.show();
    }

    fn show(&self) {
        self.state.send_replace(turn::share(&self.durable));
    }
}
