//! A target and its checks that answer at once, so that what is measured is the engine and its store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use engine::Driver;
use model::plan::{Phase, Plan, StepKind, Strategy};
use model::{
    Call, Check, EnvironmentName, Fence, InconclusiveAction, Millis, PlanHash, PluginUse, Report, Routing, Scope, ServiceName,
    State, UnhealthyAction, WatchSpec,
};
use test_world::plans::{Builder, check, weight};
use test_world::world::World;
use tokio::sync::oneshot;

/// A deployment of the bench is watched for so long that it is active from beginning to end.
const WATCH: Millis = Millis::hours(24);

/// As often as a golden path in earnest has it.
const LOOK_EVERY: Millis = Millis::seconds(30);

/// Every scope's target.
#[derive(Default)]
pub struct Target {
    worlds: Mutex<HashMap<Scope, World>>,
    expected: Mutex<HashMap<Scope, oneshot::Sender<Instant>>>,
}

impl Target {
    /// Returns what tells when a scope is next asked for anything.
    pub fn expect(&self, scope: Scope) -> oneshot::Receiver<Instant> {
        let (asked, told) = oneshot::channel();
        lock(&self.expected).insert(scope, asked);
        told
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Driver for Target {
    async fn perform(&self, call: Call, _plugin: PluginUse, state: &State) -> Report {
        let scope = &state.plan.scope;
        if let Some(asked) = lock(&self.expected).remove(scope) {
            // Whoever expected it may have lost patience.
            let _ = asked.send(super::serve::now());
        }
        let mut worlds = lock(&self.worlds);
        let world = worlds.entry(scope.clone()).or_insert_with(|| World::new(None, Fence(0)));
        let outcome = world.perform(&call);
        Report { key: call.operation.key.clone(), attempt: call.operation.attempt, outcome, plugin_state: None }
    }
}

/// Returns the scope with this number.
///
/// # Panics
///
/// Never: the names are valid.
pub fn scope(number: usize) -> Scope {
    let service = ServiceName::new(&format!("service-{number}")).expect("a valid name");
    Scope { service, environment: EnvironmentName::new("production").expect("a valid name") }
}

/// Returns a plan with so many steps, each of which asks somebody: mostly gates.
///
/// # Panics
///
/// When there are fewer steps than the three that every plan has.
pub fn gates(number: usize, steps: usize) -> Plan {
    let mut builder = Builder::new(Strategy::Canary);
    builder.0.first = true;
    let builder = (0..steps - 3).fold(builder, |builder, _| builder.gate());
    let mut plan = builder.sides(0, 100, Routing::Closed).sides(0, 100, weight(100)).promote().finish();
    plan.scope = scope(number);
    plan
}

/// Returns the plan of the deployment in a scope: all traffic, and then a day's watch.
///
/// # Panics
///
/// Never: the names are valid.
pub fn plan(number: usize) -> Plan {
    let check = Check { interval: LOOK_EVERY, ..check("probe") };
    let watch = WatchSpec {
        duration: WATCH,
        checks: vec![check],
        on_unhealthy: UnhealthyAction::GoBack,
        on_inconclusive: InconclusiveAction::Pause,
        patience: LOOK_EVERY,
        until_decided: false,
    };
    let mut builder = Builder::new(Strategy::Canary);
    builder.0.first = true;
    let builder = builder.sides(0, 100, Routing::Closed).sides(0, 100, weight(100));
    let mut plan = builder.step(Phase::Soaking, StepKind::Watch(watch)).promote().finish();
    plan.scope = scope(number);
    plan.hash = PlanHash::new(&format!("plan-{number}")).expect("a valid hash");
    plan
}
