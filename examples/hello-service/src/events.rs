//! Events without an end, as a page gets them that stays open: it is the caller who ends, or whoever runs the service.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Interval, interval};

/// The time between two events.
const PACE: Duration = Duration::from_millis(50);

/// A stream of numbered events.
pub(crate) struct Events {
    next: u64,
    pace: Interval,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { next: 0, pace: interval(PACE) }
    }
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        ready!(self.pace.poll_tick(context));
        let event = format!("data: {}\n\n", self.next);
        self.next += 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(event)))))
    }
}
