//! What the router counts per release and side: monotone numbers, so that a window is the difference of two readings.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;

use crate::clock;
use crate::protocol::{Latency, LatencyBucket, Side, SideCounters, StatusClasses};

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

/// The counters of one release, apart for each side that it has been on: a request counts for the side that it was sent to, and goes on
/// doing so when the release moves to the other one.
#[derive(Debug)]
pub(crate) struct ReleaseCounters {
    since_ms: u64,
    stable: OnceLock<Arc<Counters>>,
    candidate: OnceLock<Arc<Counters>>,
}

impl ReleaseCounters {
    pub(crate) fn new() -> Self {
        Self { since_ms: clock::unix_ms(), stable: OnceLock::new(), candidate: OnceLock::new() }
    }

    /// Returns the counters of a side; they begin at zero with the first call.
    pub(crate) fn on(&self, side: Side) -> Arc<Counters> {
        self.place(side).get_or_init(|| Arc::new(Counters::new(self.since_ms))).clone()
    }

    /// Returns the numbers so far of each side that the release has been on.
    pub(crate) fn sides(&self, release: &str) -> Vec<(Side, SideCounters)> {
        let sides = [Side::Stable, Side::Candidate].into_iter();
        sides.filter_map(|side| self.place(side).get().map(|counters| (side, counters.snapshot(release)))).collect()
    }

    /// Returns the numbers so far of both sides together.
    pub(crate) fn snapshot(&self, release: &str) -> SideCounters {
        let mut both = self.sides(release).into_iter().map(|(_, counters)| counters);
        let first = both.next().unwrap_or_else(|| Counters::new(self.since_ms).snapshot(release));
        both.fold(first, sum)
    }

    fn place(&self, side: Side) -> &OnceLock<Arc<Counters>> {
        match side {
            Side::Stable => &self.stable,
            Side::Candidate => &self.candidate,
        }
    }
}

fn sum(a: SideCounters, b: SideCounters) -> SideCounters {
    let classes = StatusClasses {
        informational: a.classes.informational + b.classes.informational,
        success: a.classes.success + b.classes.success,
        redirection: a.classes.redirection + b.classes.redirection,
        client_error: a.classes.client_error + b.classes.client_error,
        server_error: a.classes.server_error + b.classes.server_error,
    };
    let buckets = a.latency.buckets.iter().zip(&b.latency.buckets);
    let latency = Latency {
        // Both have the same bounds.
        buckets: buckets.map(|(a, b)| LatencyBucket { le_ms: a.le_ms, count: a.count + b.count }).collect(),
        count: a.latency.count + b.latency.count,
        sum_ms: a.latency.sum_ms + b.latency.sum_ms,
    };
    SideCounters {
        release: a.release,
        since_unix_ms: a.since_unix_ms,
        requests: a.requests + b.requests,
        errors: a.errors + b.errors,
        abandoned: a.abandoned + b.abandoned,
        classes,
        spilled: a.spilled + b.spilled,
        mirrored: a.mirrored + b.mirrored,
        latency,
    }
}

/// The counters of one release on one side. Only ever added to; shared by every table that routes to the release there.
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
    pub(crate) fn new(since_ms: u64) -> Self {
        Self {
            since_ms,
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
        let counters = Counters::new(0);
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

    #[test]
    fn a_release_counts_apart_for_each_side_and_together() {
        let release = ReleaseCounters::new();
        assert_eq!(release.snapshot("v1").requests, 0);
        assert_eq!(release.sides("v1"), []);
        release.on(Side::Candidate).record(Outcome::Failed, Duration::from_millis(7));
        release.on(Side::Stable).record(Outcome::Answered(StatusCode::OK), Duration::from_millis(2));
        release.on(Side::Stable).record(Outcome::Answered(StatusCode::OK), Duration::from_millis(9));
        let apart: Vec<_> = release.sides("v1").iter().map(|(side, c)| (*side, c.requests, c.errors)).collect();
        assert_eq!(apart, [(Side::Stable, 2, 0), (Side::Candidate, 1, 1)]);
        let both = release.snapshot("v1");
        assert_eq!((both.requests, both.errors, both.classes.success, both.latency.count), (3, 1, 2, 3));
        assert_eq!((both.latency.sum_ms, both.latency.buckets[4].count), (18.0, 2));
    }
}
