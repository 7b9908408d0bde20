//! A service on virtual machines: `examples/vm`, with hosts that the test makes, behind HAProxy and behind Envoy.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use test_machines::{Callers, Envoy, Fleet};
use test_observability::Prometheus;

use crate::judged::place;
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
    for (label, knobs) in [("v1", ""), ("v2", ""), ("v3", "ERROR_RATE=0.9\n")] {
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
    // The third release answers nine of ten requests with an error, and had 5 % for as long as it took to find that out.
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

/// Behind Envoy, with a Prometheus that scrapes it.
struct Shadowed {
    rig: Rig,
    fleet: Fleet,
    envoy: Envoy,
    prometheus: Prometheus,
}

impl Shadowed {
    fn start() -> Self {
        let fleet = Fleet::start_for("hello", 2);
        let root = fleet.balancer.root();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let envoy = Envoy::start(&root.join("envoy"), target, "hello");
        let prometheus = Prometheus::start(&format!(
            "
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs: [{{ job_name: envoy, metrics_path: /stats/prometheus, static_configs: [{{ targets: [\"{}\"] }}] }}]
",
            envoy.admin()
        ));
        let folder = tempfile::tempdir().unwrap();
        let asks = json!({ "http": { "allow": [place(prometheus.address(), "POST", "/api/v1")] } });
        let grants = json!({ "grants": [
            { "plugin": "health-http", "powers": { "http": { "subjects": true } } },
            { "plugin": "health-prometheus", "powers": asks },
            { "plugin": "target-vm", "powers": fleet.grants() },
        ] });
        let file = folder.path().join("grants.json");
        fs::write(&file, grants.to_string()).unwrap();
        let rig = Rig::start_with(&["--grants", &file.display().to_string()]);
        let shadowed = Self { rig, fleet, envoy, prometheus };
        shadowed.register();
        shadowed
    }

    fn register(&self) {
        let root = self.fleet.balancer.root();
        let mut settings = self.fleet.settings();
        settings["balancer"] = self.envoy.settings(self.fleet.balancer.name(), &root);
        settings["publicEndpoint"] = json!(self.envoy.address().to_string());
        let environment = json!({
            "apiVersion": "towpath.dev/v1", "kind": "Environment", "metadata": { "name": ENVIRONMENT }, "tier": "staging",
            "target": { "use": "target-vm", "with": settings },
        });
        self.rig.ask(&["environment", "apply", &self.rig.file("environment.yaml", &environment.to_string())]);
        self.rig.ask(&["path", "publish", &workspace().join("examples/vm/shadow.yaml").display().to_string()]);
        let service = json!({
            "apiVersion": "towpath.dev/v1", "kind": "Service", "metadata": { "name": "hello", "owner": "team-hello" },
            "path": { "name": "vm-shadow", "version": "^1.0" },
            "parameters": {
                "command": ["./hello-service"], "port": 8001, "prometheus": format!("http://{}", self.prometheus.address()),
                "probePath": "/healthz", "watch": "8s", "soak": "2s", "lookEvery": "500ms",
            },
        });
        self.rig.ask(&["service", "apply", &self.rig.file("service.yaml", &service.to_string())]);
    }

    /// Deploys a release of the example service with these knobs, and returns the deployment when it is over.
    fn deploy(&self, label: &str, knobs: &str) -> Value {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(hello_service(), folder.path().join("hello-service")).unwrap();
        fs::write(folder.path().join("hello.env"), format!("VERSION={label}\n{knobs}\n")).unwrap();
        let artifact = folder.path().display().to_string();
        self.rig.ask(&["release", "create", "--service", "hello", "--label", label, "--artifact", &artifact]);
        let started = self.rig.ask(&["deploy", "hello", ENVIRONMENT, "--release", label, "--yes"]);
        self.rig.wait_for_end(started["deployment_id"].as_str().unwrap())
    }
}

#[test]
fn a_bad_release_is_found_by_copies_before_any_caller_meets_it_and_a_good_one_goes_on() {
    let shadowed = Shadowed::start();
    assert_eq!(shadowed.deploy("v1", "")["phase"], "succeeded");
    let callers = Callers::start_paced(shadowed.envoy.address(), 4, Duration::from_millis(10));
    let back = shadowed.deploy("v2", "ERROR_RATE=0.5");
    assert_eq!(back["phase"], "rolled-back", "{back}");
    let said = back["outcome"].as_str().unwrap();
    assert!(said.contains("error rate of copies is ") && said.contains("candidate > 0.05 && candidate > 2 * stable"), "{said}");
    let answers = callers.answers();
    assert_eq!((answers.len(), answers.contains_key("v1")), (1, true), "{answers:?}");
    let promoted = shadowed.deploy("v3", "");
    assert_eq!(promoted["phase"], "succeeded", "{promoted}");
    let answers = callers.stop();
    assert!(answers.len() == 2 && answers["v3"] > 0, "nobody met v2, and nobody was failed: {answers:?}");
}
