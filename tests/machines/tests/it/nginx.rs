//! The same target where nginx divides the traffic.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;

use plugin_host::{RequestKey, Side, Traffic};
use serde_json::json;
use test_machines::{Callers, Nginx, get, until};

use crate::canary::next_requests;
use crate::envoy::{answer, chosen, divided};
use crate::rig::Rig;

/// What a reload shows to a caller who was about to use a connection that it closes.
const OF_RELOADS: [&str; 3] = ["failed: the connection ended after 0 bytes", "failed: Connection reset", "failed: Broken pipe"];

/// Returns what was answered otherwise than by these versions, and is not a reload's doing.
fn others<'a>(answers: &'a BTreeMap<String, u64>, versions: &[&str]) -> Vec<&'a String> {
    let is_of_a_reload = |answer: &str| OF_RELOADS.iter().any(|known| answer.starts_with(known));
    answers.keys().filter(|answer| !versions.contains(&answer.as_str()) && !is_of_a_reload(answer)).collect()
}

/// Returns how many requests the candidates in the second slots have answered, as they count them.
fn answered(rig: &Rig) -> u64 {
    let of = |port: u16| {
        let answer = get(SocketAddr::from(([127, 0, 0, 1], port)), "/metrics", "Accept: */*");
        let counts = answer.lines().filter(|line| line.starts_with("http_requests_total"));
        counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum::<u64>()
    };
    rig.fleet.hosts.iter().map(|host| of(host.ports().1)).sum()
}

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
    let answers = callers.stop();
    assert!(others(&answers, &["v1", "v2"]).is_empty(), "{answers:?}");

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

#[test]
fn chosen_callers_meet_the_candidate_and_copies_of_others_reach_it_and_fail_nobody() {
    let (mut rig, nginx) = start(2, "");
    let fault = rig.fail(&divided(&rig, Traffic { mirror_basis_points: 5_000, ..Traffic::default() }));
    assert!(!fault.retryable && fault.message.contains("that takes `routes` of nginx or Envoy"), "{}", fault.message);
    rig.change("balancer", |balancer| balancer["nginx"]["routes"] = json!(nginx.routes()));
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(nginx.address(), 3);
    let matches = vec![
        chosen(RequestKey::Header("X-Team".to_owned()), "beta \"testers\"", Side::Candidate),
        chosen(RequestKey::Cookie("preview".to_owned()), "yes.1", Side::Candidate),
    ];
    let found = rig.converge(&divided(&rig, Traffic { matches, ..Traffic::default() }));
    assert_eq!((found.candidate_basis_points, found.drift.len()), (0, 0), "{found:?}");
    for (line, version) in [
        ("x-team: beta \"testers\"", "v2"),
        ("x-team: Beta \"testers\"", "v1"),
        ("Cookie: a=b; preview=yes.1; c=d", "v2"),
        ("Cookie: preview=yes11", "v1"),
        ("X-Nothing: 1", "v1"),
    ] {
        assert!(answer(nginx.address(), line).contains(version), "{line}: {}", answer(nginx.address(), line));
    }
    rig.converge(&divided(&rig, Traffic { mirror_basis_points: 5_000, ..Traffic::default() }));
    assert!(answer(nginx.address(), "Cookie: preview=yes.1").contains("v1"), "nobody is chosen any more");
    let (before, copied) = (callers.answers().values().sum::<u64>(), answered(&rig));
    next_requests(&callers, 2_000);
    let (copied, served) = (answered(&rig) - copied, callers.answers().values().sum::<u64>() - before);
    let measured = copied as f64 / served as f64;
    assert!((measured - 0.5).abs() < 0.06, "{copied} of {served}");
    let back = rig.converge(&rig.steady("v1"));
    assert_eq!((back.sides.len(), back.drift.len()), (1, 0), "{back:?}");
    let answers = callers.stop();
    assert!(others(&answers, &["v1"]).is_empty(), "{answers:?}");
    // A configuration that sends no copies where the routes say is refused: nothing would be compared.
    let configuration = nginx.include().with_file_name("nginx.conf");
    let text = fs::read_to_string(&configuration).expect("it is there");
    fs::write(&configuration, text.replace("_copy$request_uri", "_copy")).expect("written");
    let fault = rig.fail(&divided(&rig, Traffic { mirror_basis_points: 5_000, ..Traffic::default() }));
    assert!(
        !fault.retryable && fault.message.contains("has no `proxy_pass http://$towpath_web_copy$request_uri;`"),
        "{}",
        fault.message
    );
}
