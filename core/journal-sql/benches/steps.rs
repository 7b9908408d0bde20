//! Durable steps per second on SQLite and PostgreSQL, beside the single commits per second that the same database makes on the same
//! disk in the same run.
//!
//! A step is an intent and its outcome, both durable. The engine appends an outcome together with the next intent, so a step costs
//! one append; the budget is about that. Two appends each are measured as well, to show what is saved. `cargo bench -p journal-sql -- [--seconds N] [--folder PATH]`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{try_join_all, try_join3};
use journal::conformance::samples;
use journal::{Append, DeploymentRow, Lease, Owner, Shard, Stamped, Status, Store};
use journal_sql::{Options, PostgresOptions, PostgresStore, SqliteStore};
use model::{Event, Fence, Millis, OperationKind, OperationResult, Phase, Timestamp};
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

/// How many deployments at once.
const DEPLOYMENTS: [u32; 3] = [1, 16, 256];

/// The row that the budget speaks of.
const BUDGET_AT: u32 = 16;

/// Steps per second at that row, in single commits per second.
const BUDGET_RATIO: f64 = 2.0;

/// Bytes of a row in the single commits: as large as a record usually is.
const ROW_BYTES: usize = 300;

struct Arguments {
    time: Duration,
    folder: PathBuf,
}

/// What was measured of one way to write.
struct Measured {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Measured {
    /// Returns the same for something of which there were so many each time.
    fn times(self, many: usize) -> Self {
        Self { per_second: self.per_second * many as f64, ..self }
    }
}

#[derive(Clone, Copy)]
enum Way {
    TwoAppends,
    OneAppend,
}

fn main() -> Result<(), Failure> {
    let arguments = arguments(std::env::args().skip(1))?;
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let mut out = std::io::stdout().lock();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let file = Sqlite { folder: folder.path().to_owned() };
    runtime.block_on(table(&mut out, "SQLite", &file, arguments.time))?;
    let server = test_postgres::Server::start_in(&arguments.folder, &[]);
    runtime.block_on(table(&mut out, "PostgreSQL", &Postgres { server }, arguments.time))
}

/// Measures one kind of store.
async fn table(out: &mut impl std::io::Write, name: &str, kind: &impl Kind, time: Duration) -> Result<(), Failure> {
    writeln!(out, "{name:<44}{:>10}{:>8}{:>10}{:>10}", "per second", "ratio", "p50", "p99")?;
    let before = kind.commits("before", 1, time).await?;
    row(out, "single commits, one row each", &before, &before)?;
    for rows in DEPLOYMENTS.into_iter().skip(1) {
        let batched = kind.commits(&format!("batched_{rows}"), rows as usize, time).await?;
        row(out, &format!("rows, {rows} in each commit"), &batched, &before)?;
    }
    let mut at_budget = None;
    for way in [Way::TwoAppends, Way::OneAppend] {
        for deployments in DEPLOYMENTS {
            let store = kind.store(&format!("{}_{deployments}", way.short())).await?;
            let measured = steps(store, way, deployments, time).await?;
            row(out, &format!("steps, {}, {deployments} at once", way.name()), &measured, &before)?;
            if matches!(way, Way::OneAppend) && deployments == BUDGET_AT {
                at_budget = Some(measured.per_second);
            }
        }
    }
    let after = kind.commits("after", 1, time).await?;
    row(out, "single commits, once more", &after, &before)?;
    let steps = at_budget.ok_or("the row of the budget was not measured")?;
    // The better of the two: a disturbed measurement of the disk must not make us look good.
    let ratio = steps / before.per_second.max(after.per_second);
    let word = if ratio >= BUDGET_RATIO { "within" } else { "OVER" };
    writeln!(out, "{word} budget at {BUDGET_AT} at once: {ratio:.2} single commits (at least {BUDGET_RATIO:.2})\n")?;
    Ok(())
}

/// A kind of store, with what its database does by itself.
trait Kind {
    /// Returns an empty store.
    async fn store(&self, name: &str) -> Result<Arc<dyn Store>, Failure>;
    /// Measures rows per second, so many in each commit, one commit after the other on one connection; the times are a commit's.
    async fn commits(&self, name: &str, rows: usize, time: Duration) -> Result<Measured, Failure>;
}

struct Sqlite {
    folder: PathBuf,
}

impl Kind for Sqlite {
    async fn store(&self, name: &str) -> Result<Arc<dyn Store>, Failure> {
        Ok(Arc::new(SqliteStore::open(&self.folder.join(format!("{name}.db")), &Options::default())?))
    }

