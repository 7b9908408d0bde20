//! What goes wrong on hosts and before them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use plugin_host::Progress;
use serde_json::json;
use test_machines::{Callers, Fleet, until};

use crate::rig::{Rig, failed};

#[test]
fn a_rebooted_host_is_brought_back() {
    let mut rig = Rig::start(2);
    rig.converge(&rig.canary("v1", "v2", 2_500));
    rig.fleet.hosts[0].reboot();
    let seen = rig.observe().expect("it answers");
    let ready: Vec<_> = seen.sides.iter().map(|side| (side.ready, side.wanted)).collect();
    assert_eq!(ready, [(1, 2), (1, 2)], "what is gone is not ready");
    assert!(
        seen.drift.iter().any(|fact| fact.contains("v1 in slot a of web-1 is not known to its supervisor")),
        "{:?}",
        seen.drift
    );
    let found = rig.converge(&rig.canary("v1", "v2", 2_500));
    assert_eq!((found.sides[0].ready, found.sides[1].ready, found.candidate_basis_points), (2, 2, 2_500));
}

#[test]
fn haproxy_begins_again_with_the_weights_that_it_had() {
    let mut rig = Rig::start(1);
    rig.converge(&rig.canary("v1", "v2", 2_500));
    let weights = |rig: &Rig| ["web-1-a", "web-1-b"].map(|name| rig.fleet.haproxy.server(name).1);
    let before = weights(&rig);
    rig.fleet.haproxy.kill();
    let fault = rig.observe().expect_err("nobody knows the weights");
    assert!(fault.retryable && fault.message.contains("nobody answers"), "{}", fault.message);
    rig.fleet.haproxy.start_again();
    assert_eq!(weights(&rig), before, "by the state that was kept for it");
    // Where that file is lost, it begins as it is configured, with nothing open; the next call orders what shall be.
    rig.fleet.haproxy.kill();
    fs::remove_file(rig.fleet.haproxy.state_file()).expect("it was kept");
    rig.fleet.haproxy.start_again();
    let seen = rig.observe().expect("it answers");
    assert!(seen.candidate_basis_points == 0 && seen.drift.iter().any(|fact| fact.contains("was ordered")), "{seen:?}");
    let found = rig.converge(&rig.canary("v1", "v2", 2_500));
    assert_eq!((weights(&rig), found.candidate_basis_points), (before, 2_500));
}

#[test]
fn weights_that_would_not_be_honoured_are_refused() {
    let mut rig = Rig::on(Fleet::start_balanced(1, "leastconn"));
    let fault = rig.fail(&rig.steady("v1"));
    assert!(!fault.retryable && fault.message.contains("leastconn"), "{}", fault.message);
    assert!(!rig.scope(0).exists(), "nothing was begun");
}

#[test]
fn a_host_with_another_key_is_refused_with_both_and_left_out_where_one_may_be() {
    let mut rig = Rig::start(2);
    rig.converge(&rig.steady("v1"));
    rig.fleet.hosts[1].change_key();
    let fault = rig.observe().expect_err("one of two is none of ours");
    let prints = fault.message.matches("SHA256:").count();
    assert!(fault.message.contains("web-2") && prints == 2, "{}", fault.message);
    rig.set("unreachableHostsMax", json!(1));
    let found = rig.converge(&rig.canary("v1", "v2", 5_000));
    assert_eq!((found.sides[1].ready, found.sides[1].wanted), (1, 1));
    assert!(found.drift.iter().any(|fact| fact.contains("web-2 is out of reach")), "{:?}", found.drift);
}

