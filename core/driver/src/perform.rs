//! Performing one attempt of one operation.

use std::sync::Arc;

use async_trait::async_trait;
use engine::{Clock, Driver};
use model::{Call, Lost, Millis, OperationKind, PluginUse, Progress, Report, ReportOutcome, State, StepKind, Timestamp};
use plugin_host::{CallContext, CallError, CallErrorKind, Called, Fencing, GrantsInForce, Plugin};
use tracing::Instrument as _;

use crate::quiesce::{Flight, Quiesce};
use crate::words::{ask, hear};
use crate::{EvidenceSource, GrantSource, Registry, limits, said};

/// Performs operations by calling plugins.
pub struct PluginDriver {
    pub(crate) registry: Registry,
    grants: Arc<dyn GrantSource>,
    evidence: Arc<dyn EvidenceSource>,
    clock: Arc<dyn Clock>,
    quiesce: Quiesce,
}

/// An attempt's plugin with what it is told and what it may.
struct Attempt {
    plugin: Arc<Plugin>,
    context: CallContext,
    grants: GrantsInForce,
}

type Outcome = Result<(ReportOutcome, Option<Vec<u8>>), Lost>;

impl PluginDriver {
    /// Returns a driver over the plugins of a registry.
    pub fn new(
        registry: Registry,
        grants: Arc<dyn GrantSource>,
        evidence: Arc<dyn EvidenceSource>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { registry, grants, evidence, clock, quiesce: Quiesce::default() }
    }

    async fn attempt(&self, call: &Call, plugin: &PluginUse, state: &State) -> Outcome {
        let attempt = self.prepare(call, plugin, state).await?;
        match &call.operation.kind {
            OperationKind::Reconcile { desired } => self.reconcile(call, attempt, &ask::desired(desired)).await,
            OperationKind::Look { .. } => look(attempt, state).await,
            OperationKind::AskGate => self.gate(attempt, state).await,
            OperationKind::Act { .. } | OperationKind::Undo { .. } => {
                Err(lost_for_good(format!("plugin {} cannot act: this server runs no action plugins yet", plugin.name)))
            }
        }
    }

    async fn prepare(&self, call: &Call, plugin: &PluginUse, state: &State) -> Result<Attempt, Lost> {
        let operation = &call.operation;
        let Some(loaded) = self.registry.by_digest(&plugin.digest) else {
            let message = format!("plugin {} with digest {} is not installed", plugin.name, plugin.digest);
            return Err(lost_for_good(message));
        };
        let now = self.clock.now();
        let deadline = (now + limit_of(&operation.kind)).min(call.deadline.max(now));
        let context = CallContext {
            service: call.scope.service.to_string(),
            environment: call.scope.environment.to_string(),
            settings: plugin.settings.clone(),
            deployment: call.deployment.to_string(),
            operation_key: operation.key.to_string(),
            fence: operation.fence.map_or(0, |fence| fence.0),
            attempt: operation.attempt,
            deadline_ms: deadline.0,
            outcome_unknown: operation.outcome_unknown,
            state: carried(call, state),
            artifact_digest: Some(state.plan.release.artifact.digest.to_string()),
        };
        let grants = self.grants.grants(&plugin.name, plugin.digest, &call.scope.environment).await;
        Ok(Attempt { plugin: loaded, context, grants })
    }

    async fn reconcile(&self, call: &Call, attempt: Attempt, desired: &plugin_host::Desired) -> Outcome {
        let flight = self.take_off(call, &attempt).await?;
        if call.operation.outcome_unknown
            && let Some(superseded) = observe_first(&attempt).await?
        {
            land(flight);
            return Ok((ReportOutcome::Progress(superseded), None));
        }
        let answer = heard(attempt.plugin.reconcile(&attempt.context, desired, &attempt.grants).await)?;
        land(flight);
        let (progress, state) = hear::progress(answer, attempt.context.fence).map_err(|found| hear::nonsense(&found))?;
        Ok((ReportOutcome::Progress(progress), state))
    }

    /// A target that cannot fence is not called while anything of an earlier call may still land.
    async fn take_off(&self, call: &Call, attempt: &Attempt) -> Result<Option<Flight>, Lost> {
        let described = heard(attempt.plugin.describe(&attempt.context, &attempt.grants).await)?;
        let descriptor = described.map_err(|fault| lost_for_good(hear::sentence(&fault.message)))?;
        match descriptor.fencing {
            Fencing::Native => Ok(None),
            Fencing::Quiesce => Ok(Some(self.quiesce.take_off(&call.scope).await)),
        }
    }

    async fn gate(&self, attempt: Attempt, state: &State) -> Outcome {
        let evidence = self.evidence.evidence(&state.plan.release.id).await.map_err(|error| Lost {
            message: error.to_string(),
            outcome_unknown: false,
            retryable: true,
        })?;
        let answer = heard(attempt.plugin.evaluate(&attempt.context, &evidence, &attempt.grants).await)?;
        Ok((hear::answer(&answer), None))
    }
}

