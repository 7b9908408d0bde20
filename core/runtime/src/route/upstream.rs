//! One instance as the router sees it: an address, kept connections, and how many requests are on their way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use http::uri::Authority;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Notify;

use crate::limits::{CONNECT_TIMEOUT, POOL_IDLE_MAX, POOL_IDLE_TIMEOUT};
use crate::route::body::Outgoing;

/// One running process of a release. A restarted process is another upstream.
#[derive(Debug)]
pub(crate) struct Upstream {
    address: SocketAddr,
    authority: Option<Authority>,
    /// Its own pool, so that the connections go when the instance goes.
    client: Client<HttpConnector, Outgoing>,
    in_flight: AtomicUsize,
    draining: AtomicBool,
    emptied: Notify,
}

/// The right to have one request on its way to an instance. While it exists the instance is not stopped (within the drain time).
#[derive(Debug)]
pub(crate) struct Lease {
    upstream: Arc<Upstream>,
}

impl Upstream {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(POOL_IDLE_MAX)
            // The caller's own host goes through.
            .set_host(false)
            .build(connector);
        Self {
            address,
            authority: address.to_string().parse().ok(),
            client,
            in_flight: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            emptied: Notify::new(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn authority(&self) -> Option<Authority> {
        self.authority.clone()
    }

    pub(crate) fn client(&self) -> &Client<HttpConnector, Outgoing> {
        &self.client
    }

    /// Returns how many requests are on their way.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(SeqCst)
    }

    /// Returns the right to send one request, or `None` when the instance is on its way out.
    ///
    /// Counting comes before looking, and [`Upstream::drained`] looks after marking: in one total order, either the drain sees the count
    /// or the request sees the mark. So a request that read an old table cannot reach an instance that is being stopped.
    pub(crate) fn lease(self: &Arc<Self>) -> Option<Lease> {
        self.in_flight.fetch_add(1, SeqCst);
        let lease = Lease { upstream: self.clone() };
        (!self.draining.load(SeqCst)).then_some(lease)
    }

    /// Lets nobody in any more and waits until everybody is out.
    pub(crate) async fn drained(&self) {
        self.draining.store(true, SeqCst);
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            // Registered before the look, so that the last one to leave cannot slip between the two.
            emptied.as_mut().enable();
            if self.in_flight.load(SeqCst) == 0 {
                return;
            }
            emptied.await;
        }
    }
}

impl Lease {
    pub(crate) fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.upstream.in_flight.fetch_sub(1, SeqCst) == 1 {
            self.upstream.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_drain_waits_for_leases_and_refuses_new_ones() {
        let upstream = Arc::new(Upstream::new(SocketAddr::from(([127, 0, 0, 1], 1))));
        let lease = upstream.lease().unwrap();
        let drain = tokio::spawn({
            let upstream = upstream.clone();
            async move { upstream.drained().await }
        });
        while upstream.lease().is_some() {
            tokio::task::yield_now().await;
        }
        assert!(!drain.is_finished());
        drop(lease);
        tokio::time::timeout(Duration::from_secs(5), drain).await.unwrap().unwrap();
        assert_eq!(upstream.in_flight(), 0);
    }
}
