//! The target on hosts made of folders.

mod endings;
mod inventory;
mod machines;

use std::fs;

use serde_json::{Value, json};
use towpath_sdk::Context;
use towpath_sdk::prelude::*;
use towpath_sdk::target::{RequestKey, SideDesired, Traffic};
use towpath_sdk::testing::conformance::{self, TargetCase};
use towpath_sdk::testing::{context, in_world};

use self::machines::{BALANCER, HOSTS, Machines};
use super::{Settings, TargetVm};

fn settings() -> Value {
    let hosts: Vec<_> = HOSTS.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "hosts": hosts,
        "supervisor": { "runit": {} },
        "freeMib": 1,
        "balancer": { "haproxy": { "hosts": [BALANCER], "socket": "/run/haproxy.sock" } },
        "publicEndpoint": "127.0.0.1:80",
    })
}

/// Returns the settings with some of them changed.
fn changed(changes: &Value) -> Value {
    let mut settings = settings();
    for (name, value) in changes.as_object().expect("an object") {
        settings[name] = value.clone();
    }
    settings
}

fn configuration() -> String {
    let files = json!([{ "path": "app.toml", "content": "it's = \"fine\"\n", "mode": "640" }]);
    json!({ "command": ["./web", "--name", "it's $HOME"], "port": 8001, "env": { "TOKEN": "a'b\nc" }, "readiness": { "path": "" }, "files": files })
        .to_string()
}

fn side(release: &str, capacity_percent: u8) -> SideDesired {
    SideDesired {
        release: release.to_owned(),
        artifact_reference: String::new(),
        artifact_digest: format!("sha256:{release}"),
        configuration: configuration(),
        capacity_percent,
    }
}

fn traffic(candidate_basis_points: u16) -> Option<Traffic> {
    Some(Traffic { candidate_basis_points, matches: Vec::new(), mirror_basis_points: 0, sticky: None })
}

fn steady(release: &str) -> Desired {
    Desired { stable: Some(side(release, 100)), candidate: None, traffic: traffic(0) }
}

fn canary(share: u16) -> Desired {
    Desired { stable: Some(side("v1", 100)), candidate: Some(side("v2", 100)), traffic: traffic(share) }
}

/// One operation of the engine: calls under one key and fence, the state handed on.
struct Operation {
    world: Machines,
    call: Call<Settings>,
}

impl Operation {
    fn new(world: &Machines, settings: &Value, fence: u64) -> Self {
        let context = Context { fence, operation_key: format!("d-1/step/{fence}"), ..context(&settings.to_string()) };
        let settings = serde_json::from_value(settings.clone()).expect("settings");
        Self { world: world.clone(), call: Call { context, settings } }
    }

    fn reconcile(&mut self, desired: &Desired) -> Progress {
        let progress = in_world(self.world.clone(), || TargetVm::reconcile(&self.call, desired));
        if let Progress::InProgress(pending) = &progress {
            self.call.context.state.clone_from(&pending.observation.state);
        }
        progress
    }

    /// Calls until there is an end; each call is a second later than the one before.
    fn run(&mut self, desired: &Desired) -> Progress {
        for _ in 0..100 {
            match self.reconcile(desired) {
                Progress::InProgress(_) => self.call.context.now_ms += 1_000,
                ended => return ended,
            }
        }
        panic!("it does not come to an end");
    }

    fn converge(&mut self, desired: &Desired) -> Observation {
        match self.run(desired) {
            Progress::Converged(found) => found,
            other => panic!("{}", said(&other)),
        }
    }

    fn fail(&mut self, desired: &Desired) -> Fault {
        match self.run(desired) {
            Progress::Failed(fault) => fault,
            other => panic!("{}", said(&other)),
        }
    }

    fn observe(&self) -> Result<Observation, Fault> {
        in_world(self.world.clone(), || TargetVm::observe(&self.call))
    }
}

