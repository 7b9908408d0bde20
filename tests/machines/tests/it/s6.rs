//! The target on hosts with s6: what differs from runit.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use test_machines::{Callers, Fleet, until};

use crate::rig::{Rig, failed};

/// What s6 looks after for one slot: the program, and what takes its lines.
const OF_A_SLOT: usize = 2;

fn start(hosts: usize) -> Rig {
    Rig::on(Fleet::start_s6(hosts))
}

/// Returns the link by which s6 knows a slot of the first host.
fn link(rig: &Rig, slot: &str) -> PathBuf {
    rig.fleet.hosts[0].units().join(format!("towpath-web-test-{slot}"))
}

/// Returns what one of s6's programs says; none where it fails.
fn said(command: &mut Command) -> Option<String> {
    let ran = command.output().expect("s6 is there");
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).trim().to_owned())
}

fn process(rig: &Rig, slot: &str) -> Option<String> {
    said(Command::new("s6-svstat").args(["-o", "pid"]).arg(link(rig, slot))).filter(|id| id != "-1")
}

#[test]
fn a_canary_under_load_leaves_nothing_behind_and_survives_a_reboot() {
    let mut rig = start(2);
    let found = rig.converge(&rig.steady("v1"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (2, 0), "{found:?}");
    let callers = Callers::start(rig.fleet.haproxy.address(), 3);
    for share in [500, 5_000, 10_000] {
        let found = rig.converge(&rig.canary("v1", "v2", share));
        assert_eq!((found.candidate_basis_points, found.sides[1].ready), (share, 2));
    }
    assert_eq!(rig.fleet.hosts[0].supervised(), 2 * OF_A_SLOT);
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides.len(), found.sides[0].release.as_str()), (1, "v2"));
    let answers = callers.stop();
    assert!(failed(&answers).is_empty(), "{answers:?}");
    assert!(!rig.scope(0).join("slots/a").exists() && fs::symlink_metadata(link(&rig, "a")).is_err(), "v1 is gone from its slot");
    until("s6 looks after one slot", || (rig.fleet.hosts[0].supervised() == OF_A_SLOT).then_some(()));
    // What is asked for is there: nothing of it is begun anew.
    let before = process(&rig, "b").expect("it runs");
    rig.converge(&rig.steady("v2"));
    assert_eq!(process(&rig, "b"), Some(before));

    rig.fleet.hosts[0].reboot();
    let seen = rig.observe().expect("it answers");
    assert_eq!((seen.sides[0].ready, seen.sides[0].wanted), (1, 2), "{seen:?}");
    assert!(
        seen.drift.iter().any(|fact| fact.contains("v2 in slot b of web-1 is not known to its supervisor")),
        "{:?}",
        seen.drift
    );
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (2, 0), "{found:?}");
}

#[test]
fn what_is_killed_is_started_again_and_counted_and_edits_by_hand_are_told() {
    let mut rig = start(1);
    rig.converge(&rig.steady("v1"));
    let (before, starts) = (process(&rig, "a").expect("it runs"), rig.scope(0).join("slots/a/starts"));
    let counted = || fs::read_to_string(&starts).expect("it is counted").lines().count();
    assert_eq!(counted(), 1);
    assert!(Command::new("kill").args(["-9", &before]).status().expect("kill is there").success());
    until("s6 has started it again", || process(&rig, "a").filter(|after| *after != before));
    until("it is ready again", || (rig.observe().expect("it answers").sides[0].ready == 1).then_some(()));
    assert_eq!(counted(), 2);

    let run = rig.scope(0).join("slots/a/service/run");
    let ours = fs::read_to_string(&run).expect("it was written");
    fs::write(&run, format!("{ours}# by hand\n")).expect("written");
    let drift = rig.observe().expect("it answers").drift;
    let edited = "unit, environment or configuration of v1 in slot a of web-1 were edited";
    assert!(drift.iter().any(|fact| fact.contains(edited)), "{drift:?}");
    fs::write(&run, ours).expect("written");
    // A link to something else is none of ours; it is told, and put right.
    fs::remove_file(link(&rig, "a")).expect("it was there");
    symlink(rig.fleet.hosts[0].root(), link(&rig, "a")).expect("made");
    let drift = rig.observe().expect("it answers").drift;
    assert!(drift.iter().any(|fact| fact.contains("v1 in slot a of web-1 is not known to its supervisor")), "{drift:?}");
    let found = rig.converge(&rig.steady("v1"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (1, 0), "{found:?}");
    // Stopped by hand, it is started again by the next call.
    said(Command::new("s6-svc").args(["-wD", "-T", "10000", "-d"]).arg(link(&rig, "a"))).expect("it is told");
    let drift = rig.observe().expect("it answers").drift;
    assert!(drift.iter().any(|fact| fact.contains("v1 in slot a of web-1 does not run")), "{drift:?}");
    assert_eq!(rig.converge(&rig.steady("v1")).sides[0].ready, 1);
}

#[test]
fn a_release_that_crashes_fails_with_its_last_words_and_without_s6_that_is_said() {
    let mut rig = start(1);
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(rig.fleet.haproxy.address(), 2);
    rig.release("bad", "ERROR_RATE=7");
    let fault = rig.fail(&rig.canary("v1", "bad", 5_000));
    assert!(!fault.retryable && fault.message.contains("was started again"), "{}", fault.message);
    assert!(fault.message.contains("ERROR_RATE is 7"), "{}", fault.message);
    rig.converge(&rig.steady("v1"));
    let answers = callers.stop();
    assert!(answers.len() == 1 && answers.contains_key("v1"), "{answers:?}");
    until("s6 looks after one slot", || (rig.fleet.hosts[0].supervised() == OF_A_SLOT).then_some(()));

    // Nobody scans that folder.
    rig.set("readyTimeoutMs", serde_json::json!(1_000));
    let mut hosts = serde_json::json!([rig.fleet.hosts[0].settings()]);
    hosts[0]["units"] = serde_json::json!(rig.fleet.hosts[0].root().join("nobody"));
    rig.set("hosts", hosts);
    let fault = rig.fail(&rig.canary("v1", "v2", 500));
    assert!(fault.message.contains("no s6-svscan looks into its folder"), "{}", fault.message);
}
