//! What a canary over hosts costs those who call, and how exact and how quick its weights are.
//!
//! `RUNS` full canaries (10 unless said) over two hosts behind HAProxy, with callers on kept connections. Printed are the requests and those that
//! failed, the candidate's share at each weight against what was asked for, and how long it
//! took from the decision to the weight in force. The hosts' own cost is in it: they share the machine with the target.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use test_machines::Callers;

#[expect(dead_code, reason = "the tests ask for more than the measurement")]
#[path = "../tests/it/rig.rs"]
mod rig;

use rig::{Rig, failed};

/// The weights of a canary, in basis points.
const SHARES: [u16; 4] = [100, 500, 2_500, 5_000];

/// How many requests a share is measured over.
const REQUESTS: u64 = 4_000;

/// How many callers there are.
const CALLERS: usize = 8;

/// Names the number of runs.
const RUNS: &str = "RUNS";

fn main() {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for more runs")]
    let runs: u32 = std::env::var(RUNS).map_or(10, |runs| runs.parse().expect("RUNS is a number"));
    let mut rig = Rig::start(2);
    rig.converge(&rig.steady("r0"));
    let callers = Callers::start(rig.fleet.haproxy.address(), CALLERS);
    let (mut worst, mut took) = ([0.0_f64; SHARES.len()], Vec::new());
    for run in 1..=runs {
        let (old, new) = (format!("r{}", run - 1), format!("r{run}"));
        rig.converge(&rig.canary(&old, &new, 0));
        for (share, worst) in SHARES.into_iter().zip(&mut worst) {
            let begun = now();
            rig.converge(&rig.canary(&old, &new, share));
            took.push(begun.elapsed());
            *worst = worst.max((measured(&callers, &new) - f64::from(share) / 10_000.0).abs());
        }
        rig.converge(&rig.canary(&old, &new, 10_000));
        rig.converge(&rig.steady(&new));
        say(&format!("run {run} of {runs}: {} requests so far", callers.answers().values().sum::<u64>()));
    }
    let answers = callers.stop();
    took.sort();
    let mut text = String::new();
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
    say(text.trim_end());
    assert_eq!(failures, 0, "{answers:?}");
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
