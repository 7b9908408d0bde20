//! The writer: one thread, one connection, many writes per commit.
//!
//! A flush to disk costs the same for one write as for a hundred; so whatever waits when a commit begins goes into it. Each write
//! stands in a savepoint of its own: one that is refused does not undo its neighbours. Nobody is answered before the commit is.

use std::thread::JoinHandle;
use std::time::Duration;

use journal::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::adapter::Sqlite;
use super::faults;
use crate::again::again;

/// Writes that may wait: more than all deployments' turns at once, so that waiting here is the back-pressure.
const QUEUE_MAX: usize = 4_096;

/// Writes in one commit: beyond this a larger batch no longer pays, and the first in it wait longer.
const BATCH_MAX: usize = 256;

/// Pages of the write-ahead log after which a check-point is made even when there is always something to write: 16 MiB.
const CHECKPOINT_PAGES: i64 = 4_096;

/// Pages that are worth a check-point when there is nothing to write: 1 MiB. Fewer would only cost flushes.
const CHECKPOINT_PAGES_IDLE: i64 = 256;

/// No write for so long is idle: long enough that a check-point does not fall between two writes of one busy deployment.
const IDLE_AFTER: Duration = Duration::from_millis(100);

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Says whether what it wrote is to be kept, and who is told when that is certain. Without a transaction it only passes on why.
type Work = Box<dyn FnOnce(Result<&Sqlite<'_>, StoreError>) -> (bool, Answer) + Send>;

/// The writer's thread.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, work) = mpsc::channel(QUEUE_MAX);
        // Its own runtime for one thing: waiting for work no longer than until it is time for a check-point.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let run = move || runtime.block_on(run(&connection, work));
        let thread = std::thread::Builder::new().name("journal-writer".to_owned()).spawn(run)?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Writes something and returns its result once it is durable.
    pub(super) async fn write<R, E>(&self, work: impl FnOnce(&Sqlite<'_>) -> Result<R, E> + Send + 'static) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (work, answered) = packed(work);
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.send(work).await.map_err(|_| ended())?;
        let unknown = |_| StoreError::OutcomeUnknown("the writer ended in the middle".to_owned());
        answered.await.map_err(unknown)?
    }
}

/// Returns a write as the thread takes it, and where its result comes out.
fn packed<R, E>(work: impl FnOnce(&Sqlite<'_>) -> Result<R, E> + Send + 'static) -> (Work, oneshot::Receiver<Result<R, E>>)
where
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let work: Work = Box::new(move |db| {
        let result = db.map_err(E::from).and_then(work);
        let keep = result.is_ok();
        let answer: Answer = Box::new(move |commit| {
            // A refusal falls with the commit too: it may rest on what a neighbour wrote, which then never was.
            let result = commit.map_err(E::from).and(result);
            // Whoever asked may have gone; what was written stays written.
            let _ = answer.send(result);
        });
        (keep, answer)
    });
    (work, answered)
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            let _ = thread.join();
        }
    }
}

async fn run(db: &Connection, mut queue: mpsc::Receiver<Work>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut wrote = false;
    loop {
        match hear(&mut queue, &mut batch, wrote).await {
            Heard::Work => {
                if let Err(error) = commit(db, &mut batch) {
                    tracing::error!(%error, "the disk failed in a commit; the writer ends");
                    return refuse(&mut queue).await;
                }
                checkpoint(db, CHECKPOINT_PAGES);
                wrote = true;
            }
            Heard::Nothing => {
                checkpoint(db, CHECKPOINT_PAGES_IDLE);
                wrote = false;
            }
            Heard::End => return,
        }
    }
}

/// Refuses what was sent and never begun. Left unanswered, its outcome would be called unknown.
async fn refuse(queue: &mut mpsc::Receiver<Work>) {
    queue.close();
    while let Some(work) = queue.recv().await {
        let (_, answer) = work(Err(ended()));
        answer(Err(ended()));
    }
}

fn ended() -> StoreError {
    StoreError::Broken("its writer ended after an error of the disk".to_owned())
}

enum Heard {
    Work,
    Nothing,
    End,
}

async fn hear(queue: &mut mpsc::Receiver<Work>, batch: &mut Vec<Work>, wrote: bool) -> Heard {
    let work = queue.recv_many(batch, BATCH_MAX);
    let received = match wrote {
        true => tokio::time::timeout(IDLE_AFTER, work).await.ok(),
        // A server where nothing happens does not wake up.
        false => Some(work.await),
    };
    match received {
        None => Heard::Nothing,
        Some(0) => Heard::End,
        Some(_) => Heard::Work,
    }
}

