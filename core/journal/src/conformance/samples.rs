//! Events of every kind, with every part in every shape: what a store has to give back as it took it.

use model::{
    Actor, Approval, Arrangement, Artifact, Assessment, BackStep, BasisPoints, Cause, Check, Confirmed, DeploymentId, Desired,
    Digest, EnvironmentName, Event, Fault, Fence, GateAnswer, HowCompleted, InconclusiveAction, Interval, Match, MatchOn,
    Measurement, Millis, Observation, Operation, OperationKey, OperationKind, OperationResult, Outcome, Pause, PauseReason,
    Percent, Phase, Plan, PlanHash, PluginUse, Policies, ReleaseId, ReleaseSpec, Routing, Scope, ServiceName, Side, SideDesired,
    SideObservation, Step, StepId, StepKind, Sticky, Strategy, Supersede, Timestamp, UnhealthyAction, Verdict, WatchSpec,
};

use super::must;

/// Returns a deployment id.
pub fn deployment(number: u32) -> DeploymentId {
    must(DeploymentId::new(&format!("d-{number:04}")))
}

/// Returns the scope of a service in the environment "test".
pub fn scope(service: &str) -> Scope {
    Scope { service: must(ServiceName::new(service)), environment: must(EnvironmentName::new("test")) }
}

/// Returns a release of that name.
pub fn release(name: &str) -> ReleaseSpec {
    ReleaseSpec {
        id: must(ReleaseId::new(name)),
        label: name.to_owned(),
        artifact: Artifact { reference: "file:///srv".to_owned(), digest: Digest([7; 32]) },
        configuration: r#"{"port":8080}"#.to_owned(),
    }
}

/// Returns a person.
pub fn actor() -> Actor {
    let groups = vec!["group:release-managers".to_owned()];
    Actor { name: "user:ada".to_owned(), groups, from: "192.0.2.7, towpath/0.1.0".to_owned() }
}

/// Returns a plan with a step of every kind, and one more step per phase.
pub fn plan(scope: Scope) -> Plan {
    let kinds = step_kinds().into_iter().enumerate().map(|(index, kind)| step(index, Phase::Shifting, kind));
    let phases = Phase::ALL.into_iter().enumerate().map(|(index, phase)| step(100 + index, phase, StepKind::Promote));
    Plan {
        hash: must(PlanHash::new("plan-1")),
        scope,
        release: release("r-1"),
        path: "web-canary@1.2.0".to_owned(),
        strategy: Strategy::Canary,
        first: true,
        target: plugin("target-local"),
        steps: kinds.chain(phases).collect(),
        policies: policies(Supersede::Never),
    }
}

/// Returns at least one event of every kind, and among them every shape of what events contain.
pub fn events() -> Vec<Event> {
    let mut events = requests();
    events.extend(steps());
    events.extend(operation_kinds().into_iter().map(intended));
    events.extend(progress());
    events.extend(results().into_iter().map(completed));
    events.extend(people());
    events.extend(causes().into_iter().map(turned_back));
    events.push(Event::BackStepCompleted { step: 3, at: Timestamp(31) });
    events.extend(outcomes().into_iter().map(|outcome| Event::Ended { outcome, at: Timestamp(32) }));
    events
}