fn said(progress: &Progress) -> String {
    match progress {
        Progress::Converged(found) => format!("converged: {found:?}"),
        Progress::InProgress(pending) => format!("in progress: {}", pending.message),
        Progress::Failed(fault) => format!("failed: {}", fault.message),
        Progress::Superseded(fence) => format!("superseded by {fence}"),
    }
}

#[test]
fn it_does_what_every_target_owes() {
    let two = changed(&json!({ "hosts": [{ "name": HOSTS[0] }, { "name": HOSTS[1] }] }));
    let case = TargetCase::new(two.to_string(), configuration(), Machines::new, Machines::seen);
    conformance::target::<TargetVm, _>(&case.calls(30));
}

#[test]
fn a_canary_goes_up_by_weight_and_becomes_the_stable_side_without_a_restart() {
    let world = Machines::new();
    Operation::new(&world, &settings(), 1).converge(&steady("v1"));
    for (fence, share, expect) in
        [(2, 0, None), (3, 500, Some("1 UP 0")), (4, 5_000, Some("1 UP 0")), (5, 10_000, Some("100 UP 0"))]
    {
        let found = Operation::new(&world, &settings(), fence).converge(&canary(share));
        assert_eq!((found.candidate_basis_points, found.sides.len()), (share, 2));
        let expect = expect.unwrap_or("1 MAINT 0");
        assert_eq!(world.servers()["web-2-b"], expect, "at {share}");
        assert!(found.sides.iter().all(|side| (side.ready, side.wanted) == (3, 3)), "{found:?}");
    }
    assert!(world.servers()["web-2-a"].contains("MAINT"), "all of the traffic is with the candidate");
    let began = fs::metadata(world.scope("web-1").join("slots/b/run")).expect("it runs").modified().expect("a time");
    let found = Operation::new(&world, &settings(), 6).converge(&steady("v2"));
    assert_eq!((found.sides.len(), found.sides[0].endpoint.as_deref()), (1, Some("127.0.0.1:8002")));
    let still = fs::metadata(world.scope("web-1").join("slots/b/run")).expect("it runs").modified().expect("a time");
    assert_eq!(began, still);
    assert!(!world.scope("web-1").join("slots/a").exists(), "what was stable before is gone");
}

#[test]
fn files_are_written_as_they_were_given_with_their_modes() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = Machines::new();
    Operation::new(&world, &settings(), 1).converge(&steady("v1"));
    let scope = world.scope("web-1");
    let mode = |path: &str| fs::metadata(scope.join(path)).expect(path).permissions().mode() & 0o777;
    for (path, expect) in [
        ("slots/a/env", 0o600),
        ("slots/a/run", 0o755),
        ("slots/a/config/app.toml", 0o640),
        ("releases/v1/web", 0o555),
        ("releases/v1/lib/it's data", 0o444),
    ] {
        assert_eq!(mode(path), expect, "{path}");
    }
    assert_eq!(fs::read_to_string(scope.join("slots/a/config/app.toml")).expect("text"), "it's = \"fine\"\n");
    // A shell reads the environment back as it was, over quotes and lines.
    let read = std::process::Command::new("sh")
        .arg("-c")
        .arg(". ./slots/a/env; printf '%s|%s' \"$TOKEN\" \"$PORT\"")
        .current_dir(&scope)
        .output();
    assert_eq!(String::from_utf8_lossy(&read.expect("a shell").stdout), "a'b\nc|8001");
}

