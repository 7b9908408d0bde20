//! The deep check: every strategy with every candidate, as far as was asked for; a table of what was explored.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use prove::check::{Found, explore};
use prove::plans;
use prove::system::{Setting, Weakness};
use test_world::world::Candidate;

/// Explores the machine in every order of messages, faults and commands, up to a bound.
#[derive(Debug, Parser)]
#[command(after_help = "Example: cargo run --release -p prove -- --plan canary --faults 3")]
struct Arguments {
    /// Only this plan.
    #[arg(long)]
    plan: Option<String>,
    /// How many things may go wrong in one history.
    #[arg(long, default_value_t = 2)]
    faults: u8,
    /// How many commands people may give in one history.
    #[arg(long, default_value_t = 2)]
    words: u8,
    /// From one in so many moments the world is healed, and the deployment must come to its end.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    heal_one_in: u64,
    /// How many threads explore.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// How many minutes each exploration may take.
    #[arg(long, default_value_t = 60)]
    minutes: u64,
}

fn main() -> std::io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<14}{:<11}{:>11}{:>13}{:>7}{:>9}  ends", "plan", "candidate", "moments", "moves", "depth", "seconds")?;
    let (mut sound, mut moments) = (true, 0);
    for (name, plan) in plans::all() {
        if arguments.plan.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        for candidate in [Candidate::Well, Candidate::Unhealthy, Candidate::Crashing] {
            let (faults, people, plan) = (arguments.faults, arguments.words, plan.clone());
            let setting = Setting { plan, candidate, faults, people, weakness: Weakness::None };
            let began = now();
            let time = Duration::from_secs(arguments.minutes * 60);
            let found = explore(setting, arguments.heal_one_in, usize::from(arguments.threads), time);
            sound &= found.complete;
            moments += found.moments;
            row(&mut out, name, candidate, &found, began.elapsed())?;
        }
    }
    let bound = format!("{} faults and {} words in one history", arguments.faults, arguments.words);
    match (sound, moments) {
        (_, 0) => writeln!(out, "there is no such plan")?,
        (true, _) => writeln!(out, "every invariant holds in all {moments} moments, with at most {bound}")?,
        (false, _) => writeln!(out, "NOT PROVEN with at most {bound}")?,
    }
    Ok(if sound && moments > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(out: &mut impl Write, name: &str, candidate: Candidate, found: &Found, took: Duration) -> std::io::Result<()> {
    let Found { moments, moves, depth, broken, ends, complete } = found;
    let candidate = format!("{candidate:?}").to_lowercase();
    let (seconds, ends) = (took.as_secs_f64(), ends.join(" "));
    writeln!(out, "{name:<14}{candidate:<11}{moments:>11}{moves:>13}{depth:>7}{seconds:>9.1}  {ends}")?;
    match (broken, complete) {
        (Some(broken), _) => writeln!(out, "{broken}"),
        (None, false) => writeln!(out, "  the time was over before everything was seen"),
        (None, true) => out.flush(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the table says how long it took")]
fn now() -> Instant {
    Instant::now()
}
