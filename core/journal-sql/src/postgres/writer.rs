//! The writer: one connection, many writes per commit.
//!
//! A commit costs a flush and a round trip for one write as for a hundred; so whatever waits when one begins goes into it. What is
//! refused was refused before it wrote anything. Where a statement fails the whole transaction is lost, and each write is made once
//! more by itself. Nobody is answered before the commit is.
//!
//! All replicas write under one advisory lock, held from the beginning of a transaction to its end: so positions in the journal are
//! in the order of the commits, and what was compared is still so when it is written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{LocalBoxFuture, join_all, try_join};
use journal::{Change, StoreError};
use model::{Scope, Timestamp};
use tokio::sync::{mpsc, oneshot};

use super::listener;
use super::session::{Session, Target};
use crate::again::again;
use crate::executor::Executor;

/// Writes that may wait: more than all deployments' turns at once, so that waiting here is the back-pressure.
const QUEUE_MAX: usize = 4_096;

/// Writes in one commit: beyond this a larger batch no longer pays, and the first in it wait longer.
const BATCH_MAX: usize = 256;

/// How long a transaction, and then its commit, may take before the connection is given up.
const PATIENCE: Duration = Duration::from_secs(12);

/// The advisory lock of those who write ("TOWP").
const LOCK: i64 = 0x544f_5750;

const NOW: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Where the writer's time comes from: the database, so that all replicas have one clock.
pub(super) type Now = Option<fn() -> Timestamp>;

/// A write that can be made again as long as it is not committed.
#[async_trait(?Send)]
trait Work: Send {
    /// Whose it is; writes of different scopes do not see each other. Without a scope it is made alone.
    fn scope(&self) -> Option<&Scope>;
    async fn run(&mut self, db: &Session, now: Timestamp);
    /// What others are told when it is committed.
    fn change(&self) -> Option<&Change>;
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

/// What a write is about, beside what it does.
#[derive(Default)]
pub(super) struct About {
    pub(super) scope: Option<Scope>,
    pub(super) change: Option<Change>,
}

struct Packed<R, E, F> {
    about: About,
    work: F,
    result: Option<Result<R, E>>,
    answer: oneshot::Sender<Result<R, E>>,
}

#[async_trait(?Send)]
impl<R, E, F> Work for Packed<R, E, F>
where
    R: Send,
    E: From<StoreError> + Send,
    F: for<'a> Fn(&'a Session, Timestamp) -> LocalBoxFuture<'a, Result<R, E>> + Send,
{
    fn scope(&self) -> Option<&Scope> {
        self.about.scope.as_ref()
    }

    async fn run(&mut self, db: &Session, now: Timestamp) {
        self.result = Some((self.work)(db, now).await);
    }

    fn change(&self) -> Option<&Change> {
        self.about.change.as_ref().filter(|_| matches!(self.result, Some(Ok(_))))
    }

    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        let never = || Err(StoreError::Failed("the write was not made".to_owned()).into());
        // A refusal falls with the commit too: it may rest on what a neighbour wrote, which then never was.
        let result = commit.map_err(E::from).and(self.result.unwrap_or_else(never));
        // Whoever asked may have gone; what was written stays written.
        let _ = self.answer.send(result);
    }
}

type Batch = Vec<Box<dyn Work>>;

/// The writer's thread.
pub(super) struct Writer(mpsc::Sender<Box<dyn Work>>);

impl Writer {
    /// Starts the thread. It ends with this handle.
    pub(super) fn start(target: Arc<Target>, now: Now, instance: String) -> std::io::Result<Self> {
        let (queue, work) = mpsc::channel(QUEUE_MAX);
        // A runtime of its own: a busy engine must not make the lease's renewal wait.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let run = move || runtime.block_on(Writing { target, now, instance, session: None }.run(work));
        std::thread::Builder::new().name("journal-writer".to_owned()).spawn(run)?;
        Ok(Self(queue))
    }

