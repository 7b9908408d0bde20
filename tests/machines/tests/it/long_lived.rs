//! Connections that outlast requests: they have a stated time of their own, and are closed before their program ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use plugin_host::{Desired, Observation, Progress};
use serde_json::json;
use test_machines::{Callers, until};

use crate::nginx;
use crate::rig::{Rig, failed};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The time that is stated where it shall pass: a few calls on a busy machine.
const STATED_MS: u64 = 15_000;

/// How HAProxy writes down that it closed what was sending, as it was told, and that no program let go of it.
const CLOSED: &str = "KD--";

/// Somebody who listens to the example service's events, which have no end.
struct Held {
    stream: BufReader<TcpStream>,
}

impl Held {
    fn open(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: web\r\n\r\n").expect("sent");
        let mut held = Self { stream: BufReader::new(stream) };
        let mut line = String::new();
        held.stream.read_line(&mut line).expect("an answer");
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        assert!(held.hears());
        held
    }

    /// Returns whether an event comes that is not here yet.
    fn hears(&mut self) -> bool {
        let mut before = self.stream.buffer().len();
        loop {
            let mut line = String::new();
            match self.stream.read_line(&mut line) {
                Ok(read @ 1..) if read <= before || !line.starts_with("data: ") => before = before.saturating_sub(read),
                Ok(1..) => return true,
                Ok(0) | Err(_) => return false,
            }
        }
    }

    /// Returns whether what comes has an end, and that is no broken connection.
    fn has_ended(&mut self) -> bool {
        self.stream.read_to_end(&mut Vec::new()).is_ok()
    }
}

/// Returns a rig with a host whose candidate has all requests, a connection that is held there, and callers.
fn start(drain_ms: u64, stated_ms: u64) -> (Rig, Held, Callers) {
    let mut rig = Rig::start(1);
    rig.configure("drainTimeoutMs", json!(drain_ms));
    rig.configure("longLivedTimeoutMs", json!(stated_ms));
    rig.converge(&rig.canary("v1", "v2", 10_000));
    let held = Held::open(rig.fleet.haproxy.address());
    let callers = Callers::start(rig.fleet.haproxy.address(), 2);
    until("somebody is answered", || callers.answers().contains_key("v2").then_some(()));
    (rig, held, callers)
}

/// Calls until there is an end, with a look at each message of what is waited for.
fn converge(rig: &Rig, fence: u64, desired: &Desired, mut look: impl FnMut(&str)) -> Observation {
    let mut state = None;
    until("it converges", || match rig.call_under(fence, desired, state.take()) {
        Progress::InProgress(pending) => {
            look(&pending.message);
            state = pending.observation.state;
            None
        }
        Progress::Converged(found) => Some(found),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_connection_that_outlasts_its_time_is_counted_in_the_message_and_closed_before_its_program_ends() {
    let (rig, mut held, callers) = start(500, STATED_MS);
    let (mut messages, mut left) = (Vec::new(), Vec::new());
    let slot = rig.scope(0).join("slots/b");
    let found = converge(&rig, 2, &rig.steady("v1"), |message| {
        if let Some(seconds) = message.strip_prefix("1 long-lived connections in web-1-b have ") {
            left.push(seconds.strip_suffix(" s left").expect("a time").parse::<u64>().expect("seconds"));
            assert!(held.hears(), "it has its time");
            assert!(slot.exists(), "and so has its program");
            // Whoever is not held has moved first.
            assert_eq!(rig.fleet.haproxy.server("web-1-b").0, "MAINT");
        }
        messages.push(message.to_owned());
    });
    assert!(
        !left.is_empty()
            && left.is_sorted_by(|one, other| one >= other)
            && left.iter().all(|left| (1..=STATED_MS / 1_000).contains(left)),
        "{messages:?}"
    );
    assert_eq!((found.sides.len(), found.drift.len(), slot.exists()), (1, 0, false), "{found:?}");
    assert!(held.has_ended(), "an orderly end");
    assert_eq!(rig.fleet.haproxy.ends("web-1-b"), [CLOSED]);
    let answers = callers.stop();
    assert!(failed(&answers).is_empty() && answers["v1"] > 0, "{answers:?}");
}

#[test]
fn a_connection_that_ends_in_its_time_is_not_waited_for_any_longer() {
    // Nobody could wait that long here.
    let (rig, held, callers) = start(500, 3_600_000);
    let mut held = Some(held);
    let found = converge(&rig, 2, &rig.steady("v1"), |message| {
        if message.contains("long-lived connections in web-1-b have 3") {
            assert!(held.as_mut().is_none_or(Held::hears));
            held = None;
        }
    });
    assert!(held.is_none() && found.sides.len() == 1 && found.drift.is_empty(), "{found:?}");
    assert!(!rig.scope(0).join("slots/b").exists());
    let answers = callers.stop();
    assert!(failed(&answers).is_empty(), "{answers:?}");
}

#[test]
fn behind_nginx_it_has_its_time_as_well_and_ends_with_its_program() {
    let (mut rig, nginx) = nginx::start(1, "");
    rig.configure("drainTimeoutMs", json!(500));
    rig.configure("longLivedTimeoutMs", json!(STATED_MS));
    rig.converge(&rig.canary("v1", "v2", 10_000));
    let mut held = Held::open(nginx.address());
    let (mut stated, slot) = (false, rig.scope(0).join("slots/b"));
    let found = converge(&rig, 2, &rig.steady("v1"), |message| {
        if message.contains("long-lived connections in web-1-b have") {
            stated = true;
            assert!(held.hears() && slot.exists(), "it has its time");
        }
    });
    assert!(stated && found.sides.len() == 1 && !slot.exists(), "{found:?}");
    assert!(!held.hears() || held.has_ended(), "nobody is left who would say anything");
}

#[test]
fn a_stable_release_that_needs_the_place_waits_for_nobodys_connection() {
    let mut rig = Rig::start(1);
    rig.configure("drainTimeoutMs", json!(500));
    rig.configure("longLivedTimeoutMs", json!(3_600_000));
    rig.converge(&rig.steady("v1"));
    let mut held = Held::open(rig.fleet.haproxy.address());
    rig.converge(&rig.canary("v1", "v2", 10_000));
    assert!(held.hears(), "v1 has no requests, and this");
    let callers = Callers::start(rig.fleet.haproxy.address(), 2);
    // Both slots are taken, and only the one that nobody calls can be had.
    let found = converge(&rig, 3, &rig.steady("v0"), |message| assert!(!message.contains("long-lived"), "{message}"));
    assert_eq!((found.sides.len(), found.sides[0].release.as_str(), found.drift.len()), (1, "v0", 0), "{found:?}");
    assert!(held.has_ended(), "an orderly end");
    assert_eq!(rig.fleet.haproxy.ends("web-1-a"), [CLOSED]);
    let answers = callers.stop();
    assert!(failed(&answers).is_empty() && answers["v0"] > 0, "{answers:?}");
}
