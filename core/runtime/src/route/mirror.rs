//! Copies of requests to the candidate. Nobody waits for them, and nothing that happens to them is seen by the caller.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Version};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::clock;
use crate::counters::Outcome;
use crate::limits::{DISCARDED_BODY_BYTES_MAX, MIRROR_BODY_BYTES_MAX, MIRROR_TIMEOUT};
use crate::route::body::{Outgoing, Source};
use crate::route::forward::address_to;
use crate::route::headers::X_TOWPATH_MIRROR;
use crate::route::table::{PublicRoute, SideRoute};

/// A copy that waits for its body.
pub(crate) struct Copy {
    parts: Parts,
    body: Option<oneshot::Receiver<Bytes>>,
    to: Arc<SideRoute>,
    // One of the few that may be on their way at once.
    _permit: OwnedSemaphorePermit,
}

/// Prepares a copy, or returns `None` when the body is too large or of unknown length, or when enough copies are on their way.
pub(crate) fn prepare(
    route: &PublicRoute,
    to: Arc<SideRoute>,
    parts: &Parts,
    source: Option<&Source>,
    length: Option<u64>,
) -> Option<Copy> {
    let length = usize::try_from(length?).ok().filter(|length| *length <= MIRROR_BODY_BYTES_MAX)?;
    let permit = route.mirrors.clone().try_acquire_owned().ok()?;
    let body = source.map(|source| source.copy(length));
    let mut parts = parts.clone();
    parts.headers.insert(X_TOWPATH_MIRROR, HeaderValue::from_static("1"));
    Some(Copy { parts, body, to, _permit: permit })
}

impl Copy {
    /// Sends the copy in a task of its own.
    pub(crate) fn send(self) {
        tokio::spawn(async move {
            // The time-out covers the wait for the body as well: a caller may never finish sending it.
            let _ = tokio::time::timeout(MIRROR_TIMEOUT, self.send_now()).await;
        });
    }

    async fn send_now(mut self) {
        let body = match self.body.take() {
            Some(body) => match body.await {
                Ok(bytes) => Outgoing::Whole(Full::new(bytes)),
                // The caller's request ended before its body did.
                Err(_) => return,
            },
            None => Outgoing::Empty,
        };
        let Some(lease) = self.to.lease(None) else { return };
        self.parts.version = Version::HTTP_11;
        if address_to(&mut self.parts, lease.upstream()).is_none() {
            return;
        }
        let pending = Pending { route: self.to.clone(), started: clock::now(), outcome: Outcome::Failed };
        match lease.upstream().client().request(Request::from_parts(self.parts, body)).await {
            Ok(answer) => {
                pending.ended(Outcome::Answered(answer.status()));
                discard(answer.into_body()).await;
            }
            Err(_) => pending.ended(Outcome::Failed),
        }
        drop(lease);
    }
}

/// Counts a copy however it ends; one that is cut off by the time-out failed.
struct Pending {
    route: Arc<SideRoute>,
    started: std::time::Instant,
    outcome: Outcome,
}

impl Pending {
    fn ended(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.route.counters.record_mirrored();
        self.route.counters.record(self.outcome, self.started.elapsed());
    }
}

/// Reads a short answer to its end, so that the connection can be used again. A long one is cut off with its connection.
async fn discard(mut body: Incoming) {
    let mut read = 0;
    while read <= DISCARDED_BODY_BYTES_MAX && !body.is_end_stream() {
        match body.frame().await {
            Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => return,
        }
    }
}
