//! A service on virtual machines: `examples/vm`, with hosts that the test makes.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use test_machines::{Callers, Fleet};

use crate::rig::{Rig, hello_service, workspace};
use crate::walkthrough::walk;

/// The name of the example's environment.
const ENVIRONMENT: &str = "machines";

/// Copies the example into a folder, with a fleet's hosts in the place of the ones that it names.
fn example_for(fleet: &Fleet, folder: &Path) {
    let example = workspace().join("examples/vm");
    for file in ["path.yaml", "service.yaml"] {
        fs::copy(example.join(file), folder.join(file)).unwrap();
    }
    let environment = json!({
        "apiVersion": "towpath.dev/v1", "kind": "Environment", "metadata": { "name": ENVIRONMENT }, "tier": "staging",
        "target": { "use": "target-vm", "with": fleet.settings() },
    });
    fs::write(folder.join("environment.yaml"), environment.to_string()).unwrap();
    let mut grants: Value = serde_json::from_str(&fs::read_to_string(example.join("grants.json")).unwrap()).unwrap();
    let entry = grants["grants"].as_array_mut().unwrap().iter_mut().find(|grant| grant["plugin"] == "target-vm").unwrap();
    entry["powers"] = fleet.grants();
    fs::write(folder.join("grants.json"), grants.to_string()).unwrap();
}

fn releases(folder: &Path) {
    for (label, knobs) in [("v1", ""), ("v2", ""), ("v3", "ERROR_RATE=0.5\n")] {
        let release = folder.join(label);
        fs::create_dir(&release).unwrap();
        fs::copy(hello_service(), release.join("hello-service")).unwrap();
        fs::write(release.join("hello.env"), format!("VERSION={label}\n{knobs}")).unwrap();
    }
}

#[test]
fn the_walk_over_virtual_machines_does_what_it_says_and_no_caller_is_failed() {
    let fleet = Fleet::start_for("hello", 2);
    let folder = tempfile::tempdir().unwrap();
    example_for(&fleet, folder.path());
    releases(folder.path());
    let place = folder.path().display().to_string();
    let address = fleet.haproxy.address();
    // Nobody is served before the first release; who calls from then on is counted.
    let callers = std::thread::spawn(move || {
        test_machines::until("the first release answers", || test_machines::answers(address).then_some(()));
        Callers::start(address, 2)
    });
    walk("examples/vm/README.md", 9, &[("VM", place.clone()), ("RELEASES", place), ("CALLERS", address.to_string())]);
    let answers = callers.join().unwrap().stop();
    // The third release answers every other request with an error, and had 5 % for as long as it took to find that out.
    let failed: Vec<_> = answers.iter().filter(|(answer, _)| answer.starts_with("failed") && !answer.contains("500")).collect();
    assert!(failed.is_empty() && answers["v1"] > 0 && answers["v2"] > 0, "{answers:?}");
}

#[test]
fn the_example_is_taken_as_it_is() {
    let grants = workspace().join("examples/vm/grants.json").display().to_string();
    let rig = Rig::start_with(&["--grants", &grants]);
    let applied = rig.ask(&["environment", "apply", &workspace().join("examples/vm/environment.yaml").display().to_string()]);
    assert_eq!(applied["name"], ENVIRONMENT, "{applied}");
}