    async fn commits(&self, name: &str, rows: usize, time: Duration) -> Result<Measured, Failure> {
        let db = rusqlite::Connection::open(self.folder.join(format!("{name}.db")))?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, bytes BLOB)",
        )?;
        let mut insert = db.prepare("INSERT INTO t (bytes) VALUES (?1)")?;
        let bytes = [b'x'; ROW_BYTES];
        let (start, mut each) = (now(), Vec::new());
        while start.elapsed() < time {
            let begun = now();
            if rows > 1 {
                db.execute_batch("BEGIN IMMEDIATE")?;
            }
            for _ in 0..rows {
                insert.execute([&bytes[..]])?;
            }
            if rows > 1 {
                db.execute_batch("COMMIT")?;
            }
            each.push(begun.elapsed());
        }
        Ok(sum_up(each, start.elapsed())?.times(rows))
    }
}

struct Postgres {
    server: test_postgres::Server,
}

impl Kind for Postgres {
    async fn store(&self, _name: &str) -> Result<Arc<dyn Store>, Failure> {
        let options = PostgresOptions { url: self.server.database(), tls: None, now: None };
        Ok(Arc::new(PostgresStore::open(&options).await?))
    }

    async fn commits(&self, _name: &str, rows: usize, time: Duration) -> Result<Measured, Failure> {
        let (client, connection) = tokio_postgres::connect(&self.server.database(), tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute("CREATE TABLE t (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, bytes BYTEA)").await?;
        let insert = client.prepare("INSERT INTO t (bytes) VALUES ($1)").await?;
        let bytes = [b'x'; ROW_BYTES];
        let (start, mut each) = (now(), Vec::new());
        while start.elapsed() < time {
            let begun = now();
            if rows == 1 {
                client.execute(&insert, &[&&bytes[..]]).await?;
            } else {
                // Sent at once, as one who groups does: each wait would be a round trip.
                let inserts = try_join_all((0..rows).map(|_| async { client.execute(&insert, &[&&bytes[..]]).await }));
                try_join3(client.batch_execute("BEGIN"), inserts, client.batch_execute("COMMIT")).await?;
            }
            each.push(begun.elapsed());
        }
        drop(client);
        connection.await??;
        Ok(sum_up(each, start.elapsed())?.times(rows))
    }
}

impl Way {
    fn short(self) -> &'static str {
        match self {
            Self::TwoAppends => "two",
            Self::OneAppend => "one",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::TwoAppends => "two appends each",
            Self::OneAppend => "one append each",
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, Failure> {
    // The build's own folder: a temporary one may be no disk at all.
    let mut arguments = Arguments { time: Duration::from_secs(2), folder: env!("CARGO_TARGET_TMPDIR").into() };
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--seconds" => arguments.time = Duration::from_secs(value()?.parse()?),
            "--folder" => arguments.folder = value()?.into(),
            // Said by cargo.
            "--bench" => {}
            _ => return Err(format!("unknown argument {argument:?}, known are --seconds and --folder").into()),
        }
    }
    Ok(arguments)
}

fn row(out: &mut impl std::io::Write, what: &str, measured: &Measured, single: &Measured) -> std::io::Result<()> {
    let Measured { per_second, p50, p99 } = measured;
    let ratio = per_second / single.per_second;
    writeln!(out, "{what:<44}{per_second:>10.0}{ratio:>7.2}x{:>10}{:>10}", micros(*p50), micros(*p99))
}

fn micros(duration: Duration) -> String {
    format!("{} µs", duration.as_micros())
}

#[expect(clippy::disallowed_methods, reason = "a bench measures")]
fn now() -> Instant {
    Instant::now()
}

/// Sums up what was measured between two instants.
fn sum_up(mut each: Vec<Duration>, taken: Duration) -> Result<Measured, Failure> {
    each.sort_unstable();
    let at = |percent: usize| each.get((each.len() * percent / 100).min(each.len().saturating_sub(1))).copied();
    let (p50, p99) = at(50).zip(at(99)).ok_or("nothing was written in the time given")?;
    Ok(Measured { per_second: each.len() as f64 / taken.as_secs_f64(), p50, p99 })
}

async fn steps(store: Arc<dyn Store>, way: Way, deployments: u32, time: Duration) -> Result<Measured, Failure> {
    let lease =
        store.acquire(&[Shard(0)], &Owner("bench".to_owned()), Millis::hours(1)).await?.pop().ok_or("the lease is taken")?;
    for deployment in 1..=deployments {
        store.append(append(&lease, deployment, 0, vec![requested(deployment)])).await?;
    }
    let (intent, outcome) = intent_and_outcome()?;
    let (start, mut tasks) = (now(), JoinSet::new());
    for deployment in 1..=deployments {
        let (store, lease, intent, outcome) = (Arc::clone(&store), lease.clone(), intent.clone(), outcome.clone());
        tasks.spawn(async move {
            let (mut each, mut head) = (Vec::new(), 1);
            while start.elapsed() < time {
                let begun = now();
                match way {
                    Way::TwoAppends => {
                        store.append(append(&lease, deployment, head, vec![intent.clone()])).await?;
                        store.append(append(&lease, deployment, head + 1, vec![outcome.clone()])).await?;
                    }
                    Way::OneAppend => {
                        store.append(append(&lease, deployment, head, vec![outcome.clone(), intent.clone()])).await?;
                    }
                }
                head += 2;
                each.push(begun.elapsed());
            }
            Ok::<_, Failure>(each)
        });
    }
    let each = tasks.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    sum_up(each, start.elapsed())
}

/// Returns the append of events to a deployment that is at version `head`.
fn append(lease: &Lease, deployment: u32, head: u64, events: Vec<Event>) -> Append {
    let release = samples::release("r-1");
    let events: Vec<_> = events.into_iter().map(|event| Stamped { event, at: Timestamp(1) }).collect();
    let head = head + events.len() as u64;
    Append {
        lease: lease.clone(),
        row: DeploymentRow {
            id: samples::deployment(deployment),
            scope: samples::scope(&format!("s-{deployment}")),
            release: release.id,
            release_label: release.label,
            status: Status::Active,
            phase: Phase::Shifting,
            paused: false,
            head,
            requested_at: Timestamp(1),
            ended_at: None,
        },
        events,
        // Every intent takes one, so the scope is written with each step as it is in the product.
        fence: Fence(head),
        stable: None,
        request: None,
    }
}

fn requested(deployment: u32) -> Event {
    let plan = samples::plan(samples::scope(&format!("s-{deployment}")));
    let id = samples::deployment(deployment);
    Event::Requested { id, plan, by: samples::actor(), at: Timestamp(1), deadline: Timestamp(9) }
}

fn intent_and_outcome() -> Result<(Event, Event), Failure> {
    let events = samples::events();
    let intent = |event: &&Event| matches!(event, Event::OperationIntended { operation, .. } if matches!(operation.kind, OperationKind::Reconcile { .. }));
    let outcome = |event: &&Event| matches!(event, Event::OperationCompleted { result, .. } if matches!(result, OperationResult::Converged(_)));
    let found = events.iter().find(intent).zip(events.iter().find(outcome));
    let (intent, outcome) = found.ok_or("the samples have no reconcile")?;
    Ok((intent.clone(), outcome.clone()))
}
