//! Being told that something was written, so that nobody has to ask again and again.
//!
//! A word of this kind is a hint and no record: it may come twice, and it may be lost together with the connection that brought it.
//! Whoever waits for one therefore reads the journal whenever one comes, and now and then without.

use model::DeploymentId;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::Shard;

/// Words that may wait for a slow listener: as many as a large commit has. One who is further behind is told to look at everything.
const WAITING_MAX: usize = 1_024;

/// What a store tells those who listen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Something was appended to a deployment, by whichever replica.
    Appended {
        /// The deployment's shard.
        shard: Shard,
        /// Which deployment.
        deployment: DeploymentId,
    },
    /// A document of the catalog was written, by whichever replica.
    Put {
        /// Its kind.
        kind: String,
        /// Its key.
        key: String,
    },
    /// Words may have been lost: anything may have changed.
    LookAgain,
}

/// Where a store's changes come out. Only what happens after it was asked for comes.
#[derive(Debug)]
pub struct Changes(Option<broadcast::Receiver<Change>>);

impl Changes {
    /// Returns changes that never come: of a store that cannot tell.
    pub fn silent() -> Self {
        Self(None)
    }

    /// Waits for the next change; `None` when the store was closed.
    pub async fn next(&mut self) -> Option<Change> {
        let Some(changes) = &mut self.0 else { return std::future::pending().await };
        match changes.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Lagged(_)) => Some(Change::LookAgain),
            Err(RecvError::Closed) => None,
        }
    }
}

/// Where a store says what changed. Clones speak to the same listeners.
#[derive(Clone, Debug)]
pub struct Announcer(broadcast::Sender<Change>);

impl Default for Announcer {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING_MAX))
    }
}

impl Announcer {
    /// Tells everybody who listens.
    pub fn announce(&self, change: Change) {
        // That nobody listens is no error.
        let _ = self.0.send(change);
    }

    /// Returns the changes from here on.
    pub fn changes(&self) -> Changes {
        Changes(Some(self.0.subscribe()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appended(shard: u16) -> Change {
        let deployment = DeploymentId::new("d-1").unwrap();
        Change::Appended { shard: Shard(shard), deployment }
    }

    #[tokio::test]
    async fn who_is_too_far_behind_is_told_to_look_again() {
        let announcer = Announcer::default();
        let mut changes = announcer.changes();
        for shard in 0..=u16::try_from(WAITING_MAX).unwrap() {
            announcer.announce(appended(shard));
        }
        assert_eq!(changes.next().await, Some(Change::LookAgain));
        assert_eq!(changes.next().await, Some(appended(1)), "the oldest that was kept");
    }

    #[tokio::test]
    async fn changes_end_with_the_store() {
        let announcer = Announcer::default();
        let mut changes = announcer.changes();
        drop(announcer);
        assert_eq!(changes.next().await, None);
    }
}
