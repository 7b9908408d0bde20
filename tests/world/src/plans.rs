//! Plans as a golden path would compile them.

use model::{
    Arrangement, Artifact, BasisPoints, Check, CheckRole, Digest, EnvironmentName, InconclusiveAction, Millis, Percent, Phase,
    Plan, PlanHash, PluginUse, Policies, ReleaseId, ReleaseSpec, Routing, Scope, ServiceName, Step, StepId, StepKind, Strategy,
    Supersede, UnhealthyAction, WatchSpec,
};

/// How long a step may take.
pub const STEP_DEADLINE: Millis = Millis::minutes(10);
/// How long a watch lasts.
pub const WATCH: Millis = Millis::minutes(5);
/// How long a watch waits for a verdict beyond its end.
pub const PATIENCE: Millis = Millis::minutes(2);
/// The time between two looks.
pub const INTERVAL: Millis = Millis::seconds(30);
/// How long an approval is waited for.
pub const APPROVAL_EXPIRES: Millis = Millis::hours(4);
/// How long a wait lasts.
pub const WAIT: Millis = Millis::minutes(15);

/// The release with this number; each has bytes of its own.
pub fn release(number: u8) -> ReleaseSpec {
    ReleaseSpec {
        id: ReleaseId::new(&format!("release-{number}")).unwrap(),
        label: format!("v{number}"),
        artifact: Artifact { reference: format!("registry/web:{number}"), digest: Digest([number; 32]) },
        configuration: "{}".into(),
    }
}

/// Returns the use of a plugin.
pub fn plugin(name: &str) -> PluginUse {
    PluginUse { name: name.into(), digest: Digest([9; 32]), settings: "{}".into() }
}

/// Returns a share of a side's full capacity.
pub fn percent(value: u8) -> Percent {
    Percent::new(value).unwrap()
}

/// Returns a routing that gives the candidate a share of the traffic, in percent.
pub fn weight(percent: u16) -> Routing {
    Routing::weights(BasisPoints::new(percent * 100).unwrap())
}

/// Returns a check that decides by two unhealthy looks, or three errors, in a row.
pub fn check(name: &str) -> Check {
    Check {
        health: plugin(name),
        interval: INTERVAL,
        failures_to_decide: 2,
        errors_tolerated: 2,
        role: CheckRole::Deciding,
        start_after: Millis(0),
    }
}

/// Returns a check that is measured and decides nothing.
pub fn dry_run(name: &str) -> Check {
    Check { role: CheckRole::DryRun, ..check(name) }
}

/// Returns a check of which one unhealthy look leads back.
pub fn critical(name: &str) -> Check {
    Check { role: CheckRole::Critical, ..check(name) }
}

/// A plan in the making.
#[derive(Clone)]
pub struct Builder(pub Plan);

