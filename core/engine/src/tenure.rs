//! One grant of a shard's lease, and everybody who works under it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use journal::{Lease, Shard};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::tasks::TaskSet;

/// The right to write a shard, from its grant until it ends. What was begun under one tenure is never finished under another: every
/// grant has an epoch of its own, and the recovery under a later one would not have seen what is written late under this one.
pub(crate) struct Tenure {
    /// As it was granted; the keeper knows the latest expiry.
    pub(crate) lease: Lease,
    /// The workers. All of them end with the tenure, before the shard may be got again.
    pub(crate) crew: TaskSet,
    /// The instant up to which the lease is trusted; `None` when the tenure is over.
    trusted_until: watch::Sender<Option<Instant>>,
    /// Whether everything in the shard is taken care of.
    serving: watch::Sender<bool>,
    /// Whether it ends because another replica shall have the shard.
    given_back: AtomicBool,
    keeper: Arc<Notify>,
}

impl Tenure {
    /// Returns a tenure that begins; its end wakes `keeper`.
    pub(crate) fn new(lease: Lease, trusted_until: Instant, keeper: Arc<Notify>) -> Self {
        Self {
            lease,
            crew: TaskSet::default(),
            trusted_until: watch::Sender::new(Some(trusted_until)),
            serving: watch::Sender::new(false),
            given_back: AtomicBool::new(false),
            keeper,
        }
    }

    pub(crate) fn shard(&self) -> Shard {
        self.lease.shard
    }

    /// Returns whether the store may be asked to write under it.
    pub(crate) fn may_write(&self) -> bool {
        self.trusted_until().is_some_and(|until| Instant::now() < until)
    }

    pub(crate) fn trusted_until(&self) -> Option<Instant> {
        *self.trusted_until.borrow()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.trusted_until().is_none()
    }

    /// Trusts the renewed lease, unless somebody ended the tenure meanwhile: whoever has done so has let its work go.
    pub(crate) fn extend(&self, until: Instant) {
        self.trusted_until.send_if_modified(|current| current.as_mut().map(|current| *current = until).is_some());
    }

    /// Ends it. Its keeper sees to the rest.
    pub(crate) fn end(&self) {
        if self.trusted_until.send_if_modified(|until| until.take().is_some()) {
            self.keeper.notify_one();
        }
    }

    /// Ends it in favour of another replica.
    pub(crate) fn give_back(&self) {
        self.given_back.store(true, Ordering::Relaxed);
        self.end();
    }

    /// Returns whether it is over against its will.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_over() && !self.given_back.load(Ordering::Relaxed)
    }

    /// Waits until it is over.
    pub(crate) async fn over(&self) {
        let mut until = self.trusted_until.subscribe();
        // The sender is ours, so it is there.
        let _ = until.wait_for(Option::is_none).await;
    }

    /// Says that everything in the shard is taken care of.
    pub(crate) fn serve(&self) {
        self.serving.send_replace(true);
    }

    /// Returns whether everything in the shard is taken care of, and the tenure is not over.
    pub(crate) fn serves(&self) -> bool {
        *self.serving.borrow() && !self.is_over()
    }
}
