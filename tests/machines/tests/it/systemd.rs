//! The target on machines with systemd, over sudo: what differs from runit on folders.

use std::fs;
use std::path::PathBuf;

use plugin_host::Progress;
use serde_json::json;
use test_machines::{Callers, Fleet, until};

use crate::canary::next_requests;
use crate::rig::{Rig, failed};

/// Names the tree that the machines boot from; `tests/machines/tree` makes it.
const TREE: &str = "MACHINE_TREE";

/// The target's folder on a machine.
const ROOT: &str = "/srv/towpath";

fn boot(hosts: usize) -> Rig {
    #[expect(clippy::disallowed_methods, reason = "how `make test-vm` says where the tree is")]
    let tree = std::env::var(TREE).unwrap_or_else(|_| panic!("{TREE} names no tree; `make test-vm` does"));
    let mut rig = Rig::on(Fleet::boot(hosts, &PathBuf::from(tree)));
    rig.set("sudo", json!(true));
    rig.set("user", json!("www-data"));
    // On the balancer's host the scripts run as whoever runs this test.
    rig.change("balancer", |balancer| balancer["haproxy"]["sudo"] = json!(false));
    rig
}

#[test]
fn a_canary_under_load_over_a_reboot_of_a_machine() {
    let mut rig = boot(2);
    let found = rig.converge(&rig.steady("v1"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (2, 0), "{found:?}");
    let user = rig.fleet.hosts[0].run(&["ps", "-o", "user=", "-C", "hello-service"]);
    assert_eq!(user.trim(), "www-data");
    let callers = Callers::start(rig.fleet.haproxy.address(), 4);
    for share in [500, 5_000, 10_000] {
        let found = rig.converge(&rig.canary("v1", "v2", share));
        assert_eq!((found.candidate_basis_points, found.sides[1].ready), (share, 2));
    }
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides.len(), found.sides[0].release.as_str()), (1, "v2"));
    assert!(failed(&callers.stop()).is_empty());

    // Units that were written into its system are gone with it; the releases are where they were.
    rig.fleet.hosts[0].reboot();
    let seen = rig.observe().expect("it answers");
    assert_eq!((seen.sides[0].ready, seen.sides[0].wanted), (1, 2), "{seen:?}");
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (2, 0), "{found:?}");
}

#[test]
fn systemd_keeps_it_running_and_edits_of_its_unit_are_told() {
    let mut rig = boot(1);
    rig.converge(&rig.steady("v1"));
    let unit = "towpath-web-test-a.service";
    let machine = &rig.fleet.hosts[0];
    machine.run(&["systemctl", "kill", "--kill-whom=main", "--signal=KILL", unit]);
    until("systemd has started it again", || {
        (machine.run(&["systemctl", "show", "-p", "NRestarts", "--value", unit]).trim() == "1").then_some(())
    });
    until("it is ready again", || (rig.observe().expect("it answers").sides[0].ready == 1).then_some(()));
    rig.fleet.hosts[0].run(&["sh", "-c", &format!("echo '# by hand' >> /etc/systemd/system/{unit}")]);
    let drift = rig.observe().expect("it answers").drift;
    assert!(
        drift.iter().any(|fact| fact.contains("unit, environment or configuration of v1 in slot a of web-1 were edited")),
        "{drift:?}"
    );
    // Stopped by hand, it is started again by the next call.
    rig.fleet.hosts[0].run(&["systemctl", "stop", unit]);
    assert_eq!(rig.converge(&rig.steady("v1")).sides[0].ready, 1);
}

#[test]
fn a_release_that_crashes_fails_with_its_journal_and_without_sudo_nothing_begins() {
    let mut rig = boot(1);
    rig.converge(&rig.steady("v1"));
    rig.release("bad", "ERROR_RATE=7");
    let fault = rig.fail(&rig.canary("v1", "bad", 500));
    assert!(!fault.retryable && fault.message.contains("ERROR_RATE is 7"), "{}", fault.message);
    rig.fleet.hosts[0].run(&["rm", "/etc/sudoers.d/deploy"]);
    let fault = rig.fail(&rig.steady("v1"));
    assert!(fault.retryable && fault.message.contains("sudo: a password is required"), "{}", fault.message);
    rig.fleet.hosts[0].run(&["rm", "/usr/bin/sudo"]);
    let fault = rig.fail(&rig.steady("v1"));
    assert!(fault.retryable && fault.message.contains("exit code 127") && fault.message.contains("sudo"), "{}", fault.message);
}

