//! What a plugin wants to be given next time comes back to it alone: no other plugin and no other deployment reads it.

use std::sync::Arc;

use async_trait::async_trait;
use driver::{EvidenceError, EvidenceSource, GrantSource, PluginDriver, Registry};
use engine::{Clock, Driver};
use hostile::Forge;
use machine::Journaled;
use model::{
    Actor, Call, Command, Committed, DeploymentId, Digest, Effect, EnvironmentName, Fence, OperationKind, Plan, PluginUse,
    ReleaseId, Report, State, StepKind, Timestamp,
};
use plugin_host::{Evidence, Grants, GrantsInForce};
use test_world::plans;
use test_world::world::World;

use crate::fixture::{host, now_ms};

/// More turns than the plan needs until its first watch.
const TURNS_MAX: usize = 100;

/// The operator, the archive of evidence and the clock of a server.
struct Server;

#[async_trait]
impl GrantSource for Server {
    async fn grants(&self, _plugin: &str, _digest: Digest, _environment: &EnvironmentName) -> GrantsInForce {
        Grants::default().into()
    }
}

#[async_trait]
impl EvidenceSource for Server {
    async fn evidence(&self, _release: &ReleaseId) -> Result<Vec<Evidence>, EvidenceError> {
        Ok(Vec::new())
    }
}

impl Clock for Server {
    fn now(&self) -> Timestamp {
        Timestamp(now_ms())
    }
}

/// A commit as a store would confirm it.
struct Receipt(u64);

impl Committed for Receipt {
    fn head(&self) -> u64 {
        self.0
    }
}

/// A deployment whose looks are taken by real plugins.
struct Deployment {
    state: State,
    now: Timestamp,
}

impl Deployment {
    fn start(id: &str, plan: Plan) -> Self {
        let (id, now) = (DeploymentId::new(id).expect("an id"), Timestamp(now_ms()));
        let somebody = Actor { name: "user:ada".to_owned(), groups: Vec::new(), from: String::new() };
        let state = machine::fold(&machine::request(id, plan, somebody, now)).expect("a deployment");
        let mut deployment = Self { state, now };
        deployment.tell(&Command::Activate { stable: Some(plans::release(1)), fence: Fence(1) });
        deployment
    }

    fn tell(&mut self, command: &Command) {
        for event in machine::decide(&self.state, command, self.now).expect("it is legal") {
            self.state = machine::apply(Some(self.state.clone()), &event);
        }
    }

    fn calls(&self) -> Vec<Call> {
        let owed = machine::owed(&Journaled::new(self.state.clone(), &Receipt(self.state.version)));
        let call = |effect| match effect {
            Effect::Call(call) => Some(call),
            Effect::WakeAt(_) => None,
        };
        owed.into_iter().filter_map(call).collect()
    }

    /// Goes on until looks are owed, in a world in which all is well.
    fn reach_the_watch(&mut self) {
        let mut world = World::new(Some(plans::release(1)), Fence(1));
        for _ in 0..TURNS_MAX {
            let calls = self.calls();
            if calls.iter().any(|call| matches!(call.operation.kind, OperationKind::Look { .. })) {
                return;
            }
            let Some(call) = calls.into_iter().next() else { return self.reach_the_deadline() };
            self.now = self.now.max(call.operation.not_before);
            let (key, attempt) = (call.operation.key.clone(), call.operation.attempt);
            let outcome = world.perform(&call);
            self.tell(&Command::Report(Report { key, attempt, outcome, plugin_state: None }));
        }
        panic!("{TURNS_MAX} turns led to {:?} and no further", self.state.stage);
    }

    fn reach_the_deadline(&mut self) {
        self.now = self.now.max(machine::deadline(&self.state).expect("it is not over"));
        self.tell(&Command::Tick);
    }

    /// Takes all looks that are owed and returns what each said.
    async fn look(&mut self, driver: &PluginDriver) -> Vec<String> {
        for mut call in self.calls() {
            // The deployment's time runs ahead of the clock's, on which plugins are called.
            call.deadline = Timestamp(now_ms() + 60_000);
            let OperationKind::Look { check } = call.operation.kind else { panic!("{:?}", call.operation.kind) };
            let plugin = uses(&self.state)[check].clone();
            let report = driver.perform(call, plugin, &self.state).await;
            self.tell(&Command::Report(report));
        }
        let checks = &self.state.watch.as_ref().expect("it watches").checks;
        checks.iter().map(|check| check.last.as_ref().expect("it looked").sentence.clone()).collect()
    }
}

/// Returns the plugins of the watch.
fn uses(state: &State) -> Vec<PluginUse> {
    let watch = state.plan.steps.iter().find_map(|step| match &step.kind {
        StepKind::Watch(spec) => Some(spec),
        _ => None,
    });
    watch.expect("a watch").checks.iter().map(|check| check.health.clone()).collect()
}

/// A health check that keeps this text for its next look, and says what it was given.
fn keeping(text: &str) -> Forge {
    let put = "(func $put (param i32 i32) (i32.store (i32.const 280) (local.get 0)) (i32.store (i32.const 284) (local.get 1)))";
    let mut forge = Forge::new("").fields(put);
    let text = forge.text(text);
    forge.assess(&format!(
        "(if (i32.load8_u offset=76 (local.get $context))
           (then (i64.store align=4 (i32.const 268) (i64.load offset=80 align=4 (local.get $context)))))
         (i32.store8 (i32.const 276) (i32.const 1)) (call $put {text}) (i32.const 256)"
    ))
}

/// Returns the canary whose watches ask two plugins.
fn plan(digests: [Digest; 2]) -> Plan {
    let mut plan = plans::canary();
    for step in &mut plan.steps {
        if let StepKind::Watch(spec) = &mut step.kind {
            spec.checks.iter_mut().zip(digests).for_each(|(check, digest)| check.health.digest = digest);
        }
    }
    plan
}

#[tokio::test]
async fn a_state_comes_back_to_the_plugin_and_the_deployment_that_left_it_and_to_nobody_else() {
    let (registry, digests) = (Registry::default(), [Digest([1; 32]), Digest([2; 32])]);
    for (digest, text) in digests.into_iter().zip(["secret of the first", "secret of the second"]) {
        registry.add(digest, host().load(&keeping(text).component()).expect("a plugin"));
    }
    let server = Arc::new(Server);
    let driver = PluginDriver::new(registry, server.clone(), server.clone(), server);
    let mut deployment = Deployment::start("d-1", plan(digests));
    deployment.reach_the_watch();
    assert_eq!(deployment.look(&driver).await, ["", ""], "nobody was here before");
    deployment.reach_the_deadline();
    assert_eq!(deployment.look(&driver).await, ["secret of the first", "secret of the second"]);
    // Another deployment of the same plugins begins with nothing.
    let mut other = Deployment::start("d-2", plan(digests));
    other.reach_the_watch();
    assert_eq!(other.look(&driver).await, ["", ""]);
}
