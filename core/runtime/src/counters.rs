//! What the router counts per release: monotone numbers, so that a window is the difference of two readings.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::StatusCode;

use crate::clock;
use crate::protocol::{Latency, LatencyBucket, SideCounters, StatusClasses};

/// Upper bounds of the latency buckets in milliseconds: fine where interactive services live, coarse above. The last bucket has none.
pub(crate) const BUCKET_BOUNDS_MS: [u64; 23] =
    [1, 2, 3, 5, 8, 13, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000, 30_000];

/// How a request ended, as seen from the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The instance answered.
    Answered(StatusCode),
    /// It did not: connect failure, time-out, connection lost. The caller got a 502 or 504.
    Failed,
    /// The caller went away before the answer began.
    Abandoned,
}

/// The counters of one release. Only ever added to; shared by every table that routes to the release.
#[derive(Debug)]
pub(crate) struct Counters {
    since_ms: u64,
    requests: AtomicU64,
    errors: AtomicU64,
    abandoned: AtomicU64,
    classes: [AtomicU64; 5],
    spilled: AtomicU64,
    mirrored: AtomicU64,
    latency_sum_us: AtomicU64,
    buckets: [AtomicU64; BUCKET_BOUNDS_MS.len() + 1],
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            since_ms: clock::unix_ms(),
            requests: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            classes: Default::default(),
            spilled: AtomicU64::new(0),
            mirrored: AtomicU64::new(0),
            latency_sum_us: AtomicU64::new(0),
            buckets: Default::default(),
        }
    }

    /// Counts one request and how long its caller waited for the head of the answer.
    pub(crate) fn record(&self, outcome: Outcome, latency: Duration) {
        self.requests.fetch_add(1, Relaxed);
        match outcome {
            Outcome::Answered(status) => {
                let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
                self.classes[class].fetch_add(1, Relaxed);
                if status.is_server_error() {
                    self.errors.fetch_add(1, Relaxed);
                }
            }
            Outcome::Failed => {
                self.errors.fetch_add(1, Relaxed);
            }
            Outcome::Abandoned => {
                self.abandoned.fetch_add(1, Relaxed);
            }
        }
        self.latency_sum_us.fetch_add(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX), Relaxed);
        self.buckets[bucket_of(latency)].fetch_add(1, Relaxed);
    }

    /// Counts an answer that began well and broke off.
    pub(crate) fn record_broken_answer(&self) {
        self.errors.fetch_add(1, Relaxed);
    }

    /// Counts a request that was meant for this release and that another one served.
    pub(crate) fn record_spill(&self) {
        self.spilled.fetch_add(1, Relaxed);
    }

    /// Counts a copied request, in addition to [`Counters::record`].
    pub(crate) fn record_mirrored(&self) {
        self.mirrored.fetch_add(1, Relaxed);
    }

    /// Returns the numbers so far. They are read one by one: two of them may differ by the requests that ended in between.
    pub(crate) fn snapshot(&self, release: &str) -> SideCounters {
        let mut count = 0;
        let mut cumulated = self.buckets.iter().map(|bucket| {
            count += bucket.load(Relaxed);
            count
        });
        let buckets = BUCKET_BOUNDS_MS.iter().zip(&mut cumulated).map(|(le_ms, count)| LatencyBucket { le_ms: *le_ms, count });
        let buckets = buckets.collect();
        let all = cumulated.next().unwrap_or(0);
        let class = |index: usize| self.classes[index].load(Relaxed);
        SideCounters {
            release: release.to_owned(),
            since_unix_ms: self.since_ms,
            requests: self.requests.load(Relaxed),
            errors: self.errors.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            classes: StatusClasses {
                informational: class(0),
                success: class(1),
                redirection: class(2),
                client_error: class(3),
                server_error: class(4),
            },
            spilled: self.spilled.load(Relaxed),
            mirrored: self.mirrored.load(Relaxed),
            latency: Latency { buckets, count: all, sum_ms: self.latency_sum_us.load(Relaxed) as f64 / 1000.0 },
        }
    }
}

fn bucket_of(latency: Duration) -> usize {
    // Compared in microseconds: 1.4 ms does not fit into "at most 1 ms".
    let micros = latency.as_micros();
    BUCKET_BOUNDS_MS.partition_point(|bound| u128::from(*bound) * 1000 < micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_falls_into_the_first_bucket_that_holds_it() {
        let check = |micros: u64, expect: usize| assert_eq!(bucket_of(Duration::from_micros(micros)), expect, "{micros} us");
        check(0, 0);
        check(1000, 0);
        check(1001, 1);
        check(30_000_000, BUCKET_BOUNDS_MS.len() - 1);
        check(30_000_001, BUCKET_BOUNDS_MS.len());
    }

    #[test]
    fn buckets_are_cumulative_and_errors_are_server_errors_and_failures() {
        let counters = Counters::new();
        counters.record(Outcome::Answered(StatusCode::OK), Duration::from_micros(900));
        counters.record(Outcome::Answered(StatusCode::NOT_FOUND), Duration::from_millis(4));
        counters.record(Outcome::Answered(StatusCode::BAD_GATEWAY), Duration::from_millis(4));
        counters.record(Outcome::Failed, Duration::from_secs(60));
        let seen = counters.snapshot("v1");
        assert_eq!((seen.requests, seen.errors), (4, 2));
        assert_eq!((seen.classes.success, seen.classes.client_error, seen.classes.server_error), (1, 1, 1));
        let at = |le_ms: u64| seen.latency.buckets.iter().find(|b| b.le_ms == le_ms).unwrap().count;
        assert_eq!((at(1), at(3), at(5), at(30_000), seen.latency.count), (1, 1, 3, 3, 4));
    }
}
