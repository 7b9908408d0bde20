//! A canary by weight, and the way back, while people call.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use test_machines::{Callers, until};

use crate::rig::{Rig, failed};

/// Waits until so many more requests are answered, and returns how many each version got of them.
pub(crate) fn next_requests(callers: &Callers, count: u64) -> BTreeMap<String, u64> {
    let before = callers.answers();
    let sum = |answers: &BTreeMap<String, u64>| answers.values().sum::<u64>();
    let after = until("the callers are answered", || {
        let now = callers.answers();
        (sum(&now) >= sum(&before) + count).then_some(now)
    });
    after.into_iter().map(|(name, count)| (name.clone(), count - before.get(&name).copied().unwrap_or(0))).collect()
}

#[test]
fn a_canary_goes_up_and_back_and_up_again_without_a_failed_request() {
    let mut rig = Rig::start(2);
    let found = rig.converge(&rig.steady("v1"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (2, 0), "{found:?}");
    let callers = Callers::start(rig.fleet.haproxy.address(), 4);
    assert_eq!(next_requests(&callers, 100).keys().collect::<Vec<_>>(), ["v1"]);
    for share in [500, 2_500, 5_000] {
        let found = rig.converge(&rig.canary("v1", "v2", share));
        assert_eq!((found.candidate_basis_points, found.sides.len()), (share, 2));
        assert!(found.sides.iter().all(|side| (side.ready, side.wanted) == (2, 2)), "{found:?}");
        let next = next_requests(&callers, 2_000);
        let (all, of_candidate) = (next.values().sum::<u64>() as f64, next["v2"] as f64);
        let (measured, wanted) = (of_candidate / all, f64::from(share) / 10_000.0);
        assert!((measured - wanted).abs() < 0.01, "{measured} at {wanted}");
        // By HAProxy's own counts it is so as well.
        assert_eq!(rig.observe().expect("it answers").drift, Vec::<String>::new());
    }
    let found = rig.converge(&rig.steady("v1"));
    assert_eq!((found.candidate_basis_points, found.sides.len()), (0, 1));
    assert_eq!(
        next_requests(&callers, 200).into_iter().filter(|(_, count)| *count > 0).count(),
        1,
        "nobody meets what went back"
    );
    rig.converge(&rig.canary("v1", "v2", 5_000));
    rig.converge(&rig.canary("v1", "v2", 10_000));
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides.len(), found.sides[0].release.as_str()), (1, "v2"));
    assert!(!rig.scope(0).join("slots/a").exists(), "v1 is gone from its slot");
    assert!(next_requests(&callers, 200)["v2"] >= 200);
    let answers = callers.stop();
    assert!(failed(&answers).is_empty(), "{answers:?}");
}

#[test]
fn a_request_on_its_way_is_answered_before_its_release_ends() {
    let mut rig = Rig::start(1);
    rig.converge(&rig.steady("v1"));
    rig.release("slow", "DELAY_MS=3000");
    rig.converge(&rig.canary("v1", "slow", 10_000));
    let mut connection = TcpStream::connect(rig.fleet.haproxy.address()).expect("it listens");
    connection.write_all(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n").expect("sent");
    until("the request is on its way", || rig.fleet.haproxy.ask("show sess all").contains("web-1-b").then_some(()));
    rig.converge(&rig.steady("v1"));
    assert!(!rig.scope(0).join("slots/b").exists(), "it has ended");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("slow"), "{answer}");
}
