//! What a path says of its watches and checks, on real processes and real traffic: a dry run that finds nothing well changes nothing, a
//! critical check asks nobody, and both are shown.

use serde_json::Value;

use crate::rig::{Callers, Rig};

/// The example's path with a dry run that never finds what it looks for, a critical check, and watches until they are decided; where it
/// went back it pauses.
fn scrutinised(path: String) -> String {
    let drill =
        "health:\n  - { use: health-http, name: drill, with: { path: /, expectStatus: 418 }, every: 100ms, dryRun: true }\n";
    let watch = "watch: { atLeast: \"${parameters.watch}\", atMost: 30s }";
    let changes = [
        ("health:\n", drill),
        ("use: health-traffic\n", "use: health-traffic\n    critical: true\n    startAfter: 200ms\n"),
        ("watch: \"${parameters.watch}\"", watch),
        ("onFailure: rollback", "onFailure: pause"),
    ];
    changes.into_iter().fold(path, |path, (from, to)| {
        assert!(path.contains(from), "the example has no {from:?}");
        path.replace(from, to)
    })
}

/// Returns the role, the verdict and the looks of each check.
fn checks(shown: &Value) -> Vec<(&str, &str, u64)> {
    let checks = shown["checks"].as_array().unwrap();
    checks.iter().map(|c| (c["role"].as_str().unwrap(), c["verdict"].as_str().unwrap(), c["looks"].as_u64().unwrap())).collect()
}

#[test]
fn a_dry_run_changes_nothing_and_a_critical_check_asks_nobody() {
    let rig = Rig::start();
    rig.register_changed(scrutinised);
    for (label, knobs) in [("a", ""), ("b", ""), ("ill", "ERROR_RATE=0.5")] {
        rig.release(label, knobs);
    }
    let first = rig.deploy("a");
    let ended = rig.wait_for_end(&first);
    assert_eq!(ended["phase"], "succeeded", "{}", ended["outcome"]);
    let callers = Callers::start(rig.ask(&["show", &first])["public_endpoint"].as_str().unwrap(), 4);

    let plan = rig.ask(&["plan", "web", "local", "--release", "b"]);
    let watches: Vec<&Value> = plan["steps"].as_array().unwrap().iter().map(|s| &s["watch"]).filter(|w| !w.is_null()).collect();
    assert_eq!(watches.len(), 4, "{plan}");
    assert_eq!((&watches[0]["at_least_ms"], &watches[0]["at_most_ms"]), (&Value::from(500), &Value::from(30_000)), "{plan}");
    let text = plan["text"].as_str().unwrap();
    assert!(text.contains("watch until decided, 500ms to 30s, by health-http (dry run), health-http,"), "{text}");

    let good = rig.wait_for_end(&rig.deploy("b"));
    assert_eq!(good["phase"], "succeeded", "{}", good["outcome"]);
    let seen = checks(&good);
    assert_eq!(
        seen.iter().map(|(role, verdict, _)| (*role, *verdict)).collect::<Vec<_>>(),
        [("dry-run", "unhealthy"), ("deciding", "healthy"), ("critical", "healthy"),]
    );
    assert!(seen.iter().all(|(_, _, looks)| *looks > 0), "{seen:?}");

    // `wait_for_end` takes no pause: the path says pause, the critical check leads back all the same.
    let ill = rig.wait_for_end(&rig.deploy("ill"));
    assert_eq!(ill["phase"], "rolled-back", "{}", ill["outcome"]);
    assert!(ill["outcome"].as_str().unwrap().contains("health-traffic"), "{}", ill["outcome"]);
    let (total, _) = callers.stop();
    assert!(total > 100, "{total} requests are too few to say anything");
}
