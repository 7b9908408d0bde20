//! A server of the bench: it does what it is told on its command line, and says what it measured, a line each, as `word number`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use engine::{Clock, Engine, EngineOptions, Handle, StartRequest, limits};
use journal::{Owner, Store};
use journal_sql::{Options, PostgresOptions, PostgresStore, SqliteStore};
use model::{Actor, Millis, Timestamp};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Failure;
use crate::target::{Target, plan, scope};

/// Deployments that are asked for at once while the store is filled.
const FILLING_AT_ONCE: usize = 256;

/// How often the memory is looked at until it no longer moves.
const SETTLE: Duration = Duration::from_secs(2);

/// The longest that a target waits for a deployment that was started.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server is to do.
#[derive(Clone, Debug, Default, Args)]
pub struct Orders {
    /// The PostgreSQL database to use; without it, a file.
    #[arg(long)]
    pub url: Option<String>,
    /// The file to use.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// Have so many deployments active, and end in the middle.
    #[arg(long, default_value_t = 0)]
    pub fill: usize,
    /// Start so many deployments at once, behind those that are there.
    #[arg(long, default_value_t = 0)]
    pub burst: usize,
    /// The number of the first of them.
    #[arg(long, default_value_t = 0)]
    pub from: usize,
    /// Say when deployments up to this number are all served by this server, and go on for ever.
    #[arg(long)]
    pub watch: Option<usize>,
    /// Others use the store as well.
    #[arg(long)]
    pub replicated: bool,
}

/// The wall clock.
#[derive(Clone, Copy, Debug)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the bench's own clock")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Returns the instant.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
pub fn now() -> Instant {
    Instant::now()
}

/// Does what it is told.
pub async fn serve(orders: Orders) -> Result<(), Failure> {
    let began = now();
    let store: Arc<dyn Store> = match (&orders.url, &orders.file) {
        (Some(url), _) => Arc::new(PostgresStore::open(&PostgresOptions { url: url.clone(), tls: None, now: None }).await?),
        (None, Some(file)) => Arc::new(SqliteStore::open(file, &Options::default())?),
        (None, None) => return Err("no store was named".into()),
    };
    let target = Arc::new(Target::default());
    let owner = if orders.replicated { format!("load-{}", std::process::id()) } else { "load".to_owned() };
    let options = EngineOptions {
        store,
        driver: target.clone(),
        clock: Arc::new(WallClock),
        owner: Owner(owner),
        lease_ttl: limits::LEASE_TTL,
        replicated: orders.replicated,
        pack_after: Millis::hours(24),
    };
    let engine = Engine::start(options).await?;
    say("ready_ms", began.elapsed().as_millis())?;
    if orders.fill > 0 {
        fill(&engine.handle(), &target, orders.fill).await?;
    }
    if orders.burst > 0 {
        say("resident_kib", settled_memory().await?)?;
        burst(&engine.handle(), &target, orders.from, orders.burst).await?;
    }
    if let Some(watch) = orders.watch {
        for number in 0..watch {
            engine.serves(&scope(number)).await;
        }
        say("serves", watch)?;
        std::future::pending::<()>().await;
    }
    // Ends here as a crash does: nothing is given back.
    std::process::exit(0);
}

fn say(word: &str, number: impl std::fmt::Display) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word} {number}")?;
    out.flush()
}

/// Starts a deployment, and returns how long it took until that was durable, and until the target heard of it.
async fn start(handle: &Handle, target: &Target, number: usize) -> Result<(Duration, Duration), Failure> {
    let by = Actor { name: "user:load".to_owned(), groups: Vec::new(), from: String::new() };
    let heard = target.expect(scope(number));
    let asked_at = now();
    handle.start(StartRequest { request: None, plan: plan(number), by }).await?;
    let durable = asked_at.elapsed();
    let heard_at = tokio::time::timeout(PATIENCE, heard).await;
    let heard_at = heard_at.map_err(|_| format!("the target did not hear of deployment {number} within {PATIENCE:?}"))??;
    Ok((durable, heard_at.duration_since(asked_at)))
}

async fn fill(handle: &Handle, target: &Arc<Target>, count: usize) -> Result<(), Failure> {
    let (began, room) = (now(), Arc::new(Semaphore::new(FILLING_AT_ONCE)));
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let turn = Arc::clone(&room).acquire_owned().await?;
        let (handle, target) = (handle.clone(), Arc::clone(target));
        tasks.spawn(async move {
            let started = start(&handle, &target, number).await;
            drop(turn);
            started
        });
    }
    while let Some(started) = tasks.join_next().await {
        started??;
    }
    say("filled_ms", began.elapsed().as_millis())?;
    Ok(())
}

async fn burst(handle: &Handle, target: &Arc<Target>, from: usize, count: usize) -> Result<(), Failure> {
    let mut tasks = JoinSet::new();
    for number in from..from + count {
        let (handle, target) = (handle.clone(), Arc::clone(target));
        tasks.spawn(async move { start(&handle, &target, number).await });
    }
    let (mut durable, mut heard) = (Vec::new(), Vec::new());
    while let Some(started) = tasks.join_next().await {
        let (one, other) = started??;
        durable.push(one);
        heard.push(other);
    }
    for (word, mut times) in [("durable", durable), ("heard", heard)] {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_millis();
        say(&format!("{word}_p50_ms"), at(50))?;
        say(&format!("{word}_p99_ms"), at(99))?;
    }
    Ok(())
}

/// Returns the resident memory in KiB once it no longer grows: what a start reads is given back late.
async fn settled_memory() -> Result<u64, Failure> {
    let mut before = memory()?;
    loop {
        tokio::time::sleep(SETTLE).await; // tidy: between two looks at the memory
        let after = memory()?;
        if after.abs_diff(before) * 100 <= before {
            return Ok(after);
        }
        before = after;
    }
}

fn memory() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the system does not tell the memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
