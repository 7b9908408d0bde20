//! What a deployment began with it ends with, whatever happens to its plugins meanwhile; and a grant ends when it was said to end.

use serde_json::Value;

use crate::plugins::install_as;
use crate::rig::{Rig, wait_for};

/// What the strangers need to do what the first-party ones do.
const GRANTS: [(&str, &str); 2] = [("probe", r#"{"http": {"subjects": true}}"#), ("mover", r#"{"runtime": true}"#)];

/// Returns how often a digest was called since the server started.
fn calls(rig: &Rig, name: &str, digest: &str) -> u64 {
    let page = rig.ask(&["plugin", "inspect", &format!("{name}@{digest}")]);
    page["calls"].as_u64().unwrap_or_else(|| panic!("no number of calls in {page}"))
}

fn digest(plugin: &Value) -> String {
    assert_eq!(plugin["state"], "current", "{plugin}");
    plugin["digest"].as_str().unwrap().to_owned()
}

/// Installs a version of the strangers, and returns the digests of health check and target.
fn install_both(rig: &Rig, version: &str) -> [String; 2] {
    let probe = digest(&install_as(rig, "health-http", "probe", version, None));
    [probe, digest(&install_as(rig, "target-local", "mover", version, None))]
}

/// Starts a server on which a service goes to a stranger's target and is looked at by a stranger's health check.
fn among_strangers() -> (Rig, [String; 2]) {
    let rig = Rig::start();
    let first = install_both(&rig, "1.0.0");
    for (name, powers) in GRANTS {
        rig.ask(&["plugin", "grant", name, "--environment", "local", "--powers", powers]);
    }
    rig.register_changed(|path| path.replace("use: health-http", "use: probe"));
    let environment = std::fs::read_to_string(crate::rig::workspace().join("examples/environments/local.yaml")).unwrap();
    let environment = environment.replace("use: target-local", "use: mover");
    rig.ask(&["environment", "apply", &rig.file("local.yaml", &environment)]);
    (rig, first)
}

/// Makes the watches so long that nothing but a refusal or a person ends them within a test.
pub(crate) fn watch_for_long(rig: &Rig) {
    let service = std::fs::read_to_string(rig.folder.path().join("web.yaml")).unwrap();
    let longer = service.replace("watch: 500ms", "watch: 10m");
    assert_ne!(service, longer);
    rig.ask(&["service", "apply", &rig.file("web.yaml", &longer)]);
}

#[test]
fn a_deployment_and_its_rollback_keep_the_digests_that_they_began_with() {
    let (rig, first) = among_strangers();
    rig.release("a", "");
    assert_eq!(rig.wait_for_end(&rig.deploy("a"))["phase"], "succeeded");
    watch_for_long(&rig);
    rig.release("b", "");
    let id = rig.deploy("b");
    rig.wait_for_traffic(&id);
    let second = install_both(&rig, "1.1.0");
    let [probed, moved] = [calls(&rig, "probe", &first[0]), calls(&rig, "mover", &first[1])];
    wait_for("another look by the first digest", || (calls(&rig, "probe", &first[0]) > probed).then_some(()));
    rig.run(&["abort", &id]);
    assert_eq!(rig.wait_for_end(&id)["phase"], "aborted");
    assert!(calls(&rig, "mover", &first[1]) > moved, "the way back is the first digest's as well");
    assert_eq!([calls(&rig, "probe", &second[0]), calls(&rig, "mover", &second[1])], [0, 0], "nobody asked for the second");
    // The release still pins what it was made with; a new one has the new digest.
    rig.release("c", "");
    let pinned = |label: &str| rig.ask(&["release", "get", "web", label])["plugins"].to_string();
    assert!(pinned("b").contains(&first[0]) && !pinned("b").contains(&second[0]), "{}", pinned("b"));
    assert!(pinned("c").contains(&second[0]) && !pinned("c").contains(&first[0]), "{}", pinned("c"));
    let probed = calls(&rig, "probe", &first[0]);
    let id = rig.deploy("c");
    wait_for("a look by the second digest", || (calls(&rig, "probe", &second[0]) > 0).then_some(()));
    assert!(calls(&rig, "mover", &second[1]) > 0, "the new deployment moves with the new target");
    assert_eq!(calls(&rig, "probe", &first[0]), probed, "the first digest has nothing more to do");
    rig.run(&["abort", &id]);
    assert_eq!(rig.wait_for_end(&id)["phase"], "aborted");
}

#[test]
fn a_grant_that_runs_out_in_the_middle_of_a_deployment_is_refused_from_then_on() {
    let (rig, _) = among_strangers();
    rig.release("a", "");
    assert_eq!(rig.wait_for_end(&rig.deploy("a"))["phase"], "succeeded");
    watch_for_long(&rig);
    rig.release("b", "");
    let id = rig.deploy("b");
    rig.wait_for_traffic(&id);
    let refused = || {
        let page = rig.ask(&["plugin", "inspect", "probe"]);
        let usage = page["usage"].as_array().unwrap().iter().find(|usage| usage["power"] == "http").cloned();
        usage.unwrap_or_else(|| panic!("no use of http in {page}"))["refused"].as_u64().unwrap()
    };
    assert_eq!(refused(), 0, "up to here it was granted");
    let (name, powers) = GRANTS[0];
    rig.ask(&["plugin", "grant", name, "--environment", "local", "--powers", powers, "--expires", "2s"]);
    wait_for("the first refusal", || (refused() > 0).then_some(()));
    let page = rig.ask(&["plugin", "inspect", "probe"]);
    assert_eq!(page["grants"][0]["expired"], true, "{page}");
    // Only a refusal ends these watches: it ends by itself or stands still, and succeeds never.
    rig.run(&["abort", &id]);
    assert_ne!(rig.wait_for_end(&id)["phase"], "succeeded");
}
