//! One turn: decide, journal, and only then take the new state for real.

use std::sync::Arc;

use journal::{Append, AppendError, FirstReply, RequestId, Stamped, StoreError};
use machine::Journaled;
use machine::invariants::{check_settled, check_step};
use model::{Command, DeploymentId, Event, State};

use crate::shared::Shared;
use crate::tenure::Tenure;
use crate::{Accepted, EngineError, fingerprint, letters, limits, row};

/// A command with what its sender wants to be sure of.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) command: Command,
    pub(crate) request: Option<(RequestId, String)>,
    pub(crate) expected_version: Option<u64>,
}

impl Asked {
    /// Returns a command of the engine itself.
    pub(crate) fn internally(command: Command) -> Self {
        Self { command, request: None, expected_version: None }
    }

    /// One id for two deployments is two wishes: what was asked includes of whom.
    fn fingerprint(&self, deployment: &DeploymentId) -> String {
        fingerprint::of(&format!("{deployment} {}", letters::words(&self.command)))
    }
}

/// A deployment as it is known to be durable.
pub(crate) struct Known {
    pub(crate) durable: Journaled,
    doubtful: bool,
}

impl Known {
    pub(crate) fn new(durable: Journaled) -> Self {
        Self { durable, doubtful: false }
    }

    /// Says that the journal may hold more: nothing is decided or performed before it was read again.
    pub(crate) fn doubt(&mut self) {
        self.doubtful = true;
    }

    pub(crate) fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    pub(crate) async fn read_again(&mut self, shared: &Shared) -> Result<(), EngineError> {
        let id = &self.durable.id;
        let Some(durable) = load(shared, id).await? else { return Err(EngineError::NotFound(id.clone())) };
        self.durable = durable;
        self.doubtful = false;
        Ok(())
    }
}

/// Takes one turn. On return the new state, if there is one, is durable.
///
/// Whether an unacknowledged append was written is found out by reading, never by writing again. Where even that fails, what is
/// known stays in doubt, and the caller gets the error that began it.
pub(crate) async fn take(shared: &Shared, tenure: &Tenure, known: &mut Known, asked: &Asked) -> Result<Accepted, EngineError> {
    let mut unanswered: Option<(State, AppendError)> = None;
    for _ in 0..limits::DECIDE_AGAIN_MAX {
        // Asked in each round: an append that nobody acknowledged may have been the answer.
        match answered_before(shared, &known.durable, asked).await {
            Ok(Some(first)) => return Ok(Accepted { repeated: unanswered.is_none(), ..first }),
            Ok(None) => {}
            Err(error) => return Err(first_error(unanswered, error)),
        }
        if known.doubtful
            && let Err(error) = known.read_again(shared).await
        {
            return Err(first_error(unanswered, error));
        }
        if unanswered.take().is_some_and(|(next, _)| *known.durable == next) {
            return Ok(accepted(&known.durable));
        }
        expect_version(&known.durable, asked)?;
        let now = shared.clock.now();
        let events = machine::decide(&known.durable, &asked.command, now).map_err(EngineError::Refused)?;
        if events.is_empty() {
            return Ok(accepted(&known.durable));
        }
        let next = follow(&known.durable, &events);
        match append(shared, tenure, &next, &events, asked).await {
            Ok(journaled) => {
                tell(&known.durable, &journaled);
                known.durable = journaled;
                return Ok(accepted(&known.durable));
            }
            Err(EngineError::Append(AppendError::AlreadyAnswered(first))) => {
                return repeated(&first, &asked.fingerprint(&next.id));
            }
            Err(EngineError::Append(AppendError::LeaseLost { .. })) => {
                tenure.end();
                return Err(shared.not_owner());
            }
            Err(EngineError::Append(error)) if must_read_again(&error) => {
                tracing::warn!(deployment = %next.id, %error, "reading the journal again");
                known.doubt();
                unanswered = Some((next, error));
            }
            Err(error) => return Err(error),
        }
    }
    Err(shared.not_owner())
}

/// Returns the error of an append whose outcome nobody could find out, or else what failed now.
fn first_error(unanswered: Option<(State, AppendError)>, now: EngineError) -> EngineError {
    unanswered.map_or(now, |(_, error)| EngineError::Append(error))
}

