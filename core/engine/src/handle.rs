//! What everybody else holds of the engine.

use std::sync::Arc;

use futures_util::stream::BoxStream;
use journal::{AppendError, DeploymentFilter, DeploymentRow, FirstReply, ScopeRow, Stamped, Store};
use machine::Journaled;
use model::{DeploymentId, Scope, State};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::shared::Shared;
use crate::turn::{self, Asked};
use crate::worker::{self, Input};
use crate::{Accepted, CommandRequest, EngineError, StartRequest, Update, fingerprint, queue, stream};

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
        let (shared, plan) = (&self.shared, asked.plan);
        machine::check_plan(&plan).map_err(EngineError::Plan)?;
        shared.room_for_another()?;
        let fingerprint = fingerprint::of(&format!("start {} {}", plan.scope, plan.hash));
        if let Some(request) = &asked.request
            && let Some(first) = shared.store.first_reply(&asked.by.name, request).await?
        {
            return turn::repeated(&first, &fingerprint);
        }
        let id = DeploymentId::new(&Uuid::now_v7().to_string()).expect("BUG: a UUID is a valid id");
        let (scope, policy) = (plan.scope.clone(), plan.policies.supersede);
        let events = machine::request(id.clone(), plan, asked.by.clone(), shared.clock.now());
        let state = machine::fold(&events).expect("BUG: a request makes a state");
        let reply = asked.request.map(|request| FirstReply {
            request,
            actor: asked.by.name,
            fingerprint: fingerprint.clone(),
            deployment: id.clone(),
            version: state.version,
        });
        let durable: Journaled = match turn::append_events(shared, &state, &events, reply).await {
            Err(EngineError::Append(AppendError::AlreadyAnswered(first))) => return turn::repeated(&first, &fingerprint),
            other => other?,
        };
        let accepted = Accepted { deployment: id.clone(), version: durable.version, repeated: false };
        worker::spawn(shared, durable);
        queue::supersede(shared, &scope, &id, policy).await;
        queue::next(shared, &scope).await;
        Ok(accepted)
    }

    /// Gives a deployment a command. On return its result is durable.
    pub async fn command(&self, asked: CommandRequest) -> Result<Accepted, EngineError> {
        let request = asked.request.map(|request| (request, asked.by.name.clone()));
        let id = asked.deployment;
        let asked = Asked { command: asked.command, request, expected_version: asked.expected_version };
        let Some(worker) = self.shared.worker(&id) else { return self.command_to_the_ended(&id, &asked).await };
        let (answer, answered) = oneshot::channel();
        if worker.inbox.send(Input::Asked(asked.clone(), answer)).await.is_err() {
            return self.command_to_the_ended(&id, &asked).await;
        }
        match answered.await {
            Ok(result) => result,
            // It ended while the command lay in its inbox.
            Err(_) => self.command_to_the_ended(&id, &asked).await,
        }
    }

    async fn command_to_the_ended(&self, id: &DeploymentId, asked: &Asked) -> Result<Accepted, EngineError> {
        let mut durable = turn::load(&self.shared, id).await?.ok_or_else(|| EngineError::NotFound(id.clone()))?;
        match durable.is_terminal() {
            true => turn::take(&self.shared, &mut durable, asked).await,
            false => Err(EngineError::NotOwner),
        }
    }

    /// Returns the state of a deployment.
    pub async fn state(&self, id: &DeploymentId) -> Result<Arc<State>, EngineError> {
        if let Some(worker) = self.shared.worker(id) {
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
