//! A deployment beside others whose health check is hostile: it comes to its end, and not much later than alone.

use std::time::Duration;

use hostile::Forge;
use serde_json::Value;

use crate::rig::{Callers, Rig, SERVICE, free_port, now, wait_for, workspace};

/// How many deployments have the hostile check at once: each of its looks computes until its time is over.
const HOSTILE: usize = 4;

/// How many times longer than alone the deployment beside them may take. Half of the processors are kept from guests that compute for long
/// (`pace` in the plugin host), so the other half has to do for what two processors did: twice as long, and as much again for a machine
/// that does other things meanwhile.
const RATIO_MAX: u32 = 4;

/// Returns the JSON of a golden path like the example's, under another name and with the hostile check in the place of the probe.
fn hostile_path(rig: &Rig) -> String {
    let example = workspace().join("examples/paths/web-canary.yaml");
    let path = std::fs::read_to_string(example).unwrap();
    rig.file(
        "hostile.yaml",
        &path.replace("name: web-canary", "name: hostile-canary").replace("use: health-http", "use: stranger"),
    )
}

/// Registers a service on that path, with a release that has everything that the example's has.
fn register(rig: &Rig, name: &str) {
    let service = SERVICE.replace("PORT", &free_port().to_string()).replace("name: web,", &format!("name: {name},"));
    let service = service.replace("name: web-canary", "name: hostile-canary").replace("instances: 2", "instances: 1");
    rig.ask(&["service", "apply", &rig.file(&format!("{name}.yaml"), &service)]);
    let artifact = rig.folder.path().join("a").display().to_string();
    rig.ask(&["release", "create", "--service", name, "--label", "a", "--artifact", &artifact]);
}

/// Deploys a release of `web`, and returns how long that took and where callers go.
fn deployed(rig: &Rig, label: &str) -> (Duration, String) {
    let begun = now();
    let ended = rig.wait_for_end(&rig.deploy(label));
    assert_eq!(ended["phase"], "succeeded", "{label}");
    (begun.elapsed(), ended["public_endpoint"].as_str().unwrap().to_owned())
}

#[test]
fn a_deployment_beside_hostile_ones_takes_at_most_four_times_as_long() {
    let rig = Rig::start();
    rig.register();
    for label in ["a", "b", "c"] {
        rig.release(label, "");
    }
    let (_, address) = deployed(&rig, "a");
    let callers = Callers::start(&address, 4);
    let (alone, _) = deployed(&rig, "b");

    let looping = Forge::new("(loop $again (br $again)) (unreachable)").component();
    std::fs::write(rig.folder.path().join("stranger.wasm"), looping).unwrap();
    rig.ask(&["plugin", "install", &rig.folder.path().join("stranger.wasm").display().to_string(), "--yes"]);
    rig.ask(&["path", "publish", &hostile_path(&rig)]);
    let names: Vec<_> = (0..HOSTILE).map(|number| format!("hostile-{number}")).collect();
    let started: Vec<_> = names
        .iter()
        .map(|name| {
            register(&rig, name);
            rig.ask(&["deploy", name, "local", "--release", "a", "--yes"])["deployment_id"].as_str().unwrap().to_owned()
        })
        .collect();
    for id in &started {
        wait_for("the hostile check's look", || {
            let shown: Value = serde_json::from_slice(&rig.run(&["show", id]).stdout).ok()?;
            assert_ne!(shown["ended"], true, "it was over before it could disturb anybody: {shown}");
            shown["waiting"].to_string().contains("health checks").then_some(())
        });
    }

    let (beside, _) = deployed(&rig, "c");
    println!("alone {alone:?}, beside {HOSTILE} hostile ones {beside:?}");
    assert!(
        beside <= alone * RATIO_MAX,
        "alone it took {alone:?}, beside hostile ones {beside:?}, at most {RATIO_MAX} times is allowed"
    );
    wait_for("the end of a look that computes for ever", || {
        let page = rig.ask(&["plugin", "inspect", "stranger"]);
        (page["failed_calls"].as_u64() > Some(0)).then_some(())
    });
    for id in &started {
        rig.run(&["abort", id]);
    }
    let (total, failed) = callers.stop();
    assert!(total > 0 && failed == 0, "{failed} of {total} requests failed");
}