    /// Writes something and returns its result once it is durable.
    pub(super) async fn write<R, E, F>(&self, about: About, work: F) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'a> Fn(&'a Session, Timestamp) -> LocalBoxFuture<'a, Result<R, E>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let work = Box::new(Packed { about, work, result: None, answer });
        let ended = || StoreError::Broken("its writer ended".to_owned());
        self.0.send(work).await.map_err(|_| ended())?;
        answered.await.map_err(|_| StoreError::OutcomeUnknown("the writer ended in the middle".to_owned()))?
    }
}

struct Writing {
    target: Arc<Target>,
    now: Now,
    /// Marks our own notifications.
    instance: String,
    session: Option<Session>,
}

impl Writing {
    async fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Work>>) {
        let mut batch = Batch::new();
        while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
            self.write(std::mem::take(&mut batch)).await;
        }
    }

    async fn write(&mut self, mut batch: Batch) {
        match self.together(&mut batch).await {
            Ok(()) => batch.into_iter().for_each(|work| work.answer(Ok(()))),
            Err(Ended::Alone(_)) if batch.len() > 1 => {
                for work in batch {
                    let mut alone = vec![work];
                    let ended = self.together(&mut alone).await;
                    for work in alone {
                        work.answer(ended.as_ref().copied().map_err(|ended| again(ended.error())));
                    }
                }
            }
            Err(Ended::Alone(error) | Ended::Lost(error)) => batch.into_iter().for_each(|work| work.answer(Err(again(&error)))),
        }
    }

    /// Makes the writes in one transaction.
    async fn together(&mut self, batch: &mut Batch) -> Result<(), Ended> {
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => self.target.connect().await.map_err(Ended::Lost)?,
        };
        let written = tokio::time::timeout(PATIENCE, self.transaction(&session, batch)).await;
        let late = || StoreError::Unreachable(format!("it did not answer within {PATIENCE:?}"));
        match written.unwrap_or_else(|_| Err(late())) {
            Err(error) if session.is_closed() || matches!(error, StoreError::Unreachable(_)) => return Err(Ended::Lost(error)),
            Err(error) => {
                session.run("ROLLBACK").await.map_err(Ended::Lost)?;
                session.take_failure();
                self.session = Some(session);
                return Err(Ended::Alone(error));
            }
            Ok(()) => {}
        }
        let late = || StoreError::OutcomeUnknown(format!("the commit was not answered within {PATIENCE:?}"));
        let committed = tokio::time::timeout(PATIENCE, session.commit()).await;
        // After an error the session is left: nobody knows what it is in the middle of.
        committed.unwrap_or_else(|_| Err(late())).map_err(Ended::Lost)?;
        self.session = Some(session);
        Ok(())
    }

    /// Does everything but the commit. An error loses the transaction.
    async fn transaction(&self, session: &Session, batch: &mut Batch) -> Result<(), StoreError> {
        let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})");
        // In this order on the wire: the time is read under the lock.
        let ((), found) = try_join(session.run(&begin), session.query(NOW, &[])).await?;
        let now = match self.now {
            Some(now) => now(),
            None => Timestamp(found.first().map_or(Ok(0), |row| row.int(0))?),
        };
        let mut rest = batch.as_mut_slice();
        while !rest.is_empty() {
            let (run, later) = rest.split_at_mut(independent(rest));
            join_all(run.iter_mut().map(|work| work.run(session, now))).await;
            if let Some(error) = session.take_failure() {
                return Err(error);
            }
            rest = later;
        }
        let changes = batch.iter().filter_map(|work| work.change());
        listener::notify(session, &self.instance, changes).await
    }
}

/// Why a batch was not written.
enum Ended {
    /// A statement failed; each write is to be made alone, to find out whose.
    Alone(StoreError),
    /// The connection, the commit or the whole database failed.
    Lost(StoreError),
}

impl Ended {
    fn error(&self) -> &StoreError {
        match self {
            Self::Alone(error) | Self::Lost(error) => error,
        }
    }
}

/// Returns how many writes from the beginning do not see each other, at least one.
fn independent(batch: &[Box<dyn Work>]) -> usize {
    let mut scopes = BTreeSet::new();
    let others = batch.iter().map(|work| work.scope()).take_while(|scope| scope.is_some_and(|scope| scopes.insert(scope)));
    others.count().max(1)
}