impl Builder {
    /// Begins a plan for release 2.
    pub fn new(strategy: Strategy) -> Self {
        Self(Plan {
            hash: PlanHash::new("plan-1").unwrap(),
            scope: Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("production").unwrap() },
            release: release(2),
            path: "web@1.0.0".into(),
            strategy,
            first: false,
            target: plugin("target-fake"),
            steps: Vec::new(),
            policies: Policies {
                supersede: Supersede::Queued,
                queue_expires_after: Millis::hours(1),
                pause_expires_after: Millis::hours(8),
                way_back_deadline: Millis::minutes(30),
                attempts_max: 3,
            },
        })
    }

    /// Adds a step, named after its kind and counted.
    pub fn step(mut self, phase: Phase, kind: StepKind) -> Self {
        let name = match &kind {
            StepKind::Gate { .. } => "gate",
            StepKind::Approval { .. } => "approval",
            StepKind::Action { .. } => "action",
            StepKind::Reconcile { .. } => "reconcile",
            StepKind::Watch(_) => "watch",
            StepKind::Wait { .. } => "wait",
            StepKind::Promote => "promote",
        };
        let count = self.0.steps.iter().filter(|s| s.id.as_str().starts_with(name)).count() + 1;
        self.0.steps.push(Step {
            id: StepId::new(&format!("{name}-{count}")).unwrap(),
            phase,
            kind,
            reason: "the test asks for it".into(),
            deadline: STEP_DEADLINE,
            extra_capacity: Percent::NONE,
            point_of_no_return: false,
        });
        self
    }

    /// Adds a gate.
    pub fn gate(self) -> Self {
        self.step(Phase::Checking, StepKind::Gate { gate: plugin("junit") })
    }

    /// Adds an approval by so many managers.
    pub fn approval(self, quorum: u32) -> Self {
        let from = vec!["group:managers".to_string()];
        let kind = StepKind::Approval { from, quorum, expires_after: APPROVAL_EXPIRES, requester_may_approve: false };
        self.step(Phase::AwaitingApproval, kind)
    }

    /// Adds an action.
    pub fn action(self, undoable: bool) -> Self {
        self.step(Phase::Preparing, StepKind::Action { action: plugin("migrate"), undoable })
    }

    /// Makes the step before the point of no return.
    pub fn of_no_return(mut self) -> Self {
        self.0.steps.last_mut().unwrap().point_of_no_return = true;
        self
    }

    /// Adds a reconcile to capacities in percent and a routing.
    pub fn sides(self, stable: u8, candidate: u8, routing: Routing) -> Self {
        let arrangement = Arrangement::SideBySide { stable: percent(stable), candidate: percent(candidate), routing };
        self.step(Phase::Shifting, StepKind::Reconcile { arrangement })
    }

    /// Adds a watch with two checks that goes back or pauses.
    pub fn watch(self) -> Self {
        self.watch_or(UnhealthyAction::GoBack, InconclusiveAction::Pause)
    }

    /// Adds a watch with two checks.
    pub fn watch_or(self, on_unhealthy: UnhealthyAction, on_inconclusive: InconclusiveAction) -> Self {
        self.watch_by(vec![check("probe"), check("traffic")], on_unhealthy, on_inconclusive)
    }

    /// Adds a watch with these checks.
    pub fn watch_by(self, checks: Vec<Check>, on_unhealthy: UnhealthyAction, on_inconclusive: InconclusiveAction) -> Self {
        let patience = PATIENCE;
        let spec = WatchSpec { duration: WATCH, checks, on_unhealthy, on_inconclusive, patience, until_decided: false };
        self.step(Phase::Soaking, StepKind::Watch(spec))
    }

    /// Makes the step before, a watch, last until it is decided: so long at least and so long at most.
    pub fn until_decided(mut self, at_least: Millis, at_most: Millis) -> Self {
        let Some(StepKind::Watch(spec)) = self.0.steps.last_mut().map(|step| &mut step.kind) else { panic!("BUG: no watch") };
        (spec.duration, spec.patience, spec.until_decided) = (at_least, Millis(at_most.0 - at_least.0), true);
        self
    }

    /// Adds a wait.
    pub fn wait(self) -> Self {
        self.step(Phase::Shifting, StepKind::Wait { duration: WAIT, until: None })
    }

    /// Adds the promotion.
    pub fn promote(self) -> Self {
        self.step(Phase::Promoting, StepKind::Promote)
    }

    /// Leaves the candidate alone and returns the plan.
    pub fn finish(self) -> Plan {
        self.step(Phase::Finalising, StepKind::Reconcile { arrangement: Arrangement::CandidateAlone }).0
    }
}

/// A canary in four strides.
pub fn canary() -> Plan {
    let mut plan = Builder::new(Strategy::Canary).gate().sides(100, 25, weight(0));
    for share in [5, 25] {
        plan = plan.sides(100, 25, weight(share)).watch();
    }
    plan = plan.sides(100, 50, weight(25)).sides(100, 50, weight(50)).watch();
    plan.sides(100, 100, weight(50)).sides(100, 100, weight(100)).watch().promote().watch().finish()
}

