//! Waiting for something that should come back, without filling the log meanwhile.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits;

/// Something that is tried again and again: said when it begins, once a minute while it lasts, and when it is over.
pub(crate) struct Hold {
    what: String,
    since: Option<(Instant, Instant)>,
}

impl Hold {
    /// Returns a hold that has not begun; `what` is told, as "deployment 1: writing the journal".
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), since: None }
    }

    /// Tells of a failure, if it is time, and returns until when to wait.
    pub(crate) fn failed(&mut self, error: &dyn std::fmt::Display) -> Instant {
        let now = Instant::now();
        let (began, said) = self.since.unwrap_or((now, now));
        let first = self.since.is_none();
        if first || now.duration_since(said) >= limits::HOLD_SAID_EVERY {
            tracing::error!(%error, for_seconds = now.duration_since(began).as_secs(), "on hold: {}", self.what);
            self.since = Some((began, now));
        }
        now + limits::HOLD
    }

    /// Tells that it is over, if it had begun.
    pub(crate) fn over(&mut self) {
        if let Some((began, _)) = self.since.take() {
            let lasted: Duration = began.elapsed();
            tracing::info!(for_seconds = lasted.as_secs(), "no longer on hold: {}", self.what);
        }
    }
}