#[test]
fn a_machine_that_nobody_reaches_is_left_out_and_brought_back_when_it_is_reached() {
    const CALLERS: usize = 4;
    let mut rig = boot(2);
    rig.set("unreachableHostsMax", json!(1));
    rig.converge(&rig.steady("v1"));
    let callers = Callers::start(rig.fleet.haproxy.address(), CALLERS);
    rig.converge(&rig.canary("v1", "v2", 2_500));
    rig.fleet.hosts[0].part();
    until("HAProxy sees it", || rig.fleet.haproxy.server("web-1-a").0.starts_with("DOWN").then_some(()));
    let found = rig.converge(&rig.canary("v1", "v2", 5_000));
    assert!(found.sides.iter().all(|side| (side.ready, side.wanted) == (1, 1)), "{found:?}");
    assert!(found.drift.iter().any(|fact| fact.starts_with("web-1 is out of reach")), "{:?}", found.drift);
    let next = next_requests(&callers, 1_000);
    assert!((next["v2"] as f64 / next.values().sum::<u64>() as f64 - 0.5).abs() < 0.05, "{next:?}");
    rig.fleet.hosts[0].rejoin();
    let found = until("it is reached", || {
        let found = rig.converge(&rig.canary("v1", "v2", 5_000));
        (found.sides.iter().all(|side| side.ready == 2)).then_some(found)
    });
    assert!(found.drift.is_empty(), "{found:?}");
    let found = rig.converge(&rig.steady("v2"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (2, 0), "{found:?}");
    // Whoever was being served by it when the cable was pulled had no answer: one request of each caller at most.
    let answers = callers.stop();
    let lost: u64 = failed(&answers).iter().map(|(_, count)| **count).sum();
    assert!(lost <= CALLERS as u64, "{answers:?}");
}

#[test]
fn a_disk_that_a_release_fills_is_no_obstacle_on_the_way_back_and_one_that_takes_no_writes_is_named() {
    let mut rig = boot(1);
    let program = rig.release_bytes("v1");
    let size = format!("size={}", 2 * program + (4 << 20));
    rig.fleet.hosts[0].run(&["mount", "-t", "tmpfs", "-o", &size, "tmpfs", ROOT]);
    rig.converge(&rig.steady("v1"));
    rig.converge(&rig.canary("v1", "v2", 5_000));
    rig.fleet.hosts[0].run(&["sh", "-c", &format!("cat /dev/zero >{ROOT}/log 2>/dev/null; true")]);
    let back = rig.converge(&rig.steady("v1"));
    assert_eq!((back.sides.len(), back.sides[0].release.as_str(), back.candidate_basis_points), (1, "v1", 0), "{back:?}");
    let fault = rig.fail(&rig.canary("v1", "v3", 5_000));
    assert!(
        !fault.retryable && fault.message.contains("the release needs") && fault.message.contains(" are left"),
        "{}",
        fault.message
    );

    rig.fleet.hosts[0].run(&["rm", &format!("{ROOT}/log")]);
    rig.fleet.hosts[0].run(&["mount", "-o", "remount,ro", ROOT]);
    let fault = rig.fail(&rig.steady("v1"));
    assert!(
        !fault.retryable && fault.message.contains("web-1") && fault.message.contains("Read-only file system"),
        "{}",
        fault.message
    );
    rig.fleet.hosts[0].run(&["mount", "-o", "remount,rw", ROOT]);
    assert_eq!(rig.converge(&rig.steady("v1")).drift, Vec::<String>::new());
}

#[test]
fn a_machine_that_loses_its_power_in_the_middle_of_an_upload_is_sent_the_rest() {
    let mut rig = boot(1);
    let ballast = rig.ballast("v1", 96 << 20);
    let desired = rig.steady("v1");
    let lost = std::thread::scope(|scope| {
        let call = scope.spawn(|| rig.call_under(1, &desired, None));
        until("a part has come", || rig.came(0));
        rig.fleet.hosts[0].lose_power();
        call.join().expect("it ends")
    });
    assert!(!matches!(lost, Progress::Converged(_)), "{lost:?}");
    let before = rig.came(0).expect("a part is there");
    assert!(before < fs::metadata(&ballast).expect("a file").len(), "it was lost in the middle: {before}");
    rig.fleet.hosts[0].reboot();
    assert_eq!(rig.converge(&desired).sides[0].ready, 1);
}
