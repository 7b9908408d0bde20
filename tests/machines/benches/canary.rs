//! What a canary over hosts costs those who call, and how exact and how quick its weights are.
//!
//! `RUNS` full canaries (10 unless said) over two hosts behind HAProxy, and as many behind Envoy, with callers on kept connections. Printed are the requests and those that
//! failed, the candidate's share at each weight against what was asked for, and how long it
//! took from the decision to the weight in force; what went over ssh for one deployment; and, for a fleet of `HOSTS` (50 unless said) of which one
//! host is slow and one does not answer, how long a deployment takes against one to the slow host alone. The hosts' own cost is in it: they
//! share the machine with the target.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use test_machines::{Callers, Counted, Envoy};

#[expect(dead_code, reason = "the tests ask for more than the measurement")]
#[path = "../tests/it/rig.rs"]
mod rig;

use rig::{Rig, failed, target};

/// The weights of a canary, in basis points.
const SHARES: [u16; 4] = [100, 500, 2_500, 5_000];

/// How many requests a share is measured over.
const REQUESTS: u64 = 4_000;

/// How many callers there are.
const CALLERS: usize = 8;

/// Names the number of runs.
const RUNS: &str = "RUNS";

/// Names the size of the fleet.
const HOSTS: &str = "HOSTS";

/// By how much every command is slower on the slow host.
const SLOW_SECONDS: u32 = 1;

fn main() {
    let (runs, hosts) = (number(RUNS, 10), number(HOSTS, 50));
    let mut text = String::new();
    if runs > 0 {
        let _ = writeln!(text, "HAProxy");
        let rig = Rig::start(2);
        let address = rig.fleet.haproxy.address();
        canaries(rig, address, runs, &mut text);
        let _ = writeln!(text, "Envoy");
        let mut rig = Rig::start(2);
        let root = rig.fleet.balancer.root();
        let envoy = Envoy::start(&root.join("envoy"), target(), "web");
        rig.set("balancer", envoy.settings(rig.fleet.balancer.name(), &root));
        canaries(rig, envoy.address(), runs, &mut text);
    }
    if hosts > 2 {
        fleet(hosts as usize, &mut text);
    }
    say(text.trim_end());
}

/// Measures canaries over two hosts under load.
fn canaries(mut rig: Rig, address: SocketAddr, runs: u32, text: &mut String) {
    rig.fleet.count();
    rig.converge(&rig.steady("r0"));
    let mut counted = Vec::new();
    let callers = Callers::start(address, CALLERS);
    let (mut worst, mut took) = ([0.0_f64; SHARES.len()], Vec::new());
    for run in 1..=runs {
        let (old, new) = (format!("r{}", run - 1), format!("r{run}"));
        let before = rig.fleet.counted();
        rig.converge(&rig.canary(&old, &new, 0));
        for (share, worst) in SHARES.into_iter().zip(&mut worst) {
            let begun = now();
            rig.converge(&rig.canary(&old, &new, share));
            took.push(begun.elapsed());
            *worst = worst.max((measured(&callers, &new) - f64::from(share) / 10_000.0).abs());
        }
        rig.converge(&rig.canary(&old, &new, 10_000));
        rig.converge(&rig.steady(&new));
        counted.push(since(rig.fleet.counted(), before));
        say(&format!("run {run} of {runs}: {} requests so far", callers.answers().values().sum::<u64>()));
    }
    let answers = callers.stop();
    took.sort();
    let failures: u64 = failed(&answers).iter().map(|(_, count)| **count).sum();
    let _ = writeln!(text, "requests                      {}", answers.values().sum::<u64>());
    let _ = writeln!(text, "failed                        {failures} {:?}", failed(&answers));
    for (share, worst) in SHARES.into_iter().zip(worst) {
        let _ = writeln!(
            text,
            "share of {:>5.1} %              off by {:.2} points at most",
            f64::from(share) / 100.0,
            worst * 100.0
        );
    }
    let (median, longest) = (took[took.len() / 2], took[took.len() - 1]);
    let _ = writeln!(text, "decision to weight in force   {median:.1?} in the middle, {longest:.1?} at most");
    counted.sort_by_key(|counted| counted.connections);
    let Counted { connections, sent, received } = counted[counted.len() / 2];
    let of_releases = 2 * program_bytes(&rig);
    let _ = writeln!(text, "ssh, for one deployment       {connections} connections to 3 hosts over 7 movements, in the middle");
    let _ = writeln!(
        text,
        "                              {} KiB there ({} KiB of them the releases), {} KiB back",
        sent >> 10,
        of_releases >> 10,
        received >> 10
    );
    assert_eq!(failures, 0, "{answers:?}");
}

/// Measures a deployment to a fleet against one to its slow host alone.
fn fleet(hosts: usize, text: &mut String) {
    let mut alone = Rig::start(1);
    alone.fleet.hosts[0].slow_down(SLOW_SECONDS);
    let of_one = deployed(&mut alone);
    drop(alone);
    say(&format!("the slow host alone took {of_one:.1?}"));
    let mut rig = Rig::start(hosts);
    rig.set("batch", json!(hosts));
    rig.set("unreachableHostsMax", json!(1));
    rig.fleet.hosts[0].slow_down(SLOW_SECONDS);
    rig.fleet.hosts[hosts - 1].fall_silent();
    let of_all = deployed(&mut rig);
    let _ = writeln!(
        text,
        "{hosts} hosts, one of them slow by {SLOW_SECONDS} s a command and one silent: {of_all:.1?}, the slow one alone {of_one:.1?}: {:.2} times as long",
        of_all.as_secs_f64() / of_one.as_secs_f64()
    );
}

/// Brings a first release there, and returns how long it takes to bring the second one there by way of a half.
fn deployed(rig: &mut Rig) -> Duration {
    rig.converge(&rig.steady("r0"));
    let begun = now();
    rig.converge(&rig.canary("r0", "r1", 5_000));
    rig.converge(&rig.canary("r0", "r1", 10_000));
    rig.converge(&rig.steady("r1"));
    begun.elapsed()
}

/// Returns how large the program of a release is, which is all but a few bytes of it.
fn program_bytes(rig: &Rig) -> u64 {
    let releases = std::fs::read_dir(rig.scope(0).join("releases")).expect("a folder").flatten();
    let programs = releases.filter_map(|release| Some(std::fs::metadata(release.path().join("hello-service")).ok()?.len()));
    programs.max().expect("one is there")
}

fn since(now: Counted, before: Counted) -> Counted {
    Counted {
        connections: now.connections - before.connections,
        sent: now.sent - before.sent,
        received: now.received - before.received,
    }
}

fn number(name: &str, usual: u32) -> u32 {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for more")]
    std::env::var(name).map_or(usual, |number| number.parse().unwrap_or_else(|_| panic!("{name} is no number: {number}")))
}

/// Returns which part of the next requests a version answers.
fn measured(callers: &Callers, version: &str) -> f64 {
    let before = callers.answers();
    let sum = |answers: &BTreeMap<String, u64>| answers.values().sum::<u64>();
    let of_version = |answers: &BTreeMap<String, u64>| answers.get(version).copied().unwrap_or(0);
    let after = test_machines::until("the callers are answered", || {
        let now = callers.answers();
        (sum(&now) >= sum(&before) + REQUESTS).then_some(now)
    });
    (of_version(&after) - of_version(&before)) as f64 / (sum(&after) - sum(&before)) as f64
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn say(text: &str) {
    // Nobody is left to tell when even this cannot be written.
    let _ = writeln!(std::io::stdout(), "{text}");
}
