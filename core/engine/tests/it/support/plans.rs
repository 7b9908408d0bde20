//! Plans as a golden path would compile them, for one service.

use model::plan::{Arrangement, Phase, Plan, Policies, Step, StepKind, Strategy, Supersede};
use model::{
    Artifact, BasisPoints, Check, CheckRole, Digest, EnvironmentName, InconclusiveAction, Millis, Percent, PlanHash, PluginUse,
    ReleaseId, ReleaseSpec, Routing, Scope, ServiceName, StepId, UnhealthyAction, WatchSpec,
};

pub(crate) const STEP_DEADLINE: Millis = Millis::minutes(10);

pub(crate) fn scope(service: &str) -> Scope {
    Scope { service: ServiceName::new(service).unwrap(), environment: EnvironmentName::new("production").unwrap() }
}

/// The release with this number; each has bytes of its own.
pub(crate) fn release(number: u8) -> ReleaseSpec {
    ReleaseSpec {
        id: ReleaseId::new(&format!("release-{number}")).unwrap(),
        label: format!("v{number}"),
        artifact: Artifact { reference: format!("registry/web:{number}"), digest: Digest([number; 32]) },
        configuration: "{}".into(),
    }
}

fn plugin(name: &str) -> PluginUse {
    PluginUse { name: name.into(), digest: Digest([9; 32]), settings: "{}".into() }
}

/// A plan in the making.
pub(crate) struct Builder(Plan);

impl Builder {
    pub(crate) fn new(number: u8) -> Self {
        Self(Plan {
            hash: PlanHash::new(&format!("plan-{number}")).unwrap(),
            scope: scope("web"),
            release: release(number),
            path: "web@1.0.0".into(),
            strategy: Strategy::Canary,
            first: false,
            target: plugin("target-fake"),
            steps: Vec::new(),
            policies: Policies {
                supersede: Supersede::Never,
                queue_expires_after: Millis::hours(12),
                pause_expires_after: Millis::hours(8),
                way_back_deadline: Millis::minutes(30),
                attempts_max: 3,
            },
        })
    }

    pub(crate) fn service(mut self, service: &str) -> Self {
        self.0.scope = scope(service);
        self
    }

    pub(crate) fn first(mut self) -> Self {
        self.0.first = true;
        self
    }

    pub(crate) fn supersede(mut self, policy: Supersede) -> Self {
        self.0.policies.supersede = policy;
        self
    }

    fn step(mut self, phase: Phase, kind: StepKind) -> Self {
        self.0.steps.push(Step {
            id: StepId::new(&format!("step-{}", self.0.steps.len() + 1)).unwrap(),
            phase,
            kind,
            reason: "the test asks for it".into(),
            deadline: STEP_DEADLINE,
            extra_capacity: Percent::NONE,
            point_of_no_return: false,
        });
        self
    }

    fn sides(self, stable: u8, candidate: u8, weight: u16) -> Self {
        let (stable, candidate) = (Percent::new(stable).unwrap(), Percent::new(candidate).unwrap());
        let routing = Routing::weights(BasisPoints::new(weight * 100).unwrap());
        self.step(Phase::Shifting, StepKind::Reconcile { arrangement: Arrangement::SideBySide { stable, candidate, routing } })
    }

    /// The same canary, with a check beside each other one that decides nothing, and one that asks nobody before it goes back.
    pub(crate) fn drilled(self) -> Plan {
        let mut plan = self.canary();
        for step in &mut plan.steps {
            let StepKind::Watch(spec) = &mut step.kind else { continue };
            let late = |check: &Check| Check { start_after: Millis::seconds(20), ..check.clone() };
            let drills = spec.checks.iter().map(|check| Check { role: CheckRole::DryRun, ..late(check) });
            let drills: Vec<Check> = drills.collect();
            spec.checks.iter_mut().for_each(|check| check.role = CheckRole::Critical);
            spec.checks.extend(drills);
            (spec.on_unhealthy, spec.until_decided) = (UnhealthyAction::Pause, true);
        }
        plan
    }

    fn watch(self) -> Self {
        let check = Check {
            health: plugin("probe"),
            interval: Millis::seconds(30),
            failures_to_decide: 2,
            errors_tolerated: 2,
            role: CheckRole::Deciding,
            start_after: Millis(0),
        };
        let spec = WatchSpec {
            duration: Millis::minutes(1),
            checks: vec![check],
            on_unhealthy: UnhealthyAction::GoBack,
            on_inconclusive: InconclusiveAction::Pause,
            patience: Millis::minutes(2),
            until_decided: false,
        };
        self.step(Phase::Soaking, StepKind::Watch(spec))
    }

    /// A canary in two strides, with a gate and an action before it.
    pub(crate) fn canary(self) -> Plan {
        let asked = self.step(Phase::Checking, StepKind::Gate { gate: plugin("junit") });
        let prepared = asked.step(Phase::Preparing, StepKind::Action { action: plugin("migrate"), undoable: true });
        let watched = prepared.sides(100, 25, 0).sides(100, 25, 25).watch().sides(100, 100, 25).sides(100, 100, 100).watch();
        watched.step(Phase::Promoting, StepKind::Promote).alone()
    }

    /// The first release of a service, without anything beside it.
    pub(crate) fn straight(self) -> Plan {
        let closed = Arrangement::SideBySide { stable: Percent::NONE, candidate: Percent::FULL, routing: Routing::Closed };
        let up = self.first().step(Phase::Provisioning, StepKind::Reconcile { arrangement: closed });
        up.sides(0, 100, 100).step(Phase::Promoting, StepKind::Promote).alone()
    }

    fn alone(self) -> Plan {
        self.step(Phase::Finalising, StepKind::Reconcile { arrangement: Arrangement::CandidateAlone }).0
    }
}