#[test]
fn a_dead_host_holds_nobody_up_and_is_brought_along_when_it_is_back() {
    let mut rig = Rig::start(3);
    rig.set("unreachableHostsMax", json!(1));
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(rig.fleet.haproxy.address(), 2);
    rig.fleet.hosts[2].kill_sshd();
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides[0].ready, found.sides[0].wanted), (2, 2));
    assert_eq!(rig.fleet.haproxy.server("web-3-a").0, "MAINT", "what it serves is not the release that shall be");
    rig.fleet.hosts[2].start_sshd();
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (3, 0), "{found:?}");
    let answers = callers.stop();
    assert!(failed(&answers).is_empty(), "{answers:?}");
    rig.fleet.hosts[1].kill_sshd();
    rig.fleet.hosts[2].kill_sshd();
    let fault = rig.fail(&rig.steady("v1"));
    assert!(fault.retryable && fault.message.contains("2 of 3 hosts are out of reach, at most 1"), "{}", fault.message);
}

#[test]
fn a_silent_host_leaves_a_slow_one_the_time_that_it_needs() {
    let mut rig = Rig::start(3);
    rig.set("unreachableHostsMax", json!(1));
    rig.fleet.hosts[0].slow_down(1);
    rig.fleet.hosts[2].fall_silent();
    let found = rig.converge(&rig.steady("v1"));
    assert_eq!((found.sides[0].ready, found.sides[0].wanted), (2, 2), "{found:?}");
    assert!(found.drift.iter().any(|fact| fact.contains("web-3 is out of reach")), "{:?}", found.drift);
}

#[test]
fn an_older_fence_changes_nothing_anywhere() {
    let mut rig = Rig::start(1);
    rig.set_fence(8);
    rig.converge(&rig.steady("v1"));
    rig.set_fence(8);
    let progress = rig.call(&rig.canary("v1", "v2", 5_000), None);
    assert!(matches!(progress, Progress::Superseded { highest_fence: 9 }), "{progress:?}");
    assert!(!rig.scope(0).join("slots/b").exists() && rig.fleet.haproxy.server("web-1-b").0 == "MAINT");
    // The balancer's host alone has seen a later one: that is enough.
    fs::write(rig.fleet.balancer.root().join("web.test/fence"), "12\n").expect("written");
    let progress = rig.reconcile(&rig.canary("v1", "v2", 5_000));
    assert!(matches!(progress, Progress::Superseded { highest_fence: 12 }), "{progress:?}");
}

#[test]
fn a_release_that_crashes_fails_with_its_log_and_the_good_one_never_notices() {
    let mut rig = Rig::start(1);
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(rig.fleet.haproxy.address(), 2);
    rig.release("bad", "ERROR_RATE=7");
    let bad = rig.canary("v1", "bad", 5_000);
    let fault = rig.fail(&bad);
    assert!(!fault.retryable && fault.message.contains("bad") && fault.message.contains("ERROR_RATE is 7"), "{}", fault.message);
    rig.converge(&rig.steady("v1"));
    let answers = callers.stop();
    assert!(answers.len() == 1 && answers.contains_key("v1"), "{answers:?}");
}

#[test]
fn a_release_that_never_becomes_ready_is_given_up_and_one_that_dies_later_is_seen() {
    let mut rig = Rig::start(1);
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(rig.fleet.haproxy.address(), 2);
    rig.set("readyTimeoutMs", json!(2_000));
    rig.release("late", "READY_AFTER_MS=600000");
    let fault = rig.fail(&rig.canary("v1", "late", 5_000));
    assert!(
        !fault.retryable && fault.message.contains("late") && fault.message.contains("it is not ready after "),
        "{}",
        fault.message
    );
    rig.converge(&rig.steady("v1"));
    let answers = callers.stop();
    assert!(answers.len() == 1 && answers.contains_key("v1"), "{answers:?}");
    // It serves for a while, and dies again and again; each time it needs a while, longer than a look takes.
    rig.set("readyTimeoutMs", json!(60_000));
    rig.set("restartsMax", json!(100));
    rig.release("mortal", "READY_AFTER_MS=4000\nCRASH_AFTER_MS=14000");
    rig.converge(&rig.canary("v1", "mortal", 500));
    until("it is seen not to serve", || {
        let seen = rig.observe().expect("it answers");
        (seen.sides[1].ready == 0 && seen.drift.iter().any(|fact| fact.contains("mortal in slot b of web-1"))).then_some(())
    });
    let back = rig.converge(&rig.steady("v1"));
    assert_eq!((back.sides.len(), back.drift.len()), (1, 0), "{back:?}");
}

