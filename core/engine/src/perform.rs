//! The one place that acts: performs what the durable state owes and is not yet in flight.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use machine::Journaled;
use model::{
    Call, Effect, Lost, OperationKey, OperationKind, PluginUse, Report, ReportOutcome, Stage, State, StepKind, Timestamp,
};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tracing::Instrument;

use crate::shared::Shared;
use crate::{Clock, limits};

/// The calls of one deployment that are in flight.
#[derive(Default)]
pub(crate) struct InFlight {
    calls: JoinSet<Report>,
    handles: HashMap<(OperationKey, u32), AbortHandle>,
}

impl InFlight {
    /// Starts what is owed and not in flight, ends what is in flight and no longer owed, and returns when to wake.
    pub(crate) fn perform(&mut self, shared: &Arc<Shared>, state: &Journaled) -> Option<Timestamp> {
        let mut wake = None;
        let mut owed = BTreeMap::new();
        for effect in machine::owed(state) {
            match effect {
                Effect::Call(call) => {
                    owed.insert((call.operation.key.clone(), call.operation.attempt), call);
                }
                Effect::WakeAt(at) => wake = Some(at),
            }
        }
        self.handles.retain(|id, handle| {
            // One that has come back and whose report is still to be heard is in flight as well: it is not made twice.
            let wanted = owed.contains_key(id);
            if !wanted {
                // Dropping the call closes its connections. What it did is unknown; a higher fence follows or it is observed.
                handle.abort();
            }
            wanted
        });
        for (id, call) in owed {
            if !self.handles.contains_key(&id)
                && let Some(plugin) = plugin_of(state, &call)
            {
                let (shared, state) = (Arc::clone(shared), Arc::new((**state).clone()));
                let span =
                    tracing::info_span!("call", deployment = %state.id, key = %id.0, attempt = id.1, plugin = %plugin.name);
                self.handles.insert(id, self.calls.spawn(perform(shared, call, plugin, state).instrument(span)));
            }
        }
        wake
    }

    /// Returns the next report. Waits for ever when nothing is in flight.
    pub(crate) async fn next(&mut self) -> Report {
        loop {
            match self.calls.join_next().await {
                Some(Ok(report)) => {
                    self.handles.remove(&(report.key.clone(), report.attempt));
                    return report;
                }
                Some(Err(error)) => {
                    if let Some(report) = self.without_report(&error) {
                        return report;
                    }
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Returns what to make of a call that ended without a report: nothing if it was let go, a loss if it broke.
    fn without_report(&mut self, error: &JoinError) -> Option<Report> {
        let id = self.handles.iter().find(|(_, handle)| handle.id() == error.id()).map(|(id, _)| id.clone())?;
        self.handles.remove(&id);
        let (key, attempt) = id;
        tracing::error!(%key, attempt, %error, "a call ended without a report");
        let lost = Lost { message: "the call broke inside the server".to_owned(), outcome_unknown: true, retryable: true };
        Some(Report { key, attempt, outcome: ReportOutcome::Lost(lost), plugin_state: None })
    }
}

async fn perform(shared: Arc<Shared>, call: Call, plugin: PluginUse, state: Arc<State>) -> Report {
    sleep_until(shared.clock.as_ref(), call.operation.not_before).await;
    shared.driver.perform(call, plugin, &state).await
}

/// Sleeps until the clock shows the instant; never returns early by that clock.
pub(crate) async fn sleep_until(clock: &dyn Clock, at: Timestamp) {
    loop {
        let left = at.since(clock.now());
        if left.0 == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(left.0).min(limits::NAP_MAX)).await;
    }
}

/// Returns which plugin an operation is for: the target, or what its step names.
fn plugin_of(state: &State, call: &Call) -> Option<PluginUse> {
    let current = match state.stage {
        Stage::Forward { step, .. } => state.plan.steps.get(step).map(|step| &step.kind),
        Stage::Queued { .. } | Stage::Back { .. } | Stage::Ended(_) => None,
    };
    match (&call.operation.kind, current) {
        (OperationKind::Reconcile { .. }, _) => Some(state.plan.target.clone()),
        (OperationKind::AskGate, Some(StepKind::Gate { gate })) => Some(gate.clone()),
        (OperationKind::Look { check }, Some(StepKind::Watch(spec))) => spec.checks.get(*check).map(|c| c.health.clone()),
        (OperationKind::Act { step } | OperationKind::Undo { step }, _) => match &state.plan.steps.get(*step)?.kind {
            StepKind::Action { action, .. } => Some(action.clone()),
            _ => None,
        },
        (OperationKind::AskGate | OperationKind::Look { .. }, _) => None,
    }
}
