//! How often verdicts are wrong and how soon they are certain, over the worlds of `world.rs`, for our policy and those of peers.
//!
//! Writes `BENCH.md` beside the crate's manifest, and ends with status 1 when our own false alarms exceed what is stated. Seeds are fixed: all
//! numbers but those of the clock are the same in every run.
#![expect(clippy::print_stdout, reason = "a benchmark says where its tables are")]

#[path = "../../tests/it/chance.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod chance;
mod cost;
mod policy;
mod report;
mod tuned;
mod world;

use std::path::Path;
use std::process::ExitCode;

use policy::LEVEL;
use report::{Line, Measured, breaks_the_promise};
use world::{Kind, SECONDS, World};

/// Runs of each world.
const RUNS: u64 = 1_000;

/// Candidate requests per second.
const REQUESTS: f64 = 10.0;

/// The heading of what another bench writes into the same file.
const SANDBOX: &str = "## Cost in the sandbox";

const POLICIES: [&str; 6] = [
    "sequential (ours)",
    "threshold per interval (Flagger)",
    "failure limit (Argo Rollouts)",
    "rank test each minute",
    "last interval decides (Kayenta)",
    "tuned in hindsight",
];

fn main() -> ExitCode {
    let worlds = world::all();
    let (even, odd) = std::thread::scope(|scope| {
        let half = |rest: usize| worlds.iter().enumerate().filter(move |(place, _)| place % 2 == rest);
        let odd = scope.spawn(move || half(1).map(|(place, world)| measure(place, world)).collect::<Vec<_>>());
        (half(0).map(|(place, world)| measure(place, world)).collect::<Vec<_>>(), odd.join().expect("a half of the worlds"))
    });
    let mut odd = odd.into_iter();
    let mut all: Vec<(Measured<'_>, tuned::Measured)> = Vec::new();
    for measured in even {
        all.push(measured);
        all.extend(odd.next());
    }
    let settings = [Kind::Errors, Kind::Times].map(|kind| tune(kind, &mut all));
    alone(&mut all);
    let all: Vec<Measured<'_>> = all.into_iter().map(|(measured, _)| measured).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("BENCH.md");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    // What the sandbox adds is measured where there is one, and stays.
    let sandbox = before.find(SANDBOX).map(|at| format!("\n{}", &before[at..])).unwrap_or_default();
    std::fs::write(&path, text(&all, &settings) + &sandbox).expect("BENCH.md is written");
    println!("the tables are in core/verdict/BENCH.md");
    // So many more alarms than the level would be chance in one of a thousand benches.
    let most = LEVEL * RUNS as f64 + 3.1 * (LEVEL * RUNS as f64).sqrt();
    let broken = |measured: &&Measured<'_>| {
        !measured.world.bad && !breaks_the_promise(measured.world) && measured.lines[0].alarms() * RUNS as f64 > most
    };
    match all.iter().find(broken) {
        Some(measured) => {
            println!(
                "more false alarms than the stated {LEVEL} in the world \"{}\": {}",
                measured.world.name,
                measured.lines[0].alarms()
            );
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

/// Runs a world, all policies over the same runs.
fn measure(place: usize, world: &World) -> (Measured<'_>, tuned::Measured) {
    let mut lines = vec![Line::default(); POLICIES.len() - 1];
    let (mut until_decided, mut intervals) = (Line::default(), tuned::Measured::new());
    for number in 0..RUNS {
        let run = world.run(place as u64 * 1_000_003 + number);
        lines[0].add(policy::sequential(world.kind, &run, false));
        lines[1].add(policy::threshold_per_interval(world.kind, &run));
        lines[2].add(policy::failure_limit(world.kind, &run));
        lines[3].add(policy::rank_each_interval(world.kind, &run));
        lines[4].add(policy::last_interval(world.kind, &run));
        until_decided.add(policy::sequential(world.kind, &run, true));
        intervals.add(world.kind, &run);
    }
    (Measured { world, lines, until_decided, alone: None }, intervals)
}

/// Finds the best setting for a kind of worlds and adds its lines.
fn tune(kind: Kind, all: &mut [(Measured<'_>, tuned::Measured)]) -> String {
    let usable = |world: &World| world.kind == kind && !breaks_the_promise(world);
    let of_kind: Vec<_> =
        all.iter().filter(|(measured, _)| usable(measured.world)).map(|(measured, kept)| (measured.world, kept)).collect();
    let setting = tuned::best(&of_kind);
    for (measured, kept) in all.iter_mut().filter(|(measured, _)| measured.world.kind == kind) {
        measured.lines.push(kept.line(setting));
    }
    setting.words()
}

/// Finds the best setting for each world alone, against the one in which nothing else differs.
fn alone(all: &mut [(Measured<'_>, tuned::Measured)]) {
    for place in 0..all.len() {
        let (measured, kept) = &all[place];
        let Some(like) = measured.world.like else { continue };
        let (other, quiet) = all.iter().find(|(other, _)| other.world.name == like).expect("a world is like one that there is");
        let setting = tuned::best(&[(other.world, quiet), (measured.world, kept)]);
        all[place].0.alone = Some(kept.line(setting).seconds_or_all());
    }
}

fn text(all: &[Measured<'_>], settings: &[String; 2]) -> String {
    let [errors, times] = settings;
    format!(
        "# How often verdicts are wrong, and how soon they are certain

Written by `cargo bench -p verdict`; do not edit. {RUNS} runs of each world from fixed seeds; ten candidate and ninety stable requests in each
second, for {SECONDS} s. Ours looks every second, states a level of {level} % and watches the whole time; peers look every minute, as their documentation shows.
The rank test has tolerance 0.25 and confidence 0.98 and judges all points so far, one for each second. \"Tuned in hindsight\" is no policy that
somebody could have chosen: the best of 48 fixed intervals, measures and numbers of failures, with the limits that keep false alarms at {level} % in these very
runs. For errors: {errors}. For times: {times}.

## False alarms

The share of runs in which a candidate was called worse that is not.

{false_alarms}
In the world where the noise of each side is its own, the sides do differ for minutes, and a test of requests says so: the promise holds for requests
that are independent given what both sides share.

## Detection

Misses, the median time to an alarm, and the mean number of candidate requests until then (a miss counts as all {requests:.0}).

{detection}
## The goal: at most half the candidate requests

The best of the peers' policies is the one with the fewest requests among those whose false alarms are at most twice the level in every world of the
kind (the one with noise of each side left out). A setting for one world alone knows how often stable fails, how bad the candidate is, and for how long it is
watched; nobody does.

{goal}
## Until decided

Ours where a proof that the candidate is good ends the watch: not worse by odds of two, or errors below 0.5 %; at a level of 5 %. A candidate whose errors
only climb later is let through if it is let through early: bake time is for that.

{until_decided}
## Cost

Native, on the machine that wrote this; what a whole look costs in the sandbox stands below.

{cost}",
        level = LEVEL * 100.0,
        requests = SECONDS as f64 * REQUESTS,
        false_alarms = report::false_alarms(&POLICIES, all),
        detection = report::detection(&POLICIES, all, REQUESTS),
        goal = report::goal(&POLICIES, all, REQUESTS),
        until_decided = report::until_decided(all),
        cost = cost::table(),
    )
}
