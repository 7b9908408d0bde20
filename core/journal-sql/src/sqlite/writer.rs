//! The writer: one thread, one connection, many writes per commit.
//!
//! A flush to disk costs the same for one write as for a hundred; so whatever waits when a commit begins goes into it. Each write
//! stands in a savepoint of its own: one that is refused does not undo its neighbours. Nobody is answered before the commit is.

use std::thread::JoinHandle;

use journal::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::adapter::Sqlite;
use super::faults;

/// Writes that may wait: more than all deployments' turns at once, so that waiting here is the back-pressure.
const QUEUE_MAX: usize = 4_096;

/// Writes in one commit: beyond this a larger batch no longer pays, and the first in it wait longer.
const BATCH_MAX: usize = 256;

/// Pages of the write-ahead log after which a check-point is made even when there is always something to write: 16 MiB.
const CHECKPOINT_PAGES: i64 = 4_096;

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Says whether what it wrote is to be kept, and who is told when that is certain. Without a transaction it only passes on why.
type Work = Box<dyn FnOnce(Result<&mut Sqlite<'_>, StoreError>) -> (bool, Answer) + Send>;

/// The writer's thread.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Self {
        let (queue, work) = mpsc::channel(QUEUE_MAX);
        let thread = std::thread::Builder::new().name("journal-writer".to_owned()).spawn(move || run(&connection, work));
        Self { queue: Some(queue), thread: thread.ok() }
    }

    /// Writes something and returns its result once it is durable.
    pub(super) async fn write<R, E>(&self, work: impl FnOnce(&mut Sqlite<'_>) -> Result<R, E> + Send + 'static) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |db| {
            let result = db.map_err(E::from).and_then(work);
            let keep = result.is_ok();
            let answer: Answer = Box::new(move |commit| {
                // A refusal stands whatever becomes of the commit: nothing of it was to be written.
                let result = result.and_then(|written| commit.map(|()| written).map_err(E::from));
                // Whoever asked may have gone; what was written stays written.
                let _ = answer.send(result);
            });
            (keep, answer)
        });
        let gone = || StoreError::OutcomeUnknown("the writer ended after an error of the disk; start again".to_owned());
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(work).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
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

fn run(db: &Connection, mut queue: mpsc::Receiver<Work>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while queue.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        if let Err(error) = commit(db, &mut batch) {
            tracing::error!(%error, "the disk failed in a commit; the writer ends");
            return;
        }
        checkpoint(db, queue.is_empty());
    }
}

/// Commits a batch and answers everybody in it. An error is one after which nothing more may be written.
fn commit(db: &Connection, batch: &mut Vec<Work>) -> Result<(), StoreError> {
    let mut answers = Vec::with_capacity(batch.len());
    let mut result = db.execute_batch("BEGIN IMMEDIATE").map_err(faults::sort);
    for work in batch.drain(..) {
        answers.push(match &result {
            Ok(()) => one(db, work),
            Err(error) => work(Err(faults::again(error))).1,
        });
        // A full disk makes SQLite undo the whole transaction by itself; then nothing in this batch was written.
        if result.is_ok() && db.is_autocommit() {
            result = Err(StoreError::Full("the transaction was undone".to_owned()));
        }
    }
    if result.is_ok() {
        result = db.execute_batch("COMMIT").map_err(faults::sort_commit);
    }
    if result.is_err() && !db.is_autocommit() {
        // Already failing; the rollback only frees the connection.
        let _ = db.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(result.as_ref().copied().map_err(faults::again));
    }
    match result {
        Err(error @ StoreError::OutcomeUnknown(_)) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn one(db: &Connection, work: Work) -> Answer {
    if let Err(error) = db.execute_batch("SAVEPOINT one").map_err(faults::sort) {
        return work(Err(error)).1;
    }
    let (keep, answer) = work(Ok(&mut Sqlite(db)));
    let end = if keep { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
    // Where the whole transaction was undone there is no savepoint left, and the caller notices.
    if !db.is_autocommit()
        && let Err(error) = db.execute_batch(end)
    {
        tracing::error!(%error, "a savepoint did not end");
    }
    answer
}

fn checkpoint(db: &Connection, idle: bool) {
    let pages: i64 = db.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1)).unwrap_or(0);
    if pages > CHECKPOINT_PAGES || (idle && pages > CHECKPOINT_PAGES / 8) {
        // A check-point that could not be made now is made later.
        let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    }
}
