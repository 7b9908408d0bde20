//! What a path says of its checks, as clients get it: in a plan, and while it is followed.

use std::sync::atomic::Ordering;

use towpath_proto::v1;

use crate::support::{PATH, Rig, apply, scope};

/// The path with one check more, which says the contrary of what is so and decides nothing, and with more words for the other.
fn scrutinised() -> String {
    let watch = "watch: { atLeast: \"${parameters.watch}\", atMost: 30s }";
    let checks = "critical: true\n    startAfter: 5ms\n  - name: drill\n    use: health-http\n    with: { contrary: true }\n    dryRun: true\n    every: 5ms\n";
    let path = PATH.replace("version: 1.2.0", "version: 1.3.0").replace("watch: \"${parameters.watch}\"", watch);
    path.replace("every: 10ms\n", &format!("every: 10ms\n    {checks}")).replace("onFailure: rollback", "onFailure: pause")
}

async fn rig() -> Rig {
    let rig = Rig::furnished().await;
    rig.paths().publish(apply(&scrutinised())).await.unwrap();
    // A release goes the way that was newest when it was made.
    for label in ["v3", "v4"] {
        rig.release("quick", label).await;
    }
    rig
}

#[tokio::test]
async fn a_plan_says_how_long_who_and_what_their_looks_decide() {
    let rig = rig().await;
    let request = v1::PlanRequest { scope: scope("quick"), release: "v3".to_owned() };
    let plan = rig.deployments().plan(request).await.unwrap().into_inner();
    let watches: Vec<&v1::PlanWatch> = plan.steps.iter().filter_map(|step| step.watch.as_ref()).collect();
    let check = |role: &str, every_ms, failures_to_decide, start_after_ms| {
        let (name, role) = ("health-http".to_owned(), role.to_owned());
        v1::PlanCheck { name, role, every_ms, failures_to_decide, errors_tolerated: 3, start_after_ms }
    };
    let expected = v1::PlanWatch {
        at_least_ms: 20,
        at_most_ms: 30_000,
        until_decided: true,
        on_unhealthy: "pause".to_owned(),
        on_inconclusive: "pause".to_owned(),
        checks: vec![check("critical", 10, 1, 5), check("dry-run", 5, 2, 0)],
    };
    assert_eq!(watches, [&expected]);
    assert!(
        plan.text.contains("watch until decided, 20ms to 30s, by health-http (critical), health-http (dry run)"),
        "{}",
        plan.text
    );
    rig.stop().await;
}

#[tokio::test]
async fn what_a_dry_run_finds_is_shown_and_changes_nothing() {
    let rig = rig().await;
    for label in ["v3", "v4"] {
        let id = rig.deploy("quick", label).await;
        let updates = rig.follow(&id, |deployment| deployment.ended).await;
        let ended = updates.last().and_then(|update| update.deployment.clone()).unwrap();
        assert_eq!(ended.phase, "succeeded", "{}", ended.outcome);
        let shown: Vec<_> = ended.checks.iter().map(|check| (check.role.as_str(), check.verdict.as_str())).collect();
        assert_eq!(shown, [("critical", "healthy"), ("dry-run", "unhealthy")]);
        assert!(ended.checks[1].looks > 0 && !ended.checks[1].measurements.is_empty());
        assert!(updates.iter().any(|update| update.sentence == "dry run: unhealthy: half of all requests fail"));
        let waited_for =
            |update: &v1::DeploymentUpdate| update.deployment.as_ref().unwrap().waiting.contains("half of all requests");
        assert!(!updates.iter().any(waited_for), "nobody waits for a dry run");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_critical_check_leads_back_where_the_path_says_pause() {
    let rig = rig().await;
    rig.end_of(&rig.deploy("quick", "v3").await).await;
    rig.world.ill.store(true, Ordering::Relaxed);
    let ended = rig.end_of(&rig.deploy("quick", "v4").await).await;
    assert_eq!(ended.phase, "rolled-back", "{}", ended.outcome);
    let check = &ended.checks[0];
    assert_eq!((check.role.as_str(), check.looks, check.unhealthy_in_a_row, check.failures_to_decide), ("critical", 1, 1, 1));
    rig.stop().await;
}
