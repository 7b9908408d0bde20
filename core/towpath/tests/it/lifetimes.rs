//! How long what was installed and granted holds: a digest as long as a deployment that began with it, a grant until it expires or is
//! revoked at any server.

use serde_json::Value;
use test_postgres::Server;

use crate::languages::without_the_routers_numbers;
use crate::plugins::install;
use crate::rig::{Rig, wait_for};

/// Watched for so long that nothing ends before somebody promotes it or gives it up.
fn watched_for_long(path: String) -> String {
    let first = r#"- { weight: 5%, watch: "${parameters.watch}" }"#;
    assert!(path.contains(first), "the example has another form now");
    // Nobody calls it, so that the router has nothing to say.
    without_the_routers_numbers(path).replace(first, "- { weight: 5%, watch: 10m }").replace("use: health-http", "use: probe")
}

fn grant(rig: &Rig, more: &[&str]) {
    let arguments = ["plugin", "grant", "probe", "--environment", "local", "--powers", r#"{"http": {"subjects": true}}"#];
    rig.ask(&[&arguments, more].concat());
}

/// Returns how often a digest has used `http`.
fn uses(rig: &Rig, plugin: &str) -> u64 {
    let page = rig.ask(&["plugin", "inspect", plugin]);
    let usage = page["usage"].as_array().unwrap().iter();
    usage.filter(|used| used["power"] == "http").map(|used| used["used"].as_u64().unwrap()).sum()
}

/// Deploys release `a` to its end and begins with `b`, which is then watched.
fn begin(rig: &Rig) -> String {
    rig.release("a", "");
    assert_eq!(rig.wait_for_end(&rig.deploy("a"))["phase"], "succeeded");
    rig.release("b", "");
    let id = rig.deploy("b");
    rig.wait_for_traffic(&id);
    id
}

/// Waits until a deployment that was healthy is refused what its check needs.
fn wait_for_refusal(rig: &Rig, id: &str) {
    wait_for("the refusal of the next host call", || {
        let shown: Value = serde_json::from_slice(&rig.run(&["show", id]).stdout).ok()?;
        shown.to_string().contains("may not use `http`").then_some(())
    });
}

#[test]
fn a_deployment_that_runs_keeps_its_digest_and_the_next_release_has_the_new_one() {
    let rig = Rig::start();
    let named = |page: &Value| format!("probe@{}", page["digest"].as_str().unwrap());
    let first = named(&install(&rig, "1.0.0", None));
    grant(&rig, &[]);
    rig.register_changed(watched_for_long);
    let id = begin(&rig);

    let page = install(&rig, "1.1.0", None);
    assert_eq!(page["state"], "current", "{page}");
    let second = named(&page);
    let before = uses(&rig, &first);
    wait_for("more looks with the digest that it began with", || (uses(&rig, &first) > before + 3).then_some(()));
    rig.ask(&["promote", &id]);
    assert_eq!(rig.wait_for_end(&id)["phase"], "succeeded");
    assert_eq!(uses(&rig, &second), 0, "the deployment went over to the new digest");

    let before = uses(&rig, &first);
    rig.release("c", "");
    let id = rig.deploy("c");
    rig.wait_for_traffic(&id);
    wait_for("looks with the new digest", || (uses(&rig, &second) > 0).then_some(()));
    rig.ask(&["promote", &id]);
    assert_eq!(rig.wait_for_end(&id)["phase"], "succeeded");
    assert_eq!(uses(&rig, &first), before, "a new release is judged by the digest that it was made with");
}

#[test]
fn a_grant_that_expires_ends_in_the_middle_of_a_deployment() {
    let rig = Rig::start();
    install(&rig, "1.0.0", None);
    grant(&rig, &[]);
    rig.register_changed(watched_for_long);
    let id = begin(&rig);
    grant(&rig, &["--expires", "2s"]);
    wait_for_refusal(&rig, &id);
    rig.run(&["abort", &id]);
    assert_ne!(rig.wait_for_end(&id)["phase"], "succeeded");
}

#[test]
fn what_is_revoked_at_one_server_is_refused_by_the_others() {
    let database = Server::start();
    let url = database.database();
    let mut rig = Rig::start_runtime();
    let replicas: Vec<_> = (0..2).map(|_| rig.start_replica(&url)).collect();
    rig.server_address = Some(replicas[0].address.clone());
    install(&rig, "1.0.0", None);
    grant(&rig, &[]);
    rig.register_changed(watched_for_long);
    // Whichever server has the deployment, one of the two revocations comes from the other one.
    for (number, replica) in replicas.iter().enumerate() {
        rig.server_address = Some(replica.address.clone());
        grant(&rig, &[]);
        let id = match number {
            0 => begin(&rig),
            _ => {
                let id = rig.deploy("b");
                rig.wait_for_traffic(&id);
                id
            }
        };
        rig.ask(&["plugin", "revoke", "probe", "--environment", "local"]);
        wait_for_refusal(&rig, &id);
        rig.run(&["abort", &id]);
        assert_ne!(rig.wait_for_end(&id)["phase"], "succeeded");
    }
}
