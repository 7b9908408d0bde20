//! The same target where Envoy divides the traffic: by weights, by what requests carry, and by copies.

use std::fs;
use std::net::SocketAddr;

use plugin_host::{Desired, RequestKey, RouteMatch, Side, Traffic};
use test_machines::{Callers, Envoy, get, until};

use crate::canary::next_requests;
use crate::rig::{Rig, failed, target};

fn start(hosts: usize) -> (Rig, Envoy) {
    let mut rig = Rig::start(hosts);
    let root = rig.fleet.balancer.root();
    let envoy = Envoy::start(&root.join("envoy"), target(), "web");
    rig.set("balancer", envoy.settings(rig.fleet.balancer.name(), &root));
    (rig, envoy)
}

/// Returns a canary whose traffic is divided like this.
pub(crate) fn divided(rig: &Rig, traffic: Traffic) -> Desired {
    Desired { traffic: Some(traffic), ..rig.canary("v1", "v2", 0) }
}

pub(crate) fn chosen(on: RequestKey, value: &str, to: Side) -> RouteMatch {
    RouteMatch { on, value: value.to_owned(), to }
}

/// Returns what a request with this line in its head is answered.
pub(crate) fn answer(address: SocketAddr, line: &str) -> String {
    let answer = get(address, "/", line);
    answer.rsplit_once("\r\n\r\n").map_or(answer.clone(), |(_, body)| body.to_owned())
}

#[test]
fn a_canary_goes_up_by_weight_and_back_and_a_restart_changes_nothing() {
    let (mut rig, mut envoy) = start(2);
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(envoy.address(), 3);
    for share in [500, 2_500] {
        let found = rig.converge(&rig.canary("v1", "v2", share));
        assert_eq!((found.candidate_basis_points, found.drift.len()), (share, 0), "{found:?}");
        let next = next_requests(&callers, 2_000);
        let (measured, wanted) = (next["v2"] as f64 / next.values().sum::<u64>() as f64, f64::from(share) / 10_000.0);
        assert!((measured - wanted).abs() < 0.01, "{measured} at {wanted}");
        // By its own counts it is so as well.
        assert_eq!(rig.observe().expect("it answers").drift, Vec::<String>::new());
    }
    rig.converge(&rig.steady("v1"));
    assert_eq!(next_requests(&callers, 200).into_iter().filter(|(_, count)| *count > 0).count(), 1);
    rig.converge(&rig.canary("v1", "v2", 10_000));
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides.len(), found.sides[0].release.as_str()), (1, "v2"));
    let answers = callers.stop();
    assert!(failed(&answers).is_empty(), "{answers:?}");

    envoy.kill();
    let fault = rig.observe().expect_err("nobody knows the weights");
    assert!(fault.retryable && fault.message.contains("nobody answers at 127.0.0.1:"), "{}", fault.message);
    envoy.start_again();
    until("its servers are seen up", || rig.observe().ok().filter(|seen| seen.drift.is_empty()));
    assert!(answer(envoy.address(), "X-Nothing: 1").contains("v2"));
}

#[test]
fn chosen_callers_meet_the_candidate_and_nobody_else_does() {
    let (mut rig, envoy) = start(2);
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(envoy.address(), 2);
    let matches = vec![
        chosen(RequestKey::Header("X-Team".to_owned()), "beta \"testers\"", Side::Candidate),
        chosen(RequestKey::Cookie("preview".to_owned()), "yes.1", Side::Candidate),
        chosen(RequestKey::Header("X-Careful".to_owned()), "1", Side::Stable),
    ];
    let found = rig.converge(&divided(&rig, Traffic { matches: matches.clone(), ..Traffic::default() }));
    assert_eq!((found.candidate_basis_points, found.drift.len()), (0, 0), "{found:?}");
    for (line, version) in [
        ("x-team: beta \"testers\"", "v2"),
        ("x-team: beta", "v1"),
        ("Cookie: a=b; preview=yes.1; c=d", "v2"),
        ("Cookie: preview=yes.1", "v2"),
        ("Cookie: preview=yes11", "v1"),
        ("Cookie: nopreview=yes.1", "v1"),
        ("X-Nothing: 1", "v1"),
    ] {
        assert!(answer(envoy.address(), line).contains(version), "{line}: {}", answer(envoy.address(), line));
    }
    // With half of the traffic at the candidate, whoever is careful stays where it is.
    rig.converge(&divided(&rig, Traffic { candidate_basis_points: 5_000, matches, ..Traffic::default() }));
    assert!((0..20).all(|_| answer(envoy.address(), "x-careful: 1").contains("v1")));
    assert!((0..20).all(|_| answer(envoy.address(), "cookie: preview=yes.1").contains("v2")));
    let back = rig.converge(&rig.steady("v1"));
    assert_eq!((back.sides.len(), back.drift.len()), (1, 0), "{back:?}");
    assert!(answer(envoy.address(), "cookie: preview=yes.1").contains("v1"));
    let answers = callers.stop();
    assert!(failed(&answers).is_empty() && answers["v2"] > 0, "{answers:?}");
}

