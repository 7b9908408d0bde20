//! Being told by the database what other replicas appended.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use journal::{Announcer, Change, Shard, StoreError};
use model::DeploymentId;

use super::session::{Session, Target};
use crate::executor::Executor;

/// The channel of all replicas.
const CHANNEL: &str = "towpath_journal";

/// Bytes that PostgreSQL passes on at most, less one.
const PAYLOAD_MAX: usize = 8_000;

/// The pause before a lost connection is made again, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Tells all replicas, when the open transaction commits, what was appended in it.
pub(super) async fn notify<'a>(
    session: &Session,
    instance: &str,
    changes: impl Iterator<Item = &'a Change>,
) -> Result<(), StoreError> {
    let said = changes.filter_map(|change| match change {
        Change::Appended { shard, deployment } => Some(format!("{instance} appended {} {deployment}", shard.0)),
        Change::Put { kind, key } => Some(format!("{instance} put {kind} {key}")),
        Change::LookAgain => None,
    });
    // What the database would refuse to pass on is not worth a commit.
    let said = said.map(|said| if said.len() < PAYLOAD_MAX { said } else { format!("{instance} much - -") });
    try_join_all(
        said.map(|said| async move { session.query("SELECT pg_notify($1, $2)::text", &[CHANNEL.into(), said.into()]).await }),
    )
    .await
    .map(|_| ())
}

/// Passes on what other replicas append, for ever. After a time without a connection everybody is told to look again.
pub(super) async fn listen(target: Arc<Target>, instance: String, announcer: Announcer) {
    let mut pause = PAUSE_MIN;
    loop {
        match target.connect_and_listen().await {
            Ok((session, mut notifications)) => match session.run(&format!("LISTEN {CHANNEL}")).await {
                Ok(()) => {
                    pause = PAUSE_MIN;
                    announcer.announce(Change::LookAgain);
                    while let Some(notification) = notifications.recv().await {
                        if let Some(change) = read(notification.payload(), &instance) {
                            announcer.announce(change);
                        }
                    }
                    tracing::warn!("the connection on which the database tells of changes was lost");
                }
                Err(error) => tracing::warn!(%error, "the database cannot tell of changes"),
            },
            Err(error) => tracing::debug!(%error, "the database cannot be listened to; trying again"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Reads a notification. Our own were announced when they were written.
fn read(said: &str, instance: &str) -> Option<Change> {
    let (by, said) = said.split_once(' ')?;
    let (what, said) = said.split_once(' ')?;
    let (first, second) = said.split_once(' ')?;
    let change = match what {
        "appended" => Change::Appended { shard: Shard(first.parse().ok()?), deployment: DeploymentId::new(second).ok()? },
        "put" => Change::Put { kind: first.to_owned(), key: second.to_owned() },
        // Of a newer program.
        _ => Change::LookAgain,
    };
    (by != instance).then_some(change)
}
