//! How something ends: what is on its way is waited for, and what nobody needs goes.

use std::fs;

use serde_json::json;

use super::machines::{BALANCER, HOSTS, Machines};
use super::{Operation, canary, changed, patient, said, settings, steady};

#[test]
fn a_host_that_leaves_is_forgotten_by_the_balancer_when_nobody_uses_it() {
    let world = Machines::new();
    Operation::new(&world, &settings(), 1).converge(&steady("v1"));
    let two = changed(&json!({ "hosts": [{ "name": HOSTS[0] }, { "name": HOSTS[1] }] }));
    world.play("servers/web-3-a", "100 UP 7\n");
    world.play("servers/other-1-a", "100 UP 0\n");
    let mut leaving = Operation::new(&world, &two, 2);
    let waiting = leaving.reconcile(&steady("v1"));
    assert!(said(&waiting).contains("7 requests are on their way in web-3-a, which has left"), "{}", said(&waiting));
    assert_eq!(world.servers()["web-3-a"], "100 MAINT 7");
    world.play("servers/web-3-a", "100 MAINT 0\n");
    world.play("attached", "");
    let waiting = leaving.reconcile(&steady("v1"));
    assert!(said(&waiting).contains("still has connections"), "{}", said(&waiting));
    leaving.converge(&steady("v1"));
    let servers = world.servers();
    assert!(!servers.keys().any(|name| name.starts_with("web-3")), "{servers:?}");
    assert_eq!(
        (servers["web-1-a"].as_str(), servers["other-1-a"].as_str()),
        ("100 UP 0", "100 UP 0"),
        "nobody else's is touched"
    );
    let order = fs::read_to_string(world.scope(BALANCER).join("order")).expect("it is kept");
    assert!(!order.contains("web-3"), "{order}");
    // What is used for longer than a drain may take stays closed, and is told.
    Operation::new(&world, &settings(), 3).converge(&steady("v1"));
    world.play("servers/web-3-a", "100 UP 7\n");
    let found = Operation::new(&world, &two, 4).converge(&steady("v1"));
    assert_eq!(world.servers()["web-3-a"], "100 MAINT 7");
    assert!(found.drift.iter().any(|fact| fact.contains("web-3-a is still known to lb-1 with 7 requests")), "{:?}", found.drift);
}

#[test]
fn requests_on_their_way_are_waited_for_but_not_for_ever() {
    let world = Machines::new();
    Operation::new(&world, &settings(), 1).converge(&steady("v1"));
    Operation::new(&world, &settings(), 2).converge(&canary(5_000));
    let mut back = Operation::new(&world, &settings(), 3);
    world.play("servers/web-2-b", "1 UP 7\n");
    let waiting = back.reconcile(&steady("v1"));
    assert!(said(&waiting).contains("7 requests are on their way in web-2-b"), "{}", said(&waiting));
    assert!(world.scope("web-2").join("slots/b/service/supervised").exists(), "it still runs");
    back.call.context.now_ms += 6_000;
    back.converge(&steady("v1"));
    assert!(!world.scope("web-2").join("slots/b").exists());
}

#[test]
fn what_is_long_lived_has_a_time_of_its_own_and_is_closed_by_the_balancer_then() {
    let world = Machines::new();
    let (v1, both) = (patient(steady("v1"), 60_000), patient(canary(5_000), 60_000));
    Operation::new(&world, &settings(), 1).converge(&v1);
    Operation::new(&world, &settings(), 2).converge(&both);
    let mut back = Operation::new(&world, &settings(), 3);
    world.play("servers/web-2-b", "1 UP 7\n");
    let mut says = |later_ms: i64, expect: &str| {
        back.call.context.now_ms += later_ms;
        let waiting = back.reconcile(&v1);
        assert!(said(&waiting).contains(expect), "{expect}: {}", said(&waiting));
        assert!(world.scope("web-2").join("slots/b/service/supervised").exists(), "it still runs");
        assert_eq!(world.servers()["web-2-b"], "1 MAINT 7");
    };
    says(0, "7 requests are on their way in web-2-b");
    says(5_000, "7 long-lived connections in web-2-b have 60 s left");
    says(59_500, "7 long-lived connections in web-2-b have 1 s left");
    // One that does not close them is waited for a moment, and no longer.
    world.play("deaf", "");
    says(500, "7 connections in web-2-b are being closed");
    world.play_no_more("deaf");
    back.call.context.now_ms += 3_000;
    back.converge(&v1);
    assert!(!world.scope("web-2").join("slots/b").exists());

    // Of a host that left, the same.
    world.play("servers/web-3-a", "100 UP 7\n");
    let two = changed(&json!({ "hosts": [{ "name": HOSTS[0] }, { "name": HOSTS[1] }] }));
    let mut leaving = Operation::new(&world, &two, 4);
    let waiting = leaving.reconcile(&v1);
    assert!(said(&waiting).contains("7 requests are on their way in web-3-a, which has left"), "{}", said(&waiting));
    leaving.call.context.now_ms += 6_000;
    let waiting = leaving.reconcile(&v1);
    assert!(said(&waiting).contains("7 long-lived connections in web-3-a have 59 s left, which has left"), "{}", said(&waiting));
    leaving.call.context.now_ms += 60_000;
    leaving.converge(&v1);
    assert!(!world.servers().contains_key("web-3-a"), "{:?}", world.servers());
}

#[test]
fn old_releases_go_and_what_runs_stays() {
    let world = Machines::new();
    fs::create_dir_all(world.scope("web-1").join("incoming/v0/lib")).expect("made");
    for (fence, release) in (1..).zip(["v1", "v2", "v3", "v4", "v5"]) {
        Operation::new(&world, &settings(), fence).converge(&steady(release));
    }
    assert_eq!(fs::read_dir(world.scope("web-1").join("incoming")).expect("a folder").count(), 0, "what was given up is gone");
    let mut left: Vec<_> =
        fs::read_dir(world.scope("web-1").join("releases")).expect("a folder").flatten().map(|file| file.file_name()).collect();
    left.sort();
    assert_eq!(left, ["v3", "v3.sums", "v4", "v4.sums", "v5", "v5.sums"]);
}