#[test]
fn the_way_back_moves_the_traffic_before_anything_else() {
    let world = Machines::new();
    Operation::new(&world, &settings(), 1).converge(&steady("v1"));
    Operation::new(&world, &settings(), 2).converge(&canary(5_000));
    // One of the good side's hosts is down: the others take the traffic, nobody waits for it.
    fs::remove_file(world.scope("web-3").join("slots/a/service/supervised")).expect("it ran");
    world.play("broken", "v1 web-3\n");
    let patient = changed(&json!({ "restartsMax": 100 }));
    let progress = Operation::new(&world, &patient, 3).reconcile(&steady("v1"));
    assert!(said(&progress).contains("v1 is not ready on web-3"), "{}", said(&progress));
    let servers = world.servers();
    assert!(HOSTS.iter().all(|host| servers[&format!("{host}-b")].contains("MAINT")), "nobody has the bad release: {servers:?}");
    assert_eq!((servers["web-1-a"].as_str(), servers["web-3-a"].as_str()), ("100 UP 0", "1 MAINT 0"));
    assert!(world.scope("web-1").join("slots/b").exists(), "what is bad is stopped when the good side stands");
    world.play_no_more("broken");
    let found = Operation::new(&world, &settings(), 4).converge(&steady("v1"));
    assert_eq!((found.candidate_basis_points, found.sides.len()), (0, 1));
    assert!(HOSTS.iter().all(|host| world.servers()[&format!("{host}-b")].contains("MAINT")), "{:?}", world.servers());
}

/// Returns the same, with a time for what is long-lived.
fn patient(mut desired: Desired, timeout_ms: u64) -> Desired {
    for side in [&mut desired.stable, &mut desired.candidate].into_iter().flatten() {
        let mut configuration: Value = serde_json::from_str(&side.configuration).expect("JSON");
        configuration["longLivedTimeoutMs"] = json!(timeout_ms);
        side.configuration = configuration.to_string();
    }
    desired
}

#[test]
fn a_release_that_ends_again_and_again_fails_with_its_last_words() {
    let world = Machines::new();
    Operation::new(&world, &settings(), 1).converge(&steady("v1"));
    world.play("broken", "v2 web-1\n");
    let fault = Operation::new(&world, &settings(), 2).fail(&canary(500));
    assert!(!fault.retryable && fault.message.contains("no such table: users"), "{}", fault.message);
    assert!(fault.message.contains("on 1 of 3 hosts, at most 0"), "{}", fault.message);
    assert_eq!(Operation::new(&world, &settings(), 3).converge(&steady("v1")).sides.len(), 1);
    assert_eq!(world.servers()["web-1-a"], "100 UP 0", "the good side was never touched");
}

