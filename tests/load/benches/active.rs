//! Thousands of active deployments on one server: what it needs, and how soon it decides, beside a server that has nothing to do;
//! and how soon another takes over from one that was killed.
//!
//! `cargo bench -p load --bench active -- [--active 10000] [--burst 500] [--folder PATH]`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use clap::{Parser, Subcommand};
use engine::limits::LEASE_TTL;
use load::Failure;
use load::serve::{Orders, now, serve};

/// The budget for the memory of a server with all of them, in MiB.
const MEMORY_MIB_MAX: u64 = 1_024;

/// How many take-overs are measured.
const TAKE_OVERS: usize = 5;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// How many deployments are active.
    #[arg(long, default_value_t = 10_000)]
    active: usize,
    /// How many more start at once.
    #[arg(long, default_value_t = 500)]
    burst: usize,
    /// The folder on whose disk the stores are.
    // The build's own: a temporary one may be no disk at all.
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    folder: PathBuf,
    /// What cargo tells every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// One server, for this program itself.
    Serve(Orders),
}

type Measured = BTreeMap<String, u64>;

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    if let Some(Role::Serve(orders)) = arguments.role {
        return tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(orders));
    }
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let server = test_postgres::Server::start_in(&arguments.folder, &[]);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<12}{:>8}{:>10}{:>10}{:>24}{:>24}",
        "store", "active", "ready ms", "MiB", "durable p50/p99 ms", "at target p50/p99 ms"
    )?;
    let file = |name: &str| vec!["--file".to_owned(), folder.path().join(name).display().to_string()];
    let base = |url: String| vec!["--url".to_owned(), url];
    for (store, idle, busy) in
        [("SQLite", file("idle.db"), file("busy.db")), ("PostgreSQL", base(server.database()), base(server.database()))]
    {
        let alone = run(&idle, &["--burst", &arguments.burst.to_string()])?;
        row(&mut out, store, 0, &alone)?;
        run(&busy, &["--fill", &arguments.active.to_string()])?;
        let (from, burst) = (arguments.active.to_string(), arguments.burst.to_string());
        let crowded = run(&busy, &["--from", &from, "--burst", &burst])?;
        row(&mut out, store, arguments.active, &crowded)?;
        let times = |word: &str| crowded[word] as f64 / alone[word].max(1) as f64;
        let mib = crowded["resident_kib"] / 1_024;
        let per_one = (crowded["resident_kib"].saturating_sub(alone["resident_kib"])) as f64 / arguments.active as f64;
        writeln!(
            out,
            "{:<12}{per_one:.1} KiB each; {:.2}x at p50 and {:.2}x at p99 of the server with nothing to do; under {MEMORY_MIB_MAX} MiB: {}",
            "",
            times("heard_p50_ms"),
            times("heard_p99_ms"),
            if mib < MEMORY_MIB_MAX { "kept" } else { "BROKEN" },
        )?;
        if store == "PostgreSQL" {
            take_overs(&mut out, &busy, arguments.active)?;
        }
    }
    Ok(())
}

fn row(out: &mut impl Write, store: &str, active: usize, measured: &Measured) -> std::io::Result<()> {
    let pair = |word: &str| format!("{}/{}", measured[&format!("{word}_p50_ms")], measured[&format!("{word}_p99_ms")]);
    let mib = measured["resident_kib"] / 1_024;
    writeln!(out, "{store:<12}{active:>8}{:>10}{mib:>10}{:>24}{:>24}", measured["ready_ms"], pair("durable"), pair("heard"))
}

/// Has a server do something to its end, and returns what it measured.
fn run(place: &[String], orders: &[&str]) -> Result<Measured, Failure> {
    let mut child = spawn(place, orders)?;
    let said = BufReader::new(child.stdout.take().ok_or("the server says nothing")?);
    let measured = said.lines().map(|line| {
        let line = line?;
        let (word, number) = line.split_once(' ').ok_or_else(|| format!("the server said {line:?}"))?;
        Ok((word.to_owned(), number.parse()?))
    });
    let measured = measured.collect::<Result<Measured, Failure>>()?;
    match child.wait()?.success() {
        true => Ok(measured),
        false => Err(format!("a server with {orders:?} failed").into()),
    }
}

fn spawn(place: &[String], orders: &[&str]) -> Result<Child, Failure> {
    let mut server = Command::new(std::env::current_exe()?);
    server.arg("serve").args(place).args(orders).stdin(Stdio::null()).stdout(Stdio::piped());
    Ok(server.spawn()?)
}

/// A server that goes on until it is killed.
struct Victim {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Victim {
    fn start(place: &[String], active: usize) -> Result<Self, Failure> {
        let mut process = spawn(place, &["--replicated", "--watch", &active.to_string()])?;
        let said = process.stdout.take().ok_or("the server says nothing")?;
        Ok(Self { process, said: BufReader::new(said).lines() })
    }

    /// Waits until it says a word.
    fn wait_until(&mut self, word: &str) -> Result<(), Failure> {
        for line in &mut self.said {
            if line?.starts_with(word) {
                return Ok(());
            }
        }
        Err(format!("a server ended before it said {word:?}").into())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Kills a server that has everything, again and again, and measures how long another needs until it serves all of it.
fn take_overs(out: &mut impl Write, place: &[String], active: usize) -> Result<(), Failure> {
    let mut times = Vec::new();
    let mut victim = Victim::start(place, active)?;
    victim.wait_until("serves")?;
    for _ in 0..TAKE_OVERS {
        let mut heir = Victim::start(place, active)?;
        heir.wait_until("ready_ms")?;
        let killed = now();
        drop(victim);
        heir.wait_until("serves")?;
        times.push(killed.elapsed().as_millis());
        victim = heir;
    }
    times.sort_unstable();
    let (least, middle, most) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    writeln!(
        out,
        "{:<12}killed with {active} active: another serves all of it after {middle} ms (from {least} to {most}); a lease lasts {} ms",
        "", LEASE_TTL.0,
    )?;
    Ok(())
}
