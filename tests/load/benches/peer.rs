//! Durable steps from beginning to end, by our engine and by a durable-execution library, on one PostgreSQL in one run: so many
//! deployments (or workflows) at once, each with as many steps that do nothing.
//!
//! `tests/load/peer/run` installs the library and calls this.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use engine::{Engine, EngineOptions, StartRequest, limits};
use futures_util::StreamExt;
use journal::Owner;
use journal_sql::{PostgresOptions, PostgresStore};
use load::Failure;
use load::serve::{WallClock, now};
use load::target::{Target, gates};
use model::{Actor, Millis};
use tokio::task::JoinSet;

/// Steps of each deployment, and of each workflow.
const STEPS: usize = 20;

/// How many at once.
const AT_ONCE: [usize; 3] = [1, 16, 256];

#[derive(Debug, Parser)]
struct Arguments {
    /// The Python that has the library.
    #[arg(long)]
    python: Option<PathBuf>,
    /// The folder on whose disk the database is.
    // The build's own: a temporary one may be no disk at all.
    #[arg(long, default_value = env!("CARGO_TARGET_TMPDIR"))]
    folder: PathBuf,
    /// What cargo tells every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout().lock();
    let Some(python) = arguments.python else {
        writeln!(out, "not measured: tests/load/peer/run installs what this is compared with")?;
        return Ok(());
    };
    let server = test_postgres::Server::start_in(&arguments.folder, &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ours = runtime.block_on(ours(server.database()))?;
    let theirs = theirs(&python, &server.database())?;
    writeln!(out, "{:<10}{:>18}{:>18}{:>10}", "at once", "towpath steps/s", "dbos steps/s", "ratio")?;
    for (at_once, ours) in ours {
        let theirs = theirs.get(&at_once).ok_or("the library did not say all")?;
        let per_second = |time: &Duration| (at_once * STEPS) as f64 / time.as_secs_f64();
        let (ours, theirs) = (per_second(&ours), per_second(theirs));
        writeln!(out, "{at_once:<10}{ours:>18.0}{theirs:>18.0}{:>9.1}x", ours / theirs)?;
    }
    Ok(())
}

async fn ours(url: String) -> Result<BTreeMap<usize, Duration>, Failure> {
    let store = PostgresStore::open(&PostgresOptions { url, tls: None, now: None }).await?;
    let options = EngineOptions {
        store: Arc::new(store),
        driver: Arc::new(Target::default()),
        clock: Arc::new(WallClock),
        owner: Owner("load".to_owned()),
        lease_ttl: limits::LEASE_TTL,
        replicated: false,
        pack_after: Millis::hours(24),
    };
    let engine = Engine::start(options).await?;
    let mut number = 0;
    let mut run = async |at_once: usize| -> Result<Duration, Failure> {
        let mut tasks = JoinSet::new();
        let began = now();
        for _ in 0..at_once {
            number += 1;
            let (handle, plan) = (engine.handle(), gates(number, STEPS));
            tasks.spawn(async move {
                let by = Actor { name: "user:load".to_owned(), groups: Vec::new(), from: String::new() };
                let accepted = handle.start(StartRequest { request: None, plan, by }).await?;
                let mut updates = handle.watch(&accepted.deployment, 0);
                let mut last = None;
                while let Some(update) = updates.next().await {
                    last = Some(update?.state.phase().to_string());
                }
                match last.as_deref() {
                    Some("succeeded") => Ok(()),
                    other => Err(Failure::from(format!("a deployment ended {other:?}"))),
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(began.elapsed())
    };
    // Not measured: whatever is done once.
    run(1).await?;
    let mut measured = BTreeMap::new();
    for at_once in AT_ONCE {
        measured.insert(at_once, run(at_once).await?);
    }
    engine.shutdown().await;
    Ok(measured)
}

fn theirs(python: &PathBuf, url: &str) -> Result<BTreeMap<usize, Duration>, Failure> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peer/steps.py");
    let mut asked = Command::new(python);
    asked.arg(script).arg(url.replace("postgres://", "postgresql://")).arg(STEPS.to_string());
    let said = asked.args(AT_ONCE.map(|at_once| at_once.to_string())).output()?;
    if !said.status.success() {
        return Err(format!("the library failed: {}", String::from_utf8_lossy(&said.stderr)).into());
    }
    let said = String::from_utf8(said.stdout)?;
    let measured = said.lines().map(|line| {
        let (at_once, seconds) = line.split_once(' ').ok_or_else(|| format!("the library said {line:?}"))?;
        Ok((at_once.parse()?, Duration::from_secs_f64(seconds.parse()?)))
    });
    measured.collect()
}