#[test]
fn hosts_out_of_reach_are_left_out_as_far_as_the_rule_goes() {
    let world = Machines::new();
    let lenient = changed(&json!({ "unreachableHostsMax": 1 }));
    Operation::new(&world, &lenient, 1).converge(&steady("v1"));
    world.kill(&["web-2"]);
    let found = Operation::new(&world, &lenient, 2).converge(&canary(5_000));
    assert!(found.sides.iter().all(|side| (side.ready, side.wanted) == (2, 2)), "{found:?}");
    assert!(found.drift[0].contains("web-2 is out of reach: no connection"), "{:?}", found.drift);
    // It had v1 and still answers the balancer: it stays a part of the stable side, and the share is reckoned with it.
    assert!(world.servers()["web-2-a"].contains("UP") && found.candidate_basis_points == 5_000, "{:?}", world.servers());
    // Once v2 is stable, what runs there is not: it is given nothing, whoever answers.
    Operation::new(&world, &lenient, 3).converge(&steady("v2"));
    assert!(world.servers()["web-2-a"].contains("MAINT"), "{:?}", world.servers());
    world.kill(&["web-1", "web-2"]);
    let mut strict = Operation::new(&world, &lenient, 4);
    let fault = strict.fail(&steady("v2"));
    assert!(fault.retryable && fault.message.contains("2 of 3 hosts are out of reach, at most 1"), "{}", fault.message);
    assert!(strict.observe().is_err(), "no data is not good data");
    world.kill(&[]);
    let found = Operation::new(&world, &lenient, 5).converge(&steady("v2"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (3, 0), "{found:?}");
}

#[test]
fn a_full_disk_fails_on_its_host_alone_where_one_may_fail() {
    let world = Machines::new();
    let full = changed(&json!({ "freeMib": 4_000_000_000_u32 }));
    let fault = Operation::new(&world, &full, 1).fail(&steady("v1"));
    assert!(
        !fault.retryable && fault.message.contains("the release needs") && fault.message.contains("are left"),
        "{}",
        fault.message
    );
    let lenient = changed(&json!({ "failedHostsMax": 1 }));
    let releases = world.scope("web-2").join("releases");
    fs::create_dir_all(world.scope("web-2")).expect("made");
    fs::write(&releases, "in the way").expect("written");
    let found = Operation::new(&world, &lenient, 2).converge(&steady("v1"));
    assert_eq!((found.sides[0].ready, found.sides[0].wanted), (2, 2));
    assert!(found.drift.iter().any(|fact| fact.contains("web-2/v1 is left out, it failed")), "{:?}", found.drift);
    assert!(world.servers()["web-2-a"].contains("MAINT"));
}

#[test]
fn a_file_that_changed_on_its_way_is_sent_again_and_not_for_ever() {
    let world = Machines::new();
    world.spoil(Some("web"));
    let fault = Operation::new(&world, &settings(), 1).fail(&steady("v1"));
    assert!(fault.message.contains("a checksum is another one") && fault.message.contains("web: FAILED"), "{}", fault.message);
    assert!(!world.scope("web-1").join("releases/v1").exists(), "it never got its name");
    world.spoil(None);
    Operation::new(&world, &settings(), 2).converge(&steady("v1"));
}

#[test]
fn a_large_file_goes_on_where_it_stopped() {
    let world = Machines::new();
    world.set_piece_bytes(4);
    let mut operation = Operation::new(&world, &settings(), 1);
    let partly = operation.reconcile(&steady("v1"));
    assert!(said(&partly).contains("web-1 has 0 of 0 KiB of v1"), "{}", said(&partly));
    assert_eq!(fs::read(world.scope("web-1").join("incoming/v1/web")).expect("a part"), b"#!/b");
    operation.converge(&steady("v1"));
    assert_eq!(fs::read(world.scope("web-1").join("releases/v1/web")).expect("all of it"), b"#!/bin/sh\n");
}

#[test]
fn a_host_that_lost_its_units_is_brought_back_and_edits_are_told() {
    let world = Machines::new();
    let operation = |fence| Operation::new(&world, &settings(), fence);
    operation(1).converge(&steady("v1"));
    fs::remove_file(world.units("web-2").join("towpath-web-test-a")).expect("it was there");
    fs::write(world.scope("web-1").join("slots/a/env"), "PORT=1\n").expect("written");
    let drift = operation(1).observe().expect("an observation").drift;
    assert!(drift.iter().any(|fact| fact.contains("v1 in slot a of web-2 is not known to its supervisor")), "{drift:?}");
    assert!(
        drift.iter().any(|fact| fact.contains("unit, environment or configuration of v1 in slot a of web-1 were edited")),
        "{drift:?}"
    );
    assert_eq!(operation(2).converge(&steady("v1")).sides[0].ready, 3);
    world.play("servers/web-3-a", "7 UP 0\n");
    let drift = operation(2).observe().expect("an observation").drift;
    assert!(drift.iter().any(|fact| fact == "web-3-a has weight 7 on lb-1, 100 was ordered"), "{drift:?}");
    operation(2).converge(&steady("v1"));
    assert_eq!(world.servers()["web-3-a"], "100 UP 0");
}

#[test]
fn capacity_is_hosts_and_a_worker_needs_no_balancer() {
    let world = Machines::new();
    let mut workers = settings();
    workers.as_object_mut().expect("an object").remove("balancer");
    Operation::new(&world, &workers, 1).converge(&Desired { traffic: None, ..steady("v1") });
    let batch = Desired { stable: Some(side("v1", 67)), candidate: Some(side("v2", 33)), traffic: None };
    let found = Operation::new(&world, &workers, 2).converge(&batch);
    let sides: Vec<_> = found.sides.iter().map(|side| (side.release.as_str(), side.ready, side.wanted)).collect();
    assert_eq!(sides, [("v1", 3, 3), ("v2", 1, 1)]);
    let fault = Operation::new(&world, &workers, 3).fail(&canary(500));
    assert!(!fault.retryable && fault.message.contains("no balancer"), "{}", fault.message);
}

#[test]
fn what_a_balancer_cannot_do_is_refused() {
    let world = Machines::new();
    world.play("algorithm", "leastconn\n");
    let fault = Operation::new(&world, &settings(), 1).fail(&steady("v1"));
    assert!(
        !fault.retryable && fault.message.contains("balance roundrobin") && fault.message.contains("leastconn"),
        "{}",
        fault.message
    );
    world.play_no_more("algorithm");
    let sticky = Some(Traffic { sticky: Some(RequestKey::Cookie("session".to_owned())), ..traffic(0).expect("some") });
    let fault = Operation::new(&world, &settings(), 1).fail(&Desired { traffic: sticky, ..steady("v1") });
    assert!(fault.message.contains("name no cookie"), "{}", fault.message);
    world.play("silent", "");
    let fault = Operation::new(&world, &settings(), 1).fail(&steady("v1"));
    assert!(fault.retryable && fault.message.contains("nobody answers"), "{}", fault.message);
}

#[test]
fn a_command_of_an_older_fence_is_refused_by_the_shell_itself() {
    let world = Machines::new();
    Operation::new(&world, &settings(), 5).converge(&steady("v1"));
    let fence = |text: &str| fs::write(world.scope("web-2").join("fence"), text).expect("written");
    fence("9\n");
    assert!(matches!(Operation::new(&world, &settings(), 6).run(&canary(500)), Progress::Superseded(9)));
    // A fence that cannot be read lets nobody act.
    fence("\n");
    let fault = Operation::new(&world, &settings(), 6).fail(&canary(500));
    assert!(fault.message.contains("holds no number"), "{}", fault.message);
}

#[test]
fn a_host_that_babbles_is_out_of_reach_and_its_words_are_harmless() {
    let world = Machines::new();
    let lenient = changed(&json!({ "unreachableHostsMax": 1 }));
    Operation::new(&world, &lenient, 1).converge(&steady("v1"));
    let huge = [b"fence 1\n".as_slice(), &vec![b'x'; 256 << 10], b"\ndone\n"].concat();
    for (said, cut, expect) in [
        (huge.as_slice(), true, "more than is read"),
        (&huge, false, "which is not understood"),
        (b"\xff\xfe\x00\x01", false, "exit code 0"),
        (b"\x1b[2J\x1b]0;owned\x07\ndone\n", false, "which is not understood"),
        (b"done\n", false, "does not say which fence"),
        (b"superseded 99\n", false, "as if it were asked to act"),
    ] {
        world.babble("web-2", said, cut);
        let seen = Operation::new(&world, &lenient, 1).observe().expect("the others are well");
        let told = seen.drift.iter().find(|fact| fact.contains("web-2 is out of reach")).expect("it is told");
        assert!(told.contains(expect) && told.len() < 500 && !told.contains(char::is_control), "{told:?}");
        assert_eq!((seen.sides[0].ready, seen.highest_fence), (2, 1));
    }
}

#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let world = Machines::new();
    Operation::new(&world, &settings(), 1).converge(&steady("v1"));
    world.play("broken", "v2 web-1\n");
    let mut operation = Operation::new(&world, &changed(&json!({ "restartsMax": 100 })), 2);
    operation.call.context.now_ms = 1_000_000;
    assert!(said(&operation.reconcile(&canary(500))).contains("v2 is not ready on web-1"));
    operation.call.context.now_ms = 0;
    assert!(said(&operation.reconcile(&canary(500))).contains("v2 is not ready on web-1"));
    world.play_no_more("broken");
    assert_eq!(operation.converge(&canary(500)).candidate_basis_points, 500);
}
