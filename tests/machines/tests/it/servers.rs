//! Servers that come and go while HAProxy runs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use test_machines::{Callers, until};

use crate::canary::next_requests;
use crate::rig::{Rig, failed};

#[test]
fn a_host_that_haproxy_does_not_know_is_added_gets_its_part_and_leaves_without_a_failed_request() {
    let mut rig = Rig::start(2);
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(rig.fleet.haproxy.address(), 4);
    rig.fleet.add_host();
    rig.use_hosts(&[0, 1, 2]);
    let found = rig.converge(&rig.canary("v1", "v2", 2_500));
    assert!(found.sides.iter().all(|side| (side.ready, side.wanted) == (3, 3)) && found.drift.is_empty(), "{found:?}");
    assert_eq!((found.candidate_basis_points, rig.fleet.haproxy.server("web-3-a")), (2_500, rig.fleet.haproxy.server("web-1-a")));
    let before = counted(&rig, "web-3-b", "stot");
    let next = next_requests(&callers, 2_000);
    let (all, of_candidate) = (next.values().sum::<u64>() as f64, next["v2"] as f64);
    assert!((of_candidate / all - 0.25).abs() < 0.01, "{next:?}");
    let of_newcomer = (counted(&rig, "web-3-b", "stot") - before) as f64;
    assert!(
        (of_newcomer / of_candidate - 1.0 / 3.0).abs() < 0.1,
        "it has a third of what v2 has: {of_newcomer} of {of_candidate}"
    );
    rig.converge(&rig.canary("v1", "v2", 10_000));
    rig.converge(&rig.steady("v2"));

    // One leaves that HAProxy has from its configuration, and the one that it was told of.
    rig.use_hosts(&[0]);
    let seen = rig.observe().expect("it answers");
    assert!(seen.drift.iter().any(|fact| fact.contains("web-3-b is still known to lb-1")), "{:?}", seen.drift);
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (1, 0), "{found:?}");
    for gone in ["web-2-a", "web-2-b", "web-3-a", "web-3-b"] {
        assert_eq!(rig.fleet.haproxy.find(gone), None, "{gone}");
    }
    assert!(next_requests(&callers, 200)["v2"] >= 200);

    // Whoever comes back is added anew.
    rig.use_hosts(&[0, 2]);
    let found = rig.converge(&rig.canary("v2", "v3", 5_000));
    assert_eq!((found.sides[1].ready, found.candidate_basis_points, found.drift.len()), (2, 5_000, 0), "{found:?}");
    let answers = callers.stop();
    assert!(failed(&answers).is_empty(), "{answers:?}");
}

#[test]
fn a_server_that_leaves_is_drained_first_and_what_a_restart_forgot_is_added_again() {
    let mut rig = Rig::start(1);
    rig.fleet.add_host();
    rig.use_hosts(&[0, 1]);
    rig.release("slow", "DELAY_MS=3000");
    rig.converge(&rig.steady("slow"));
    rig.fleet.haproxy.kill();
    rig.fleet.haproxy.start_again();
    assert_eq!(rig.fleet.haproxy.find("web-2-a"), None, "its configuration does not name it");
    let seen = rig.observe().expect("it answers");
    assert!(seen.drift.iter().any(|fact| fact.contains("web-2-a has weight 0 on lb-1, 100 was ordered")), "{:?}", seen.drift);
    rig.converge(&rig.steady("slow"));
    assert_eq!(rig.fleet.haproxy.server("web-2-a"), ("UP".to_owned(), 100));

    // Two requests at once, of which one is on its way there when its host leaves.
    let mut connections = [(); 2].map(|()| {
        let mut connection = TcpStream::connect(rig.fleet.haproxy.address()).expect("it listens");
        connection.write_all(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n").expect("sent");
        connection
    });
    until("a request is on its way there", || rig.fleet.haproxy.ask("show sess all").contains("web-2-a").then_some(()));
    rig.use_hosts(&[0]);
    rig.converge(&rig.steady("slow"));
    assert_eq!(rig.fleet.haproxy.find("web-2-a"), None);
    for connection in &mut connections {
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("slow"), "{answer}");
    }
}

/// Returns what HAProxy has counted of a server.
fn counted(rig: &Rig, name: &str, what: &str) -> u64 {
    let rows = rig.fleet.haproxy.ask("show stat web 4 -1");
    let header = rows.lines().next().expect("a header").split(',');
    let at = header.into_iter().position(|field| field == what).expect("it is told");
    let row = rows.lines().map(|row| row.split(',').collect::<Vec<_>>()).find(|row| row.get(1) == Some(&name));
    row.unwrap_or_else(|| panic!("there is no server {name}"))[at].parse().expect("a number")
}
