//! Golden plans, and what holds for every plan.

use std::collections::BTreeSet;

use expect_test::{Expect, expect, expect_file};
use model::{Arrangement, BasisPoints, Check, Millis, Percent, Phase, Plan, ReleaseId, Routing, StepKind};
use path::{Change, Migration, Risk, explain, render_plan, summarise};

use crate::support::{BLUE_GREEN, CANARY, ROLLING, SCRUTINISED, World, scrutinised, small};

#[test]
fn the_example_paths_become_these_plans() {
    expect_file!["golden/web-canary.txt"].assert_eq(&render_plan(&World::of(CANARY).plan()));
    expect_file!["golden/web-blue-green.txt"].assert_eq(&render_plan(&World::plain(BLUE_GREEN).plan()));
    expect_file!["golden/worker-rolling.txt"].assert_eq(&render_plan(&World::plain(ROLLING).plan()));
}

#[test]
fn a_first_deployment_and_a_recreation_become_these_plans() {
    let first = World { first: true, ..World::of(CANARY) };
    expect_file!["golden/first.txt"].assert_eq(&render_plan(&first.plan()));
    let recreate = World::plain(&small("recreate: { watch: 30s }"));
    expect_file!["golden/recreate.txt"].assert_eq(&render_plan(&recreate.plan()));
}

#[test]
fn what_watches_do_is_in_the_plan() {
    let soak = "soak: { for: { atLeast: 1m, atMost: 30m }, onFailure: pause, onInconclusive: rollback }\nonInconclusive: pause\n";
    let canary = World::plain(&(scrutinised(SCRUTINISED) + soak)).plan();
    expect_file!["golden/scrutinised.txt"].assert_eq(&render_plan(&canary));
    let soak = "soak: { for: 1m }\nonInconclusive: rollback\nonFailure: pause\n";
    let rolling = World::plain(&(scrutinised("rolling: { batches: 2, watch: 1m }") + soak)).plan();
    expect_file!["golden/scrutinised-rolling.txt"].assert_eq(&render_plan(&rolling));
}

fn checks<'a>(plan: &'a Plan, step: &str) -> &'a [Check] {
    match &plan.steps.iter().find(|found| found.id.as_str() == step).unwrap().kind {
        StepKind::Watch(spec) => &spec.checks,
        _ => panic!("{step} is no watch"),
    }
}

#[test]
fn the_first_share_of_the_callers_is_watched_more_closely_and_no_other() {
    let pace = |plan: &Plan, step: &str| {
        let check = &checks(plan, step)[0];
        (check.interval, check.failures_to_decide, check.errors_tolerated)
    };
    let (closer, usual) = ((Millis::seconds(1), 1, 0), (Millis::seconds(10), 2, 3));
    // What only mirrors is not the first share.
    let canary = World::plain(&scrutinised(SCRUTINISED)).plan();
    assert_eq!(["watch-0", "watch-5", "watch-50"].map(|step| pace(&canary, step)), [usual, closer, usual]);
    let rolling = World::plain(&scrutinised("rolling: { batches: 3, watch: 1m }")).plan();
    assert_eq!(["watch-1", "watch-2", "watch-3"].map(|step| pace(&rolling, step)), [closer, usual, usual]);
    // A first deployment has no first share: everybody meets it at once.
    let single = scrutinised("canary: { steps: [{ weight: 5%, watch: 1m }] }");
    assert_eq!(pace(&World::plain(&single).plan(), "watch-5"), closer);
    assert_eq!(pace(&World { first: true, ..World::plain(&single) }.plan(), "watch-full"), usual);
    // A service that asks for more than `first` does gets it.
    let computed = single.replace("every: 10s", "every: \"${string(parameters.port) + 'ms'}\"");
    let world = World::plain(&computed);
    let service = world.service.replace("8080", "500");
    assert_eq!(pace(&World { service, ..world }.plan(), "watch-5"), (Millis(500), 1, 0));
}

