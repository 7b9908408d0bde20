//! The same target where nginx divides the traffic.

use std::fs;

use test_machines::{Callers, Nginx, until};

use crate::canary::next_requests;
use crate::rig::Rig;

/// Starts so many hosts behind an nginx with another line in its upstream.
pub(crate) fn start(hosts: usize, line: &str) -> (Rig, Nginx) {
    let mut rig = Rig::start(hosts);
    let root = rig.fleet.balancer.root();
    let nginx = Nginx::start(&root.join("nginx"), line);
    rig.set("balancer", nginx.settings(rig.fleet.balancer.name(), &root));
    (rig, nginx)
}

#[test]
fn a_canary_goes_up_by_weight_and_a_restart_changes_nothing() {
    let (mut rig, mut nginx) = start(2, "");
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(nginx.address(), 3);
    let found = rig.converge(&rig.canary("v1", "v2", 2_500));
    assert_eq!((found.candidate_basis_points, found.drift.len()), (2_500, 0), "{found:?}");
    let next = next_requests(&callers, 2_000);
    let (all, of_candidate) = (next.values().sum::<u64>() as f64, next["v2"] as f64);
    assert!((of_candidate / all - 0.25).abs() < 0.01, "{next:?}");
    rig.converge(&rig.canary("v1", "v2", 10_000));
    rig.converge(&rig.steady("v2"));
    // A reload closes connections that nobody uses at that moment; whoever was about to use one sees that. Nothing else may be seen.
    let of_reloads = ["failed: the connection ended after 0 bytes", "failed: Connection reset", "failed: Broken pipe"];
    let answers = callers.stop();
    let others: Vec<_> = answers
        .keys()
        .filter(|answer| answer.starts_with("failed") && !of_reloads.iter().any(|known| answer.starts_with(known)))
        .collect();
    assert!(others.is_empty(), "{answers:?}");

    nginx.kill();
    let fault = rig.observe().expect_err("nobody knows the weights");
    assert!(fault.retryable && fault.message.contains("nginx does not run"), "{}", fault.message);
    nginx.start_again();
    let seen = rig.observe().expect("it answers");
    assert_eq!((seen.sides[0].release.as_str(), seen.drift.len()), ("v2", 0), "{seen:?}");
}

#[test]
fn what_nginx_has_not_loaded_is_told_and_put_right_and_another_method_is_refused() {
    let (mut rig, nginx) = start(1, "keepalive 8;");
    rig.converge(&rig.canary("v1", "v2", 5_000));
    let ours = fs::read_to_string(nginx.include()).expect("it was written");
    fs::write(nginx.include(), ours.replace("weight=1;", "weight=99;")).expect("written");
    let seen = rig.observe().expect("it answers");
    assert!(seen.drift.iter().any(|fact| fact.contains("has weight 0 on lb-1, 1 was ordered")), "{:?}", seen.drift);
    let found = rig.converge(&rig.canary("v1", "v2", 5_000));
    assert_eq!((found.candidate_basis_points, found.drift.len()), (5_000, 0), "{found:?}");
    assert_eq!(fs::read_to_string(nginx.include()).expect("it is there"), ours);
    // What nginx itself refuses is taken back.
    let broken = nginx.include().with_file_name("nginx.conf");
    let config = fs::read_to_string(&broken).expect("it is there");
    fs::write(&broken, config.replace("listen", "listne")).expect("written");
    let fault = rig.fail(&rig.canary("v1", "v2", 2_500));
    assert!(fault.message.contains("no upstream web") || fault.message.contains("listne"), "{}", fault.message);
    assert_eq!(fs::read_to_string(nginx.include()).expect("it is there"), ours);
    fs::write(&broken, config.replace("keepalive 8;", "least_conn;")).expect("written");
    until("the refusal", || {
        let fault = rig.fail(&rig.canary("v1", "v2", 2_500));
        (!fault.retryable && fault.message.contains("least_conn")).then_some(())
    });
}