#[test]
fn a_candidate_that_receives_copies_fails_nobody() {
    let (mut rig, envoy) = start(2);
    rig.converge(&rig.steady("v1"));
    rig.release("v2", "ERROR_RATE=1");
    let callers = Callers::start(envoy.address(), 3);
    let found = rig.converge(&divided(&rig, Traffic { mirror_basis_points: 5_000, ..Traffic::default() }));
    assert_eq!((found.candidate_basis_points, found.drift.len()), (0, 0), "{found:?}");
    let (served, copied) = (envoy.requests("web"), envoy.requests("web-candidate"));
    next_requests(&callers, 4_000);
    let (served, copied) = (envoy.requests("web") - served, envoy.requests("web-candidate") - copied);
    let measured = copied as f64 / served as f64;
    assert!((measured - 0.5).abs() < 0.05, "{copied} of {served}");
    // The routes are edited by hand: that is told, and put right.
    let routes = envoy.file("web-routes");
    let edited = fs::read_to_string(&routes).expect("it is there").replace("5000", "1");
    let beside = routes.with_extension("edited");
    fs::write(&beside, edited).and_then(|()| fs::rename(&beside, &routes)).expect("written");
    until("it is told", || {
        let drift = rig.observe().expect("it answers").drift;
        drift.iter().any(|fact| fact.contains("the routes on lb-1 are not those that were ordered")).then_some(())
    });
    rig.converge(&divided(&rig, Traffic { mirror_basis_points: 5_000, ..Traffic::default() }));
    rig.converge(&rig.steady("v1"));
    let copied = envoy.requests("web-candidate");
    let answers = callers.stop();
    assert_eq!((failed(&answers).len(), answers.get("v2"), envoy.requests("web-candidate")), (0, None, copied), "{answers:?}");
}

#[test]
fn an_envoy_that_is_set_up_otherwise_is_refused_and_one_that_has_another_file_is_put_right() {
    let (mut rig, envoy) = start(1);
    // Here the routes are somebody else's.
    rig.change("balancer", |balancer| drop(balancer["envoy"].as_object_mut().expect("settings").remove("routes")));
    let routes = fs::read(envoy.file("web-routes")).expect("it is there");
    rig.converge(&rig.canary("v1", "v2", 5_000));
    let servers = envoy.file("web");
    let ours = fs::read_to_string(&servers).expect("it is there");
    let beside = servers.with_extension("edited");
    fs::write(&beside, ours.replace("\"load_balancing_weight\":1", "\"load_balancing_weight\":9"))
        .and_then(|()| fs::rename(&beside, &servers))
        .expect("written");
    until("it is told", || {
        let drift = rig.observe().expect("it answers").drift;
        drift.iter().any(|fact| fact.contains("has weight 9 on lb-1, 1 was ordered")).then_some(())
    });
    let found = rig.converge(&rig.canary("v1", "v2", 5_000));
    assert_eq!((found.candidate_basis_points, found.drift.len()), (5_000, 0), "{found:?}");
    assert_eq!(fs::read(envoy.file("web-routes")).expect("it is there"), routes, "nobody touched them");
    let root = rig.fleet.balancer.root();
    let other = Envoy::start_with(&root.join("other"), target(), "web", "LEAST_REQUEST");
    rig.set("balancer", other.settings(rig.fleet.balancer.name(), &root));
    let fault = rig.fail(&rig.steady("v1"));
    assert!(!fault.retryable && fault.message.contains("it has LEAST_REQUEST"), "{}", fault.message);
}
