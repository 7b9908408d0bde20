//! What the service says of itself in Prometheus' text format. A service in earnest uses a library for it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;

/// Upper bounds of the buckets, in seconds: those that Prometheus' own libraries begin with.
const BOUNDS_SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What was answered so far.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    codes: BTreeMap<u16, u64>,
    /// One for each bound, each without those before it; what is above the last is only in `codes`.
    buckets: [u64; BOUNDS_SECONDS.len()],
    sum_seconds: f64,
}

impl Metrics {
    /// Counts one answer.
    pub(crate) fn record(&self, status: StatusCode, took: Duration) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        *inner.codes.entry(status.as_u16()).or_default() += 1;
        let seconds = took.as_secs_f64();
        inner.sum_seconds += seconds;
        if let Some(bucket) = BOUNDS_SECONDS.iter().position(|bound| seconds <= *bound) {
            inner.buckets[bucket] += 1;
        }
    }

    /// Returns everything in the text format.
    pub(crate) fn text(&self) -> String {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::from("# HELP http_requests_total Answers by status.\n# TYPE http_requests_total counter\n");
        let mut say = |line: std::fmt::Arguments<'_>| {
            // Writing into a text cannot fail.
            let _ = text.write_fmt(line);
        };
        for (code, count) in &inner.codes {
            say(format_args!("http_requests_total{{code=\"{code}\"}} {count}\n"));
        }
        say(format_args!("# HELP http_request_duration_seconds How long answers took.\n"));
        say(format_args!("# TYPE http_request_duration_seconds histogram\n"));
        let mut below = 0;
        for (bound, count) in BOUNDS_SECONDS.iter().zip(&inner.buckets) {
            below += count;
            say(format_args!("http_request_duration_seconds_bucket{{le=\"{bound}\"}} {below}\n"));
        }
        let all: u64 = inner.codes.values().sum();
        say(format_args!("http_request_duration_seconds_bucket{{le=\"+Inf\"}} {all}\n"));
        say(format_args!("http_request_duration_seconds_sum {}\n", inner.sum_seconds));
        say(format_args!("http_request_duration_seconds_count {all}\n"));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let metrics = Metrics::default();
        for ms in [5, 6, 300, 60_000] {
            metrics.record(StatusCode::OK, Duration::from_millis(ms));
        }
        metrics.record(StatusCode::INTERNAL_SERVER_ERROR, Duration::ZERO);
        let text = metrics.text();
        for line in [
            "http_requests_total{code=\"200\"} 4",
            "http_requests_total{code=\"500\"} 1",
            "http_request_duration_seconds_bucket{le=\"0.005\"} 2",
            "http_request_duration_seconds_bucket{le=\"0.01\"} 3",
            "http_request_duration_seconds_bucket{le=\"10\"} 4",
            "http_request_duration_seconds_bucket{le=\"+Inf\"} 5",
            "http_request_duration_seconds_count 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }
}