#[test]
fn every_new_word_of_a_watch_is_part_of_the_hash() {
    let strategy = "canary: { steps: [{ weight: 5%, watch: 5m }] }";
    let checks = "  - { use: health-http, name: a }\n  - { use: health-traffic, name: b }\n";
    let path = small(strategy).replace("  - { use: health-http, with: { path: /healthz } }\n", checks);
    let plan = |from: &str, to: &str| {
        assert!(path.contains(from), "the path has no {from:?}");
        // A release of a fixed name: its own name follows from the path's text, and the hash from that.
        World { release: ReleaseId::new("r-1").ok(), ..World::plain(&path.replacen(from, to, 1)) }.plan()
    };
    let mut seen = std::collections::BTreeMap::new();
    let variants = [
        ("name: b", "name: b"),
        ("name: b", "name: b, dryRun: true"),
        ("name: b", "name: b, failures: 1"),
        ("name: b", "name: b, failures: 1, critical: true"),
        ("name: b", "name: b, startAfter: 1s"),
        ("name: b", "name: b, startAfter: 2s"),
        ("name: a", "name: a, startAfter: 1s"),
        ("name: b", "name: b, first: { every: 1s }"),
        // The same times as the plain watch has, meant otherwise.
        ("watch: 5m", "watch: { atLeast: 5m, atMost: 10m }"),
        ("watch: 5m", "watch: { atLeast: 5m, atMost: 11m }"),
    ];
    for (from, to) in variants {
        let other = seen.insert(plan(from, to).hash, to);
        assert_eq!(other, None, "{to} has the hash of another");
    }
    // Words that say what holds anyway change nothing.
    let said = plan("name: b", "name: b, dryRun: false, critical: false, startAfter: 0s");
    assert_eq!(said.hash, plan("name: b", "name: b").hash);
}