/// Returns the state that events lead to. A broken invariant stops the deployment where the program is built to find such.
fn follow(before: &State, events: &[Event]) -> State {
    let next = events.iter().fold(before.clone(), |state, event| {
        let after = machine::apply(Some(state.clone()), event);
        if cfg!(debug_assertions)
            && let Err(violation) = check_step(Some(&state), event, &after)
        {
            panic!("BUG: deployment {}: {violation}", before.id);
        }
        after
    });
    if cfg!(debug_assertions)
        && let Err(violation) = check_settled(&next)
    {
        panic!("BUG: deployment {}: {violation}", before.id);
    }
    next
}

fn must_read_again(error: &AppendError) -> bool {
    match error {
        AppendError::HeadMoved { .. } | AppendError::Store(StoreError::OutcomeUnknown(_)) => true,
        AppendError::LeaseLost { .. }
        | AppendError::ScopeTaken { .. }
        | AppendError::FenceFell { .. }
        | AppendError::AlreadyAnswered(_)
        | AppendError::Store(_) => false,
    }
}

async fn answered_before(shared: &Shared, state: &State, asked: &Asked) -> Result<Option<Accepted>, EngineError> {
    let Some((request, actor)) = &asked.request else { return Ok(None) };
    let first = shared.store.first_reply(actor, request).await?;
    first.map(|first| repeated(&first, &asked.fingerprint(&state.id))).transpose()
}

/// Returns the first answer again, unless the id now stands for something else.
pub(crate) fn repeated(first: &FirstReply, fingerprint: &str) -> Result<Accepted, EngineError> {
    match first.fingerprint == fingerprint {
        true => Ok(Accepted { deployment: first.deployment.clone(), version: first.version, repeated: true }),
        false => Err(EngineError::RequestReused { request: first.request.0.clone(), deployment: first.deployment.clone() }),
    }
}

fn expect_version(state: &State, asked: &Asked) -> Result<(), EngineError> {
    match asked.expected_version {
        Some(expected) if expected != state.version => {
            Err(EngineError::VersionMoved { deployment: state.id.clone(), expected, found: state.version })
        }
        Some(_) | None => Ok(()),
    }
}

fn accepted(state: &State) -> Accepted {
    Accepted { deployment: state.id.clone(), version: state.version, repeated: false }
}

async fn append(
    shared: &Shared,
    tenure: &Tenure,
    next: &State,
    events: &[Event],
    asked: &Asked,
) -> Result<Journaled, EngineError> {
    let reply = asked.request.as_ref().map(|(request, actor)| FirstReply {
        request: request.clone(),
        actor: actor.clone(),
        fingerprint: asked.fingerprint(&next.id),
        deployment: next.id.clone(),
        version: next.version,
    });
    append_events(shared, tenure, next, events, reply).await
}

/// Makes events durable and returns the state they lead to.
pub(crate) async fn append_events(
    shared: &Shared,
    tenure: &Tenure,
    next: &State,
    events: &[Event],
    request: Option<FirstReply>,
) -> Result<Journaled, EngineError> {
    if !tenure.may_write() {
        return Err(shared.not_owner());
    }
    let at = shared.clock.now();
    let receipt = shared
        .store
        .append(Append {
            lease: tenure.lease.clone(),
            row: row::of(next),
            events: events.iter().map(|event| Stamped { event: event.clone(), at }).collect(),
            fence: next.fence,
            stable: row::new_stable(next),
            request,
        })
        .await?;
    Ok(Journaled::new(next.clone(), &receipt))
}

/// Reads a deployment.
pub(crate) async fn load(shared: &Shared, id: &DeploymentId) -> Result<Option<Journaled>, EngineError> {
    let Some(loaded) = shared.store.load(id).await? else { return Ok(None) };
    let state = machine::fold(loaded.events.iter().map(|stamped| &stamped.event));
    Ok(state.map(|state| Journaled::new(state, &loaded.receipt)))
}

fn tell(before: &State, after: &State) {
    if before.phase() != after.phase() || before.pause.is_some() != after.pause.is_some() {
        let (deployment, scope, phase) = (&after.id, &after.plan.scope, after.phase());
        tracing::info!(%deployment, %scope, version = after.version, %phase, paused = after.pause.is_some(), "moved");
    } else {
        tracing::debug!(deployment = %after.id, version = after.version, "stepped");
    }
}

/// Returns a state for sharing.
pub(crate) fn share(state: &Journaled) -> Arc<State> {
    Arc::new((**state).clone())
}