fn plugin(name: &str) -> PluginUse {
    PluginUse { name: name.to_owned(), digest: Digest([1; 32]), settings: r#"{"path":"/healthz"}"#.to_owned() }
}

fn policies(supersede: Supersede) -> Policies {
    Policies {
        supersede,
        queue_expires_after: Millis::hours(1),
        pause_expires_after: Millis::hours(2),
        way_back_deadline: Millis::minutes(10),
        attempts_max: 3,
    }
}

fn step_id(name: &str) -> StepId {
    must(StepId::new(name))
}

fn step(index: usize, phase: Phase, kind: StepKind) -> Step {
    Step {
        id: step_id(&format!("step-{index}")),
        phase,
        kind,
        reason: "because the path says so".to_owned(),
        deadline: Millis::minutes(5),
        extra_capacity: must(Percent::new(50).ok_or("percent")),
        point_of_no_return: index == 2,
    }
}

fn step_kinds() -> Vec<StepKind> {
    let reconcile = |arrangement| StepKind::Reconcile { arrangement };
    let side_by_side =
        |routing| Arrangement::SideBySide { stable: Percent::FULL, candidate: must(Percent::new(5).ok_or("percent")), routing };
    let mut kinds = vec![
        StepKind::Gate { gate: plugin("gate-junit") },
        StepKind::Approval {
            from: vec!["group:release-managers".to_owned()],
            quorum: 2,
            expires_after: Millis::hours(4),
            requester_may_approve: false,
        },
        StepKind::Action { action: plugin("migrate"), undoable: true },
        reconcile(Arrangement::CandidateAlone),
        reconcile(Arrangement::StableAlone),
        StepKind::Watch(watch(UnhealthyAction::GoBack, InconclusiveAction::Pause)),
        StepKind::Watch(watch(UnhealthyAction::Pause, InconclusiveAction::GoBack)),
        StepKind::Wait { duration: Millis::seconds(30), until: Some(Timestamp(77)) },
        StepKind::Wait { duration: Millis::seconds(30), until: None },
        StepKind::Promote,
    ];
    kinds.extend(routings().into_iter().map(|routing| reconcile(side_by_side(routing))));
    kinds
}

fn watch(on_unhealthy: UnhealthyAction, on_inconclusive: InconclusiveAction) -> WatchSpec {
    let check = Check { health: plugin("health-http"), interval: Millis::seconds(1), failures_to_decide: 3, errors_tolerated: 2 };
    WatchSpec { duration: Millis::seconds(20), checks: vec![check], on_unhealthy, on_inconclusive, patience: Millis::seconds(9) }
}

fn routings() -> [Routing; 4] {
    let weight = |points| must(BasisPoints::new(points).ok_or("basis points"));
    let rule = |on, side| Match { on, value: "yes".to_owned(), side };
    let open = |sticky| Routing::Open {
        candidate: weight(525),
        matches: vec![
            rule(MatchOn::Header("x-beta".to_owned()), Side::Candidate),
            rule(MatchOn::Cookie("beta".to_owned()), Side::Stable),
        ],
        mirror: weight(100),
        sticky,
    };
    let (header, cookie) = (Sticky::Header("x-user".to_owned()), Sticky::Cookie("session".to_owned()));
    [Routing::Closed, open(None), open(Some(header)), open(Some(cookie))]
}

fn requests() -> Vec<Event> {
    let requested = |plan: Plan| Event::Requested {
        id: deployment(1),
        plan,
        by: actor(),
        at: Timestamp(1_790_000_000_000),
        deadline: Timestamp(1_790_003_600_000),
    };
    let bare = Plan { steps: Vec::new(), first: false, ..plan(scope("web")) };
    let mut events = vec![requested(plan(scope("web")))];
    let strategies = [Strategy::BlueGreen, Strategy::Rolling, Strategy::Recreate, Strategy::Restore];
    events.extend(strategies.map(|strategy| requested(Plan { strategy, ..bare.clone() })));
    let supersedes = [Supersede::Queued, Supersede::Active];
    events.extend(supersedes.map(|supersede| requested(Plan { policies: policies(supersede), ..bare.clone() })));
    events.push(Event::Activated { stable: Some(release("r-0")), fence: Fence(u64::from(u32::MAX) + 1), at: Timestamp(2) });
    events.push(Event::Activated { stable: None, fence: Fence(0), at: Timestamp(-2) });
    events
}

fn steps() -> Vec<Event> {
    let completed = |how| Event::StepCompleted { step: 4, how, at: Timestamp(12) };
    vec![
        Event::StepEntered { step: 4, at: Timestamp(11), deadline: Timestamp(99) },
        completed(HowCompleted::Done),
        completed(HowCompleted::Healthy),
        completed(HowCompleted::WaivedBy(actor())),
    ]
}

fn key() -> OperationKey {
    OperationKey::of(&deployment(1), "shift-5", 7)
}

fn operation_kinds() -> Vec<OperationKind> {
    let side = |name, capacity| Some(SideDesired { release: release(name), capacity });
    let both =
        Desired { stable: side("r-0", Percent::FULL), candidate: side("r-1", Percent::FULL), routing: routings()[3].clone() };
    let nothing = Desired { stable: None, candidate: None, routing: Routing::Closed };
    vec![
        OperationKind::AskGate,
        OperationKind::Reconcile { desired: both },
        OperationKind::Reconcile { desired: nothing },
        OperationKind::Look { check: 1 },
        OperationKind::Act { step: 2 },
        OperationKind::Undo { step: 2 },
    ]
}

fn intended(kind: OperationKind) -> Event {
    let changes = kind.changes_the_world();
    Event::OperationIntended {
        operation: Operation {
            key: key(),
            fence: changes.then_some(Fence(41)),
            kind,
            attempt: 1,
            failures: 0,
            outcome_unknown: false,
            not_before: Timestamp(13),
            intended_at: Timestamp(13),
            plugin_state: changes.then(|| vec![0x00, 0x7f, 0xff]),
            message: String::new(),
        },
        asks_for: changes.then(|| Confirmed {
            stable: Percent::FULL,
            candidate: Percent::NONE,
            routing: Routing::weights(BasisPoints::NONE),
        }),
    }
}

fn observation() -> Observation {
    let side = |side, endpoint: Option<&str>| SideObservation {
        side,
        release: must(ReleaseId::new("r-1")),
        digest: Digest([9; 32]),
        ready: 2,
        wanted: 3,
        endpoint: endpoint.map(str::to_owned),
    };
    Observation {
        sides: vec![side(Side::Stable, None), side(Side::Candidate, Some("http://127.0.0.1:9000"))],
        candidate_weight: must(BasisPoints::new(525).ok_or("basis points")),
        public_endpoint: Some("http://127.0.0.1:8000".to_owned()),
        highest_fence: Fence(41),
        drift: vec!["somebody stopped an instance: „naïve“ \"quotes\"\n".to_owned()],
    }
}

fn progress() -> Vec<Event> {
    let progressed = |observation, plugin_state, deadline| Event::OperationProgressed {
        key: key(),
        attempt: 2,
        not_before: Timestamp(15),
        message: "2 of 3 are ready".to_owned(),
        observation,
        plugin_state,
        deadline,
    };
    let retried = |outcome_unknown, counts| Event::OperationRetried {
        key: key(),
        attempt: 2,
        message: "the deadline passed".to_owned(),
        not_before: Timestamp(16),
        outcome_unknown,
        counts,
    };
    vec![
        progressed(Some(observation()), Some(Vec::new()), Some(Timestamp(90))),
        progressed(None, None, None),
        retried(true, false),
        retried(false, true),
        Event::OperationAbandoned { key: key(), reason: "the deployment turned back".to_owned() },
    ]
}

fn measurements() -> Vec<Measurement> {
    let measurement = |side, limit_micros| Measurement {
        name: "error-rate".to_owned(),
        value_micros: -12_500,
        unit: "ratio".to_owned(),
        side,
        limit_micros,
        samples: None,
        interval: None,
        test: None,
    };
    let tested = Measurement {
        samples: Some(1_290),
        interval: Some(Interval { low_micros: -20_000, high_micros: 1 }),
        test: Some("sequential test of shares".to_owned()),
        ..measurement(Some(Side::Stable), Some(0))
    };
    vec![measurement(Some(Side::Candidate), Some(10_000)), measurement(None, None), tested]
}

fn results() -> Vec<OperationResult> {
    let gate = |answer| OperationResult::Gate { answer, measurements: measurements(), sentence: "214 tests passed".to_owned() };
    let look = |verdict| {
        OperationResult::Look(Assessment {
            verdict,
            measurements: measurements(),
            sentence: "1.2% of 500 requests failed".to_owned(),
            plugin_state: Some(vec![1, 2, 3]),
            next_look_after: Some(Millis(1_500)),
        })
    };
    let bare = Assessment {
        verdict: Verdict::Error,
        measurements: Vec::new(),
        sentence: String::new(),
        plugin_state: None,
        next_look_after: None,
    };
    let mut results = vec![
        OperationResult::Converged(observation()),
        OperationResult::Converged(Observation::default()),
        OperationResult::Look(bare),
        OperationResult::Done,
        OperationResult::Failed(Fault { message: "no free port".to_owned(), retryable: true }),
        OperationResult::Failed(Fault { message: "no such file".to_owned(), retryable: false }),
        OperationResult::Superseded(Fence(42)),
    ];
    results.extend([GateAnswer::Pass, GateAnswer::Fail, GateAnswer::Wait, GateAnswer::Error].map(gate));
    results.extend([Verdict::Healthy, Verdict::Unhealthy, Verdict::Inconclusive].map(look));
    results
}

fn completed(result: OperationResult) -> Event {
    Event::OperationCompleted { key: key(), attempt: 2, result, at: Timestamp(17) }
}

fn people() -> Vec<Event> {
    let paused = |reason| Event::Paused { pause: Pause { reason, since: Timestamp(20), deadline: Timestamp(80) } };
    let (check, sentence) = ("health-http".to_owned(), "too few requests to tell".to_owned());
    let approval = Approval { by: actor(), at: Timestamp(19), step: step_id("approval"), plan: must(PlanHash::new("plan-1")) };
    vec![
        Event::Approved { approval },
        paused(PauseReason::Person { by: actor(), reason: "lunch".to_owned() }),
        paused(PauseReason::Inconclusive { check: check.clone(), sentence: sentence.clone() }),
        paused(PauseReason::Unhealthy { check, sentence }),
        Event::Resumed { by: actor(), at: Timestamp(21) },
        Event::CandidatePromoted { at: Timestamp(22) },
        Event::PromotionReverted { at: Timestamp(23) },
    ]
}

fn causes() -> Vec<Cause> {
    let (step, reason) = (step_id("watch-5"), "not today".to_owned());
    vec![
        Cause::Unhealthy { step: step.clone(), check: "health-http".to_owned(), sentence: "3 of 3 looks failed".to_owned() },
        Cause::StepFailed { step: step.clone(), message: "no free port".to_owned() },
        Cause::DeadlinePassed { step, waiting_for: "2 of 3 instances".to_owned() },
        Cause::PauseExpired { reason: reason.clone() },
        Cause::Aborted { by: actor(), reason: reason.clone() },
        Cause::RolledBack { by: actor(), reason },
        Cause::Superseded { by: deployment(2) },
        Cause::FencedOff { highest: Fence(43) },
    ]
}

fn turned_back(cause: Cause) -> Event {
    let steps = vec![BackStep::RaiseStable, BackStep::RestoreTraffic, BackStep::Undo { step: 2 }, BackStep::RemoveCandidate];
    Event::TurnedBack { cause, steps, at: Timestamp(30), deadline: Timestamp(99) }
}

fn outcomes() -> Vec<Outcome> {
    let reason = "not today".to_owned();
    let cause = || Cause::PauseExpired { reason: "lunch".to_owned() };
    vec![
        Outcome::Succeeded,
        Outcome::RolledBack(cause()),
        Outcome::Aborted { by: actor(), reason: reason.clone() },
        Outcome::Rejected { reason },
        Outcome::Expired { waiting_for: "its turn".to_owned() },
        Outcome::Superseded { by: deployment(2) },
        Outcome::RollbackFailed { cause: cause(), message: "the target does not answer".to_owned() },
        Outcome::Blocked { needs: "somebody to free a port".to_owned() },
    ]
}