fn ids(plan: &Plan) -> String {
    plan.steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn check(strategy: &str, expect: Expect) {
    expect.assert_eq(&ids(&World::plain(&small(strategy)).plan()));
}

#[test]
fn capacity_comes_before_weight() {
    check(
        "canary: { steps: [{ weight: 5%, watch: 1m }, { weight: 10%, watch: 1m }], capacity: 20% }",
        expect!["provision shift-5 watch-5 shift-10 watch-10 capacity-full shift-full promote finish"],
    );
    check(
        "canary: { steps: [{ weight: 5%, capacity: 30%, watch: 1m }, { weight: 40%, watch: 1m }] }",
        expect!["provision shift-5 watch-5 capacity-40 shift-40 watch-40 capacity-full shift-full promote finish"],
    );
    check(
        "canary: { steps: [{ weight: 50%, watch: 1m }, { weight: 100%, watch: 1m }] }",
        expect!["provision shift-50 watch-50 capacity-100 shift-100 watch-100 promote finish"],
    );
    check(
        "rolling: { batch: 40%, watch: 1m }",
        expect!["surge-1 shift-1 watch-1 shrink-1 surge-2 shift-2 watch-2 shrink-2 surge-3 shift-3 watch-3 promote finish"],
    );
    check("blue-green: { watch: 1m }", expect!["provision switch watch-full promote finish"]);
}

#[test]
fn gates_and_approvals_apply_when_they_say_so() {
    let production = World {
        environment: "apiVersion: towpath.dev/v1\nkind: Environment\nmetadata: { name: live }\ntier: production\ntarget: { use: target-local }\n".to_owned(),
        change: Change { migrations: vec![Migration { name: "drop".to_owned(), irreversible: true }], risk: Risk::Normal },
        ..World::of(CANARY)
    };
    let plan = production.plan();
    assert!(ids(&plan).starts_with("gate-gate-junit approval provision "), "{}", ids(&plan));
    assert!(matches!(&plan.steps[1].kind, StepKind::Approval { quorum: 1, requester_may_approve: false, .. }));
    assert_eq!([plan.steps[0].phase, plan.steps[1].phase], [Phase::Checking, Phase::AwaitingApproval]);
    // Outside of `local` the path's own durations hold.
    assert!(
        plan.steps.iter().any(|step| matches!(&step.kind, StepKind::Watch(spec) if spec.duration == model::Millis::minutes(5)))
    );
}

#[test]
fn matches_mirrors_and_stickiness_reach_the_routing() {
    let strategy = "canary: { sticky: { cookie: side }, match: [{ header: x-canary, value: \"1\" }], \
                    steps: [{ weight: 0%, mirror: 20%, watch: 1m }, { weight: 10%, watch: 1m }] }";
    let plan = World::plain(&small(strategy)).plan();
    let does: Vec<String> = explain(&plan).into_iter().map(|step| step.does).collect();
    expect![[r#"
        stable 100%, candidate 20% of capacity; 0% of traffic to the candidate
        stable 100%, candidate 20% of capacity; 0% of traffic to the candidate, header x-canary=1 to the candidate side, 20% mirrored, sticky by cookie side
        watch 1m by health-http; go back when unhealthy
        stable 100%, candidate 20% of capacity; 10% of traffic to the candidate, header x-canary=1 to the candidate side, sticky by cookie side
        watch 1m by health-http; go back when unhealthy
        stable 100%, candidate 100% of capacity; 10% of traffic to the candidate, header x-canary=1 to the candidate side, sticky by cookie side
        stable 100%, candidate 100% of capacity; 100% of traffic to the candidate
        mark the candidate good
        candidate alone, complete, with all traffic
    "#]]
    .assert_eq(&(does.join("\n") + "\n"));
}

#[test]
fn the_hash_follows_the_plan_and_nothing_else() {
    let plan = World::of(CANARY).plan();
    let commented = World { path: CANARY.replace("strategy:\n", "# a word\nstrategy:\n"), ..World::of(CANARY) };
    assert_eq!(commented.plan().hash, plan.hash);
    assert_eq!(commented.plan(), plan);
    let watched_longer = World { service: World::of(CANARY).service.replace("watch: 4s", "watch: 5s"), ..World::of(CANARY) };
    assert_ne!(watched_longer.plan().hash, plan.hash);
    assert_eq!(watched_longer.plan().release.configuration, plan.release.configuration);
    // The release is named by everything it was made of, its parameters among it.
    assert_ne!(watched_longer.plan().release.id, plan.release.id);
    assert!(plan.hash.as_str().starts_with("sha256:"));
}

#[test]
fn the_configuration_keeps_its_types() {
    let plan = World::of(CANARY).plan();
    expect![[r#"{"command":["./hello-service"],"env":{},"instances":4,"port":8080,"readiness":{"path":"/healthz"}}"#]]
        .assert_eq(&plan.release.configuration);
    let StepKind::Watch(spec) = &plan.steps[2].kind else { panic!("expected a watch") };
    expect![[r#"{"maxErrorRate":0.02,"maxLatencyMs":500,"minRequests":20,"worseThanStable":{"falseAlarm":0.01}}"#]]
        .assert_eq(&spec.checks[1].health.settings);
}

/// Every plan that this suite can think of.
fn plans() -> Vec<Plan> {
    let strategies = [
        "canary: { steps: [{ weight: 1%, watch: 1m }] }",
        "canary: { steps: [{ weight: 5%, watch: 1m }, { weight: 25%, watch: 1m }, { weight: 99%, watch: 1m }] }",
        "canary: { steps: [{ weight: 100%, watch: 1m }], capacity: 50% }",
        "canary: { steps: [{ weight: 5%, watch: { atLeast: 1m, atMost: 5m } }] }",
        "blue-green: { watch: 1m, preview: { watch: 10s } }",
        "blue-green: { watch: { atLeast: 1m, atMost: 1h }, preview: { watch: { atLeast: 1s, atMost: 1m } } }",
        "rolling: { batches: 1, watch: 1m }",
        "rolling: { batches: 25, watch: 1m }",
        "rolling: { batch: 33%, watch: 1m }",
        "recreate: { watch: 1m }",
        "recreate: { watch: { atLeast: 1m, atMost: 2m } }",
    ];
    let soaks = ["", "soak: { for: 1m }\n", "soak: { for: { atLeast: 1m, atMost: 2m }, onFailure: pause }\n"];
    let world = |strategy: &str, soak: &str, first| World { first, ..World::plain(&(small(strategy) + soak)) };
    let mut plans = Vec::new();
    for strategy in strategies {
        for soak in soaks {
            plans.extend([world(strategy, soak, false).plan(), world(strategy, soak, true).plan()]);
        }
    }
    plans
}

#[test]
fn what_holds_for_every_plan() {
    for plan in plans() {
        let unique: BTreeSet<_> = plan.steps.iter().map(|step| &step.id).collect();
        assert_eq!(unique.len(), plan.steps.len(), "step names are unique");
        let last = plan.steps.last().unwrap();
        assert!(
            matches!(last.kind, StepKind::Reconcile { arrangement: Arrangement::CandidateAlone }),
            "it ends with the candidate alone"
        );
        assert!(plan.steps.iter().all(|step| step.deadline > model::Millis(0)), "every step has a deadline");
        assert!(plan.steps.iter().all(|step| !step.reason.is_empty()), "every step has a reason");
        assert!(plan.steps.iter().any(|step| step.point_of_no_return), "the plan says where the way back ends");
        assert!(summarise(&plan).least_duration >= model::Millis::minutes(1), "something is watched");
        carries_its_traffic(&plan);
    }
}

/// Each side has at least the capacity of its share, and weights only grow.
fn carries_its_traffic(plan: &Plan) {
    let mut weight = BasisPoints::NONE;
    for step in &plan.steps {
        let StepKind::Reconcile { arrangement: Arrangement::SideBySide { stable, candidate, routing } } = &step.kind else {
            continue;
        };
        let extra = (u16::from(stable.get()) + u16::from(candidate.get())).saturating_sub(100);
        assert!(u16::from(step.extra_capacity.get()) >= extra, "the plan says what {} costs", step.id);
        if let Routing::Open { candidate: share, .. } = routing {
            assert!(*share >= weight, "the weight grows");
            assert!(u16::from(candidate.get()) * 100 >= share.get(), "{} carries its traffic", step.id);
            assert!(u16::from(stable.get()) * 100 >= share.rest().get(), "{}: stable carries its traffic", step.id);
            weight = *share;
        }
        assert!(*stable <= Percent::FULL);
    }
}
