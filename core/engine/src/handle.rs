//! What everybody else holds of the engine.

use std::sync::Arc;

use futures_util::stream::BoxStream;
use journal::{DeploymentFilter, DeploymentRow, ScopeRow, Stamped, Store};
use model::{DeploymentId, Scope, State};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

use crate::letters::Asked;
use crate::shared::Shared;
use crate::turn::{self, Known};
use crate::worker::Ask;
use crate::{Accepted, CommandRequest, EngineError, StartRequest, Update, letters, limits, stream, submit};

/// A handle on a running engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Asks for a deployment. On return the request is durable and waits for its turn, which may have come already.
    pub async fn start(&self, asked: StartRequest) -> Result<Accepted, EngineError> {
        machine::check_plan(&asked.plan).map_err(EngineError::Plan)?;
        let scope = asked.plan.scope.clone();
        match self.shared.tenure(&scope) {
            Err(EngineError::NotOwner) if self.shared.replicated => letters::ask(&self.shared, &scope, Asked::Start(asked)).await,
            Err(error) => Err(error),
            Ok(_) => self.start_here(asked).await,
        }
    }

    /// Asks for a deployment in a scope that this replica holds.
    pub(crate) async fn start_here(&self, asked: StartRequest) -> Result<Accepted, EngineError> {
        self.shared.room_for_another()?;
        let (answer, answered) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        // Its own task: a caller that goes away in the middle must not leave a request that nobody takes care of.
        self.shared.tasks.spawn(async move { submit::take(&shared, asked, answer).await });
        answered.await.unwrap_or(Err(EngineError::Stopping))
    }

    /// Gives a deployment a command. On return its result is durable.
    pub async fn command(&self, asked: CommandRequest) -> Result<Accepted, EngineError> {
        match self.command_here(&asked).await {
            Err(EngineError::NotOwner) if self.shared.replicated => {
                let scope = self.state(&asked.deployment).await?.plan.scope.clone();
                letters::ask(&self.shared, &scope, Asked::Command(asked)).await
            }
            result => result,
        }
    }

    /// Gives a command to a deployment in a scope that this replica holds.
    pub(crate) async fn command_here(&self, asked: &CommandRequest) -> Result<Accepted, EngineError> {
        let id = asked.deployment.clone();
        let request = asked.request.clone().map(|request| (request, asked.by.name.clone()));
        let asked = turn::Asked { command: asked.command.clone(), request, expected_version: asked.expected_version };
        let Some(worker) = self.shared.roster.worker(&id) else { return self.command_to_the_ended(&id, &asked).await };
        let (answer, answered) = oneshot::channel();
        match worker.inbox.try_send(Ask { asked: asked.clone(), answer }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                let what = "commands waiting for the deployment";
                return Err(EngineError::TooMany { what, found: limits::INBOX_MAX, limit: limits::INBOX_MAX });
            }
            Err(TrySendError::Closed(_)) => return self.command_to_the_ended(&id, &asked).await,
        }
        match answered.await {
            Ok(result) => result,
            // It ended while the command lay in its inbox.
            Err(_) => self.command_to_the_ended(&id, &asked).await,
        }
    }

    async fn command_to_the_ended(&self, id: &DeploymentId, asked: &turn::Asked) -> Result<Accepted, EngineError> {
        let durable = turn::load(&self.shared, id).await?.ok_or_else(|| EngineError::NotFound(id.clone()))?;
        let tenure = self.shared.tenure(&durable.plan.scope)?;
        match durable.is_terminal() {
            true => turn::take(&self.shared, &tenure, &mut Known::new(durable), asked).await,
            false => Err(EngineError::Unattended(id.clone())),
        }
    }

    /// Returns the state of a deployment.
    pub async fn state(&self, id: &DeploymentId) -> Result<Arc<State>, EngineError> {
        if let Some(worker) = self.shared.roster.worker(id) {
            return Ok(worker.state.borrow().clone());
        }
        let durable = turn::load(&self.shared, id).await?.ok_or_else(|| EngineError::NotFound(id.clone()))?;
        Ok(turn::share(&durable))
    }

    /// Returns everything that happened to a deployment, in order.
    pub async fn history(&self, id: &DeploymentId) -> Result<Vec<Stamped>, EngineError> {
        let loaded = self.shared.store.load(id).await?.ok_or_else(|| EngineError::NotFound(id.clone()))?;
        Ok(loaded.events)
    }

    /// Returns deployments, newest request first.
    pub async fn list(&self, filter: &DeploymentFilter) -> Result<Vec<DeploymentRow>, EngineError> {
        Ok(self.shared.store.deployments(filter).await?)
    }

    /// Returns what is known of a scope.
    pub async fn scope(&self, scope: &Scope) -> Result<ScopeRow, EngineError> {
        Ok(self.shared.store.scope(scope).await?)
    }

    /// Returns what happens to a deployment, from behind a version on: first what the journal has, then live, to its end.
    ///
    /// Gap-free; a reader that is slow reads later from the journal and holds up nobody.
    pub fn watch(&self, id: &DeploymentId, after_version: u64) -> BoxStream<'static, Result<Update, EngineError>> {
        stream::watch(Arc::clone(&self.shared), id.clone(), after_version)
    }

    /// Returns the store, for the catalog beside the journal.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.shared.store)
    }
}
