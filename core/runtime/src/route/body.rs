//! Bodies on their way: streamed in both directions, never collected (except for a bounded copy that is mirrored).

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::sync::oneshot;

use crate::counters::Counters;
use crate::route::upstream::Lease;

/// The body of a request to an instance.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// There is none.
    Empty,
    /// It is all here: a mirrored copy.
    Whole(Full<Bytes>),
    /// It comes from the caller while it is sent.
    Streamed(Source),
}

/// A caller's body that can be taken back as long as nothing was read from it, so that the request can go to another instance.
///
/// Only one side holds it at a time; the lock is never contended.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    body: Option<Incoming>,
    touched: bool,
    copy: Option<Copying>,
}

/// A copy that is made in passing.
#[derive(Debug)]
struct Copying {
    collected: BytesMut,
    length: usize,
    done: oneshot::Sender<Bytes>,
}

impl Source {
    pub(crate) fn new(body: Incoming) -> Self {
        Self { shared: Arc::new(Mutex::new(Shared { body: Some(body), touched: false, copy: None })) }
    }

    /// Has the body copied in passing. The receiver gets it when all `length` bytes went by, and an error when they never did.
    pub(crate) fn copy(&self, length: usize) -> oneshot::Receiver<Bytes> {
        let (done, receiver) = oneshot::channel();
        self.with(|shared| shared.copy = Some(Copying { collected: BytesMut::with_capacity(length), length, done }));
        receiver
    }

    /// Returns the same body for another attempt, or `None` when a part of it is gone.
    pub(crate) fn again(&self) -> Option<Self> {
        let (body, copy) = self.with(|shared| match shared.touched {
            true => (None, None),
            false => (shared.body.take(), shared.copy.take()),
        });
        let body = body?;
        Some(Self { shared: Arc::new(Mutex::new(Shared { body: Some(body), touched: false, copy })) })
    }

    fn with<T>(&self, action: impl FnOnce(&mut Shared) -> T) -> T {
        action(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        self.touched = true;
        let polled = Pin::new(body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.copy = self.copy.take().and_then(|copy| copy.pass(data));
        }
        polled
    }
}

impl Copying {
    /// Notes what went by; returns itself while there is more to come.
    fn pass(mut self, data: &Bytes) -> Option<Self> {
        if self.collected.len() + data.len() > self.length {
            return None;
        }
        self.collected.extend_from_slice(data);
        if self.collected.len() < self.length {
            return Some(self);
        }
        // Nobody waiting any more is fine.
        let _ = self.done.send(self.collected.freeze());
        None
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Streamed(source) => source.with(|shared| shared.poll(cx)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(body) => body.is_end_stream(),
            Self::Streamed(source) => source.with(|shared| shared.body.as_ref().is_none_or(Incoming::is_end_stream)),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(body) => body.size_hint(),
            Self::Streamed(source) => {
                source.with(|shared| shared.body.as_ref().map_or_else(SizeHint::default, Incoming::size_hint))
            }
        }
    }
}

/// The body of an answer to a caller.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A sentence of our own.
    Text(Full<Bytes>),
    /// What the instance sends, while it sends it.
    Passing {
        /// The instance's answer.
        body: Incoming,
        /// Where a broken answer is counted.
        counters: Arc<Counters>,
        /// Keeps the instance from being stopped; given back at the end of the body.
        lease: Option<Lease>,
    },
}

impl Answer {
    pub(crate) fn text(text: &'static str) -> Self {
        Self::Text(Full::new(Bytes::from_static(text.as_bytes())))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Text(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Passing { body, counters, lease } => {
                let polled = Pin::new(body).poll_frame(cx);
                match &polled {
                    Poll::Ready(None) => *lease = None,
                    Poll::Ready(Some(Err(_))) => {
                        counters.record_broken_answer();
                        *lease = None;
                    }
                    Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text(body) => body.is_end_stream(),
            Self::Passing { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text(body) => body.size_hint(),
            Self::Passing { body, .. } => body.size_hint(),
        }
    }
}