#[async_trait]
impl Driver for PluginDriver {
    async fn perform(&self, call: Call, plugin: PluginUse, state: &State) -> Report {
        let (key, attempt) = (call.operation.key.clone(), call.operation.attempt);
        let span = tracing::info_span!("call", deployment = %call.deployment, plugin = plugin.name, operation = %key, attempt);
        let attempted = async {
            let attempted = self.attempt(&call, &plugin, state).await;
            attempted.inspect_err(|lost| tracing::warn!(message = lost.message, "call failed"))
        };
        let (outcome, plugin_state) = match attempted.instrument(span).await {
            Ok((outcome, state)) => (outcome, state),
            Err(lost) => (ReportOutcome::Lost(lost), None),
        };
        Report { key, attempt, outcome, plugin_state }
    }
}

/// Looks before it repeats: whoever wrote a higher fence meanwhile must not be written over.
async fn observe_first(attempt: &Attempt) -> Result<Option<Progress>, Lost> {
    match heard(attempt.plugin.observe(&attempt.context, &attempt.grants).await)? {
        Ok(seen) if seen.highest_fence > attempt.context.fence => {
            Ok(Some(Progress::Superseded(model::Fence(seen.highest_fence))))
        }
        Ok(_) => Ok(None),
        Err(fault) => {
            let fault = hear::fault(&fault);
            Err(Lost { message: fault.message, outcome_unknown: true, retryable: fault.retryable })
        }
    }
}

async fn look(attempt: Attempt, state: &State) -> Outcome {
    let subjects = ask::subjects(state);
    let window = window(state);
    let answer = heard(attempt.plugin.assess(&attempt.context, &subjects, &window, &attempt.grants).await)?;
    let found = hear::assessment(answer).map_err(|found| hear::nonsense(&found))?;
    Ok((ReportOutcome::Look(found), None))
}

fn window(state: &State) -> plugin_host::Window {
    let started = state.watch.as_ref().map_or(Timestamp::default(), |watch| watch.started_at);
    let duration = match &state.stage {
        model::Stage::Forward { step, .. } => match &state.plan.steps[*step].kind {
            StepKind::Watch(spec) => spec.duration,
            _ => Millis::default(),
        },
        model::Stage::Queued { .. } | model::Stage::Back { .. } | model::Stage::Ended(_) => Millis::default(),
    };
    plugin_host::Window { started_ms: started.0, ends_ms: (started + duration).0 }
}

/// Returns what the plugin left last time: a target's state stays with its operation, a check's with its watch.
fn carried(call: &Call, state: &State) -> Option<Vec<u8>> {
    match call.operation.kind {
        OperationKind::Look { check } => state.watch.as_ref()?.checks.get(check)?.last.as_ref()?.plugin_state.clone(),
        OperationKind::Reconcile { .. } | OperationKind::AskGate | OperationKind::Act { .. } | OperationKind::Undo { .. } => {
            call.operation.plugin_state.clone()
        }
    }
}

fn limit_of(kind: &OperationKind) -> Millis {
    match kind {
        OperationKind::Reconcile { .. } | OperationKind::Act { .. } | OperationKind::Undo { .. } => limits::RECONCILE,
        OperationKind::Look { .. } => limits::LOOK,
        OperationKind::AskGate => limits::GATE,
    }
}

fn land(flight: Option<Flight>) {
    if let Some(flight) = flight {
        flight.landed();
    }
}

/// Returns the answer of a call; what the plugin said on the way goes into the log.
fn heard<T>(came_of_it: Result<Called<T>, CallError>) -> Result<T, Lost> {
    said::log(&came_of_it);
    came_of_it.map(|called| called.answer).map_err(lost)
}

fn lost(error: CallError) -> Lost {
    let retryable = match error.kind {
        // A crash, a hang or a full house may be gone at the next attempt.
        CallErrorKind::Trap { .. } | CallErrorKind::Deadline { .. } | CallErrorKind::Busy { .. } | CallErrorKind::Host { .. } => {
            true
        }
        // These stay as they are until somebody changes the plugin or its grant.
        CallErrorKind::Limit { .. }
        | CallErrorKind::Refused { .. }
        | CallErrorKind::Forbidden { .. }
        | CallErrorKind::NotAsked { .. }
        | CallErrorKind::Malformed { .. }
        | CallErrorKind::Kind { .. } => false,
    };
    Lost { message: hear::sentence(&error.to_string()), outcome_unknown: error.outcome_unknown, retryable }
}

fn lost_for_good(message: String) -> Lost {
    Lost { message, outcome_unknown: false, retryable: false }
}