/// A switch with a stand-by.
pub fn blue_green() -> Plan {
    let switched = Builder::new(Strategy::BlueGreen).sides(100, 100, weight(0)).watch().sides(100, 100, weight(100)).watch();
    switched.promote().watch().wait().finish()
}

/// Half and half.
pub fn rolling() -> Plan {
    let half = Builder::new(Strategy::Rolling).sides(100, 50, weight(0)).sides(100, 50, weight(50)).watch();
    let most = half.sides(50, 50, weight(50)).sides(50, 100, weight(50)).sides(50, 100, weight(100)).watch();
    most.sides(0, 100, weight(100)).promote().finish()
}

/// Down, then up.
pub fn recreate() -> Plan {
    let down = Builder::new(Strategy::Recreate).sides(0, 0, Routing::Closed).sides(0, 100, Routing::Closed);
    down.sides(0, 100, weight(100)).watch().promote().finish()
}

/// The first release of a service.
pub fn first() -> Plan {
    let mut plan = Builder::new(Strategy::Canary).gate();
    plan.0.first = true;
    plan.sides(0, 100, Routing::Closed).sides(0, 100, weight(100)).watch().promote().finish()
}

/// Everything that asks or acts: gate, approval by two, actions that can be undone and one that cannot, a wait.
pub fn guarded() -> Plan {
    let asked = Builder::new(Strategy::Canary).gate().approval(2).action(true).action(false).action(true);
    asked
        .sides(100, 20, weight(0))
        .sides(100, 20, weight(20))
        .watch()
        .wait()
        .sides(100, 100, weight(20))
        .action(true)
        .sides(100, 100, weight(100))
        .promote()
        .finish()
}

/// A migration in the middle that nothing leads back from.
pub fn irreversible() -> Plan {
    let before = Builder::new(Strategy::BlueGreen).gate().sides(100, 100, weight(0)).action(true);
    let after = before.action(false).of_no_return().watch().sides(100, 100, weight(100));
    after.watch_or(UnhealthyAction::Pause, InconclusiveAction::GoBack).promote().finish()
}

/// Every policy of a watch: until decided, a critical check, one that starts later, one that only runs dry; pauses where others go back.
pub fn scrutinised() -> Plan {
    let late = |check: Check| Check { start_after: Millis::seconds(45), ..check };
    let closer = |check: Check| Check { interval: Millis::seconds(5), failures_to_decide: 1, errors_tolerated: 0, ..check };
    let first = vec![closer(check("probe")), late(dry_run("drill")), critical("traffic")];
    let then = vec![dry_run("drill"), late(check("probe")), critical("traffic")];
    let (go_back, pause) = (UnhealthyAction::GoBack, UnhealthyAction::Pause);
    let (asks, decides) = (InconclusiveAction::Pause, InconclusiveAction::GoBack);
    let (at_least, at_most) = (Millis::minutes(1), Millis::minutes(20));
    let small = Builder::new(Strategy::Canary).sides(100, 50, weight(0)).sides(100, 50, weight(5));
    let small = small.watch_by(first, go_back, decides).sides(100, 50, weight(50));
    let half = small.watch_by(then.clone(), pause, asks).until_decided(at_least, at_most);
    let all = half.sides(100, 100, weight(50)).sides(100, 100, weight(100)).promote();
    all.watch_by(then, pause, decides).until_decided(at_least, at_most).finish()
}

/// Every plan above with its name.
pub fn all() -> Vec<(&'static str, Plan)> {
    vec![
        ("canary", canary()),
        ("blue-green", blue_green()),
        ("rolling", rolling()),
        ("recreate", recreate()),
        ("first", first()),
        ("guarded", guarded()),
        ("irreversible", irreversible()),
        ("scrutinised", scrutinised()),
    ]
}
