//! Callers whom HAProxy keeps on a server by a cookie of its own.

use test_machines::{Callers, Fleet, until};

use crate::canary::next_requests;
use crate::rig::{Rig, failed};

/// HAProxy's cookie.
const COOKIE: &str = "SRV";

#[test]
fn a_caller_who_keeps_its_cookie_stays_on_its_side_until_that_is_drained() {
    let mut rig = Rig::on(Fleet::start_sticky(2, COOKIE));
    let steady = |rig: &Rig, label: &str| rig.sticky(rig.steady(label), COOKIE);
    let canary = |rig: &Rig, share: u16| rig.sticky(rig.canary("v1", "v2", share), COOKIE);
    rig.converge(&steady(&rig, "v1"));
    let early = Callers::start_with_cookies(rig.fleet.haproxy.address(), 4);
    next_requests(&early, 100);
    let found = rig.converge(&canary(&rig, 5_000));
    assert_eq!((found.candidate_basis_points, found.drift.len()), (5_000, 0), "{found:?}");
    next_requests(&early, 500);
    assert_eq!(early.paths(), vec![["v1"]; 4], "whoever was there stays with v1");

    // Whoever comes now is divided by weight, and stays where it is whatever the weights are.
    let late = Callers::start_with_cookies(rig.fleet.haproxy.address(), 8);
    next_requests(&late, 100);
    for share in [2_500, 7_500] {
        rig.converge(&canary(&rig, share));
        next_requests(&late, 500);
    }
    let paths = late.paths();
    let of = |version: &str| paths.iter().filter(|path| **path == [version]).count();
    assert!(of("v1") > 0 && of("v2") > 0 && of("v1") + of("v2") == 8, "each has been on one side alone: {paths:?}");

    // The way back drains v2: those who were there are moved, the others notice nothing.
    rig.converge(&steady(&rig, "v1"));
    assert!(!rig.scope(0).join("slots/b").exists(), "it has ended");
    until_all_are_with(&late, "v1");
    assert!(late.paths().iter().all(|path| *path == ["v1"] || *path == ["v2", "v1"]), "{:?}", late.paths());
    assert_eq!(early.paths(), vec![["v1"]; 4]);

    // The way forward drains v1.
    rig.converge(&canary(&rig, 10_000));
    rig.converge(&steady(&rig, "v2"));
    for callers in [early, late] {
        until_all_are_with(&callers, "v2");
        let answers = callers.stop();
        assert!(failed(&answers).is_empty(), "{answers:?}");
    }
}

#[test]
fn a_caller_whose_server_is_not_there_any_more_is_moved_and_stays_there() {
    let mut rig = Rig::on(Fleet::start_sticky(2, COOKIE));
    rig.converge(&rig.sticky(rig.steady("v1"), COOKIE));
    let callers = Callers::start_with_cookies(rig.fleet.haproxy.address(), 4);
    next_requests(&callers, 100);
    // Its host leaves, which is the end of its servers in HAProxy.
    rig.use_hosts(&[0]);
    rig.converge(&rig.sticky(rig.steady("v1"), COOKIE));
    assert_eq!(rig.fleet.haproxy.find("web-2-a"), None);
    next_requests(&callers, 100);
    let answers = callers.stop();
    assert!(failed(&answers).is_empty() && answers.len() == 1, "{answers:?}");
    // HAProxy gives no cookie to a server that it is told of while it runs: such a host is refused, and nothing is changed for the others.
    rig.fleet.add_host();
    rig.use_hosts(&[0, 2]);
    let fault = rig.fail(&rig.sticky(rig.steady("v1"), COOKIE));
    assert!(fault.message.contains("cookie") && fault.message.contains("web-3"), "{}", fault.message);
    assert_eq!(rig.fleet.haproxy.server("web-1-a"), ("UP".to_owned(), 100));
}

fn until_all_are_with(callers: &Callers, version: &str) {
    until("all callers are moved", || {
        let paths = callers.paths();
        paths.iter().all(|path| path.last().is_some_and(|last| last == version)).then_some(())
    });
}

#[test]
fn callers_who_are_kept_by_a_cookie_that_the_settings_do_not_know_are_found_by_the_counts() {
    let mut rig = Rig::on(Fleet::start_sticky(1, COOKIE));
    rig.change("balancer", |balancer| drop(balancer["haproxy"].as_object_mut().expect("settings").remove("cookie")));
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start_with_cookies(rig.fleet.haproxy.address(), 4);
    next_requests(&callers, 100);
    rig.converge(&rig.canary("v1", "v2", 5_000));
    let drift = until("it is counted", || {
        next_requests(&callers, 500);
        Some(rig.observe().expect("it answers").drift).filter(|drift| !drift.is_empty())
    });
    assert!(drift.len() == 1 && drift[0].starts_with("lb-1 gave the candidate 0 basis points of "), "{drift:?}");
    assert!(drift[0].ends_with("requests, its weights are 5000: something else chooses"), "{drift:?}");
    callers.stop();
}
