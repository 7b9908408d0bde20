//! Taking a wish to deploy: the request becomes durable, gets its worker, and the queue is looked at.

use std::sync::Arc;

use journal::{AppendError, FirstReply, StoreError};
use machine::Journaled;
use model::{DeploymentId, Event, State};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::hold::Hold;
use crate::shared::Shared;
use crate::tenure::Tenure;
use crate::{Accepted, EngineError, StartRequest, fingerprint, limits, queue, turn, worker};

/// Takes a request and answers as soon as it is durable. Whoever asked may have gone; that changes nothing.
pub(crate) async fn take(shared: &Arc<Shared>, asked: StartRequest, answer: oneshot::Sender<Result<Accepted, EngineError>>) {
    let scope = asked.plan.scope.clone();
    // The request is written under this tenure or not at all: the recovery under a later one would not have seen it.
    let tenure = match shared.tenure(&scope) {
        Ok(tenure) => tenure,
        Err(error) => return drop(answer.send(Err(error))),
    };
    let durable = match request(shared, asked, &tenure).await {
        Ok(Requested::New(durable)) => {
            let (deployment, version) = (durable.id.clone(), durable.version);
            let _ = answer.send(Ok(Accepted { deployment, version, repeated: false }));
            Some(durable)
        }
        Ok(Requested::Before(first)) => return drop(answer.send(Ok(first))),
        Ok(Requested::Unknown(id, error)) => {
            let _ = answer.send(Err(error));
            find(shared, &tenure, &id).await
        }
        Err(error) => return drop(answer.send(Err(error))),
    };
    if let Some(durable) = durable {
        worker::spawn(shared, &tenure, durable);
        queue::supersede(shared, &scope);
        queue::look(shared, scope);
    }
}

enum Requested {
    New(Journaled),
    Before(Accepted),
    /// It may be durable or not, and the store could not be read to find out.
    Unknown(DeploymentId, EngineError),
}

/// Reads until it is known whether the request was written; after the tenure, whoever has the next one finds it by itself.
async fn find(shared: &Shared, tenure: &Tenure, id: &DeploymentId) -> Option<Journaled> {
    let mut hold = Hold::new(format!("reading whether deployment {id} was requested"));
    while tenure.may_write() {
        match turn::load(shared, id).await {
            Ok(found) => {
                hold.over();
                return found;
            }
            Err(error) => tokio::time::sleep_until(hold.failed(&error)).await,
        }
    }
    None
}

async fn request(shared: &Shared, asked: StartRequest, tenure: &Tenure) -> Result<Requested, EngineError> {
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
    append(shared, tenure, &state, &events, reply, &fingerprint).await
}

/// Makes the request durable. The id is new, so whoever finds it in the store finds this append.
async fn append(
    shared: &Shared,
    tenure: &Tenure,
    state: &State,
    events: &[Event],
    reply: Option<FirstReply>,
    fingerprint: &str,
) -> Result<Requested, EngineError> {
    for _ in 0..limits::DECIDE_AGAIN_MAX {
        let error = match turn::append_events(shared, tenure, state, events, reply.clone()).await {
            Ok(durable) => return Ok(Requested::New(durable)),
            Err(EngineError::Append(AppendError::AlreadyAnswered(first))) => {
                return turn::repeated(&first, fingerprint).map(Requested::Before);
            }
            Err(EngineError::Append(AppendError::LeaseLost { .. })) => {
                tenure.end();
                return Err(shared.not_owner());
            }
            Err(EngineError::Append(
                error @ (AppendError::Store(StoreError::OutcomeUnknown(_)) | AppendError::HeadMoved { .. }),
            )) => error,
            Err(error) => return Err(error),
        };
        tracing::warn!(deployment = %state.id, %error, "reading the journal again");
        match turn::load(shared, &state.id).await {
            Ok(Some(durable)) => return Ok(Requested::New(durable)),
            Ok(None) => {}
            Err(_) => return Ok(Requested::Unknown(state.id.clone(), error.into())),
        }
    }
    Err(shared.not_owner())
}