#[test]
fn files_that_somebody_edits_are_told_and_are_no_place_to_start_from() {
    let mut rig = Rig::start(1);
    rig.converge(&rig.steady("v1"));
    rig.converge(&rig.canary("v1", "v2", 500));
    rig.converge(&rig.steady("v1"));
    let releases = rig.scope(0).join("releases");
    let of_v2 = fs::read_dir(&releases)
        .expect("a folder")
        .flatten()
        .map(|file| file.path())
        .find(|path| fs::read_to_string(path.join("hello.env")).is_ok_and(|text| text.contains("v2")));
    let edited = of_v2.expect("it is kept").join("hello.env");
    assert_eq!(fs::metadata(&edited).expect("it is there").permissions().mode() & 0o777, 0o444);
    // Root may write what nobody may.
    until("the clock of the files moves on", || {
        fs::write(&edited, "VERSION=v6\n").ok()?;
        let sums = edited.parent()?.with_extension("sums");
        (fs::metadata(&edited).ok()?.modified().ok()? > fs::metadata(sums).ok()?.modified().ok()?).then_some(())
    });
    rig.converge(&rig.canary("v1", "v2", 500));
    assert_eq!(fs::read_to_string(&edited).expect("it is there"), "VERSION=v2\n\n", "it was sent anew");
}

#[test]
fn of_two_engines_at_once_the_later_one_has_its_way() {
    let mut rig = Rig::start(2);
    rig.converge(&rig.steady("v1"));
    let (older, newer) = (rig.canary("v1", "v2", 5_000), rig.canary("v1", "v3", 2_500));
    let to_the_end = |fence: u64, desired: &plugin_host::Desired| {
        let mut state = None;
        until("an end", || match rig.call_under(fence, desired, state.take()) {
            Progress::InProgress(pending) => {
                state = pending.observation.state;
                None
            }
            // What the other one does in between may look like a failure that passes.
            Progress::Failed(fault) if fault.retryable => None,
            ended => Some(ended),
        })
    };
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| to_the_end(5, &older));
        let second = scope.spawn(|| to_the_end(6, &newer));
        (first.join().expect("it ends"), second.join().expect("it ends"))
    });
    assert!(matches!(second, Progress::Converged(_)), "{second:?}");
    let overtaken = matches!(first, Progress::Superseded { highest_fence: 6 });
    assert!(overtaken || matches!(first, Progress::Converged(_)), "it was overtaken, or was done before: {first:?}");
    let seen = rig.observe().expect("it answers");
    let sides: Vec<_> = seen.sides.iter().map(|side| (side.release.as_str(), side.ready)).collect();
    assert_eq!((sides, seen.candidate_basis_points, seen.drift.len()), (vec![("v1", 2), ("v3", 2)], 2_500, 0), "{seen:?}");
}

#[test]
fn a_host_that_goes_away_in_the_middle_of_an_upload_is_sent_the_rest() {
    let mut rig = Rig::start(1);
    let ballast = rig.ballast("v1", 96 << 20);
    let desired = rig.steady("v1");
    let cut = std::thread::scope(|scope| {
        let call = scope.spawn(|| rig.call_under(1, &desired, None));
        until("a part has come", || rig.came(0));
        // The whole group: also the process that serves the connection.
        rig.fleet.hosts[0].cut_connections();
        call.join().expect("it ends")
    });
    assert!(!matches!(cut, Progress::Converged(_)), "{cut:?}");
    let before = rig.came(0).expect("a part is there");
    assert!(before < fs::metadata(&ballast).expect("a file").len(), "it was cut in the middle: {before}");
    let found = rig.converge(&desired);
    assert_eq!(found.sides[0].ready, 1);
    let release =
        fs::read_dir(rig.scope(0).join("releases")).expect("a folder").flatten().find(|path| path.path().is_dir()).expect("it");
    assert_eq!(fs::read(release.path().join("ballast")).expect("all"), fs::read(&ballast).expect("all"));
}
