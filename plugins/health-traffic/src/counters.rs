//! The router's counters, as far as they are judged: cumulative numbers whose differences are a window.

use serde::{Deserialize, Serialize};

/// The part of the runtime's status that is read.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) counters: Sides,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sides {
    pub(crate) stable: Option<Counters>,
    pub(crate) candidate: Option<Counters>,
}

/// What was counted for one release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counters {
    pub(crate) release: String,
    /// When they were at zero.
    pub(crate) since_unix_ms: i64,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) latency: Latency,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    /// Growing upper bounds, with how many requests took at most so long.
    pub(crate) buckets: Vec<Bucket>,
    pub(crate) count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bucket {
    pub(crate) le_ms: u64,
    pub(crate) count: u64,
}

/// What was counted in a window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counted {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) latency: Latency,
}

impl Counters {
    /// Returns what was counted since a reading. Without one, or when the counters began anew after it, all of it.
    pub(crate) fn since(&self, before: Option<&Self>) -> Counted {
        let before = before.filter(|before| before.since_unix_ms == self.since_unix_ms);
        let minus = |now: u64, then: fn(&Self) -> u64| now.saturating_sub(before.map_or(0, then));
        let bucket = |bucket: &Bucket| {
            let then = before.and_then(|before| before.latency.buckets.iter().find(|then| then.le_ms == bucket.le_ms));
            Bucket { le_ms: bucket.le_ms, count: bucket.count.saturating_sub(then.map_or(0, |then| then.count)) }
        };
        Counted {
            requests: minus(self.requests, |before| before.requests),
            errors: minus(self.errors, |before| before.errors),
            latency: Latency {
                buckets: self.latency.buckets.iter().map(bucket).collect(),
                count: minus(self.latency.count, |before| before.latency.count),
            },
        }
    }
}

impl Counted {
    /// Returns the share of requests that failed; `None` without requests.
    pub(crate) fn error_rate(&self) -> Option<f64> {
        (self.requests > 0).then(|| ratio(self.errors, self.requests))
    }
}

impl Latency {
    /// Returns the latency below which this share of the requests was, in milliseconds: linear within a bucket; `None` without any.
    ///
    /// What is above the last bound counts as the last bound: more is not known.
    pub(crate) fn at(&self, share: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let rank = share * float(self.count);
        let (mut below, mut from) = (0, 0);
        for bucket in &self.buckets {
            if float(bucket.count) >= rank {
                let inside = ratio(bucket.count - below, 1);
                let part = if inside > 0.0 { (rank - float(below)) / inside } else { 1.0 };
                return Some(float(from) + part * float(bucket.le_ms - from));
            }
            (below, from) = (bucket.count, bucket.le_ms);
        }
        Some(float(from))
    }
}

/// Divides two counts.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    float(part) / float(whole)
}

/// Turns a count into a number; counts of requests are far below what that loses.
pub(crate) fn float(count: u64) -> f64 {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    f64::from(count)
}
