//! Taking a wish to deploy: the request becomes durable, gets its worker, and the queue is looked at.

use std::sync::Arc;

use journal::{AppendError, FirstReply, StoreError};
use machine::Journaled;
use model::{DeploymentId, Event, State};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::shared::Shared;
use crate::{Accepted, EngineError, StartRequest, fingerprint, limits, queue, turn, worker};

/// Takes a request and answers as soon as it is durable. Whoever asked may have gone; that changes nothing.
pub(crate) async fn take(shared: &Arc<Shared>, asked: StartRequest, answer: oneshot::Sender<Result<Accepted, EngineError>>) {
    let (scope, policy) = (asked.plan.scope.clone(), asked.plan.policies.supersede);
    let durable = match request(shared, asked).await {
        Ok(Requested::New(durable)) => durable,
        Ok(Requested::Before(first)) => return drop(answer.send(Ok(first))),
        Err(error) => return drop(answer.send(Err(error))),
    };
    let id = durable.id.clone();
    let accepted = Accepted { deployment: id.clone(), version: durable.version, repeated: false };
    worker::spawn(shared, durable);
    let _ = answer.send(Ok(accepted));
    queue::supersede(shared, &scope, &id, policy).await;
    queue::look(shared, scope);
}

enum Requested {
    New(Journaled),
    Before(Accepted),
}

async fn request(shared: &Shared, asked: StartRequest) -> Result<Requested, EngineError> {
    let fingerprint = fingerprint::of(&format!("start {} {}", asked.plan.scope, asked.plan.hash));
    if let Some(request) = &asked.request
        && let Some(first) = shared.store.first_reply(&asked.by.name, request).await?
    {
        return turn::repeated(&first, &fingerprint).map(Requested::Before);
    }
    let id = DeploymentId::new(&Uuid::now_v7().to_string()).expect("BUG: a UUID is a valid id");
    let events = machine::request(id.clone(), asked.plan, asked.by.clone(), shared.clock.now());
    let state = machine::fold(&events).expect("BUG: a request makes a state");
    let reply = asked.request.map(|request| FirstReply {
        request,
        actor: asked.by.name,
        fingerprint: fingerprint.clone(),
        deployment: id,
        version: state.version,
    });
    match append(shared, &state, &events, reply).await {
        Err(EngineError::Append(AppendError::AlreadyAnswered(first))) => {
            turn::repeated(&first, &fingerprint).map(Requested::Before)
        }
        other => other.map(Requested::New),
    }
}

/// Makes the request durable. The id is new, so whoever finds it in the store finds this append.
async fn append(shared: &Shared, state: &State, events: &[Event], reply: Option<FirstReply>) -> Result<Journaled, EngineError> {
    for _ in 0..limits::DECIDE_AGAIN_MAX {
        match turn::append_events(shared, state, events, reply.clone()).await {
            Err(EngineError::Append(
                error @ (AppendError::Store(StoreError::OutcomeUnknown(_)) | AppendError::HeadMoved { .. }),
            )) => {
                tracing::warn!(deployment = %state.id, %error, "reading the journal again");
                match turn::load(shared, &state.id).await {
                    Ok(Some(durable)) => return Ok(durable),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::error!(deployment = %state.id, %error, "on hold: the store cannot be read");
                        tokio::time::sleep(limits::HOLD).await;
                    }
                }
            }
            Err(EngineError::Append(AppendError::LeaseLost { .. })) => {
                shared.step_down();
                return Err(shared.not_owner());
            }
            other => return other,
        }
    }
    Err(shared.not_owner())
}