/// Commits a batch and answers everybody in it. An error is one after which nothing more may be written.
fn commit(db: &Connection, batch: &mut Vec<Work>) -> Result<(), StoreError> {
    let mut answers = Vec::with_capacity(batch.len());
    let mut result = statement(db, "BEGIN IMMEDIATE");
    for work in batch.drain(..) {
        answers.push(match &result {
            Ok(()) => {
                let (answer, ended) = one(db, work);
                result = ended;
                answer
            }
            Err(error) => work(Err(again(error))).1,
        });
    }
    if result.is_ok() {
        result = db.execute_batch("COMMIT").map_err(faults::sort_commit);
    }
    if result.is_err() && !db.is_autocommit() {
        // Already failing; the rollback only frees the connection.
        let _ = db.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(result.as_ref().copied().map_err(again));
    }
    match result {
        Err(error @ StoreError::OutcomeUnknown(_)) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Does one write in its savepoint. An error is one after which the whole batch cannot be kept.
fn one(db: &Connection, work: Work) -> (Answer, Result<(), StoreError>) {
    if let Err(error) = statement(db, "SAVEPOINT one") {
        let answer = work(Err(again(&error))).1;
        return (answer, Err(error));
    }
    let sqlite = Sqlite::new(db);
    let (keep, answer) = work(Ok(&sqlite));
    let ended = match (sqlite.undone(), keep) {
        (Some(error), _) => Err(error),
        (None, true) => statement(db, "RELEASE one"),
        (None, false) => statement(db, "ROLLBACK TO one").and_then(|()| statement(db, "RELEASE one")),
    };
    (answer, ended)
}

fn statement(db: &Connection, sql: &str) -> Result<(), StoreError> {
    let run = db.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    run.map(|_| ()).map_err(faults::sort)
}

fn checkpoint(db: &Connection, pages_min: i64) {
    let pages = |mode: &str| -> rusqlite::Result<i64> {
        let mut statement = db.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))?;
        statement.query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
    };
    // A check-point that could not be made now is made later.
    if pages("NOOP").unwrap_or(0) >= pages_min
        && let Err(error) = pages("PASSIVE")
    {
        tracing::warn!(%error, "the write-ahead log could not be written back");
    }
}

#[cfg(test)]
mod tests {
    use super::super::adapter::now;
    use super::*;
    use crate::executor::Executor as _;

    /// A database whose commits can be made to fail: a child without its parent is only missed at the end.
    fn family() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "PRAGMA foreign_keys = 1;
             CREATE TABLE parent (id INTEGER PRIMARY KEY);
             CREATE TABLE child (id INTEGER PRIMARY KEY REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
        db
    }

    type Answered = oneshot::Receiver<Result<usize, StoreError>>;

    fn write(sql: &'static str) -> (Work, Answered) {
        packed(move |db| now(db.execute(sql, &[])))
    }

    /// Commits the writes together and returns what each was answered.
    fn committed(db: &Connection, writes: &[&'static str]) -> Vec<Result<usize, StoreError>> {
        let (mut batch, answers): (Vec<_>, Vec<_>) = writes.iter().map(|sql| write(sql)).unzip();
        commit(db, &mut batch).unwrap();
        answers.into_iter().map(|mut answered| answered.try_recv().unwrap()).collect()
    }

    fn count(db: &Connection, table: &str) -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_refused_write_leaves_its_neighbours() {
        let db = family();
        let twice = "INSERT INTO parent VALUES (1)";
        let answers = committed(&db, &[twice, twice, "INSERT INTO parent VALUES (2)"]);
        assert!(matches!(&answers[..], [Ok(1), Err(StoreError::Failed(_)), Ok(1)]), "{answers:?}");
        assert_eq!(count(&db, "parent"), 2);
    }

    #[test]
    fn a_commit_that_fails_takes_refusals_with_it() {
        let db = family();
        let twice = "INSERT INTO parent VALUES (1)";
        let answers = committed(&db, &[twice, twice, "INSERT INTO child VALUES (9)"]);
        let fell = |answer: &Result<usize, StoreError>| matches!(answer, Err(StoreError::Failed(message)) if message.contains("FOREIGN KEY"));
        assert!(answers.iter().all(fell), "the second was refused because of the first, which is not there: {answers:?}");
        assert_eq!((count(&db, "parent"), count(&db, "child")), (0, 0));
        let answers = committed(&db, &[twice]);
        assert!(matches!(&answers[..], [Ok(1)]), "the next commit is not harmed: {answers:?}");
    }

    #[test]
    fn a_batch_that_cannot_begin_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("busy.db");
        let (other, db) = (Connection::open(&path).unwrap(), Connection::open(&path).unwrap());
        db.busy_timeout(Duration::ZERO).unwrap();
        other.execute_batch("CREATE TABLE parent (id INTEGER PRIMARY KEY); BEGIN IMMEDIATE").unwrap();
        let answers = committed(&db, &["INSERT INTO parent VALUES (1)"; 2]);
        assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::InUse(_)))), "{answers:?}");
    }
}
