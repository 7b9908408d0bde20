//! What the local runtime's router counts, as a metric like any other: so that services without any instrumentation are covered.
//!
//! The metric is [`METRIC`], a histogram in seconds of how long callers waited for the head of the answer. The router knows how long all
//! requests of a release took, and how many ended in which way, but not how long those of one way took. So there is a series of all
//! requests, with buckets, which answers questions without attributes; and one per way of ending, with a number alone, which answers
//! those with attributes:
//!
//! | how the request ended | `http.response.status_class` | `error.type` |
//! |---|---|---|
//! | an answer of 1xx to 4xx | `1xx` … `4xx` | – |
//! | an answer of 5xx | `5xx` | `5xx` |
//! | no answer in time, no connection, or an answer that broke off | – | `no_answer` |
//! | the caller went away first | – | – |

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Scope;

use crate::buckets::Buckets;
use crate::limits::{WINDOW_MS, WINDOWS_KEPT};
use crate::point::{Identity, Kind, Point, Share, Span, Writer};
use crate::sums::Sums;

/// The metric.
pub const METRIC: &str = "towpath.router.request.duration";

/// Its unit.
pub const UNIT: &str = "s";

/// What the router counted for one release until now: numbers that only grow until `since_ms` changes. They may have been read one by one,
/// so that two of them differ by the requests that ended in between.
#[derive(Clone, Debug, PartialEq)]
pub struct RouterCounters {
    /// The release, as the runtime names it.
    pub release: String,
    /// When all were at zero, in Unix milliseconds.
    pub since_ms: u64,
    /// Requests that were answered, by class of status: 1xx to 5xx.
    pub classes: [u64; 5],
    /// Requests that failed: those of 5xx, and those without a whole answer.
    pub errors: u64,
    /// Requests whose caller went away before the answer began.
    pub abandoned: u64,
    /// How long all requests took, in milliseconds: growing upper bounds, and how many took at most so long.
    pub latency_ms: Vec<(u64, u64)>,
    /// How many requests there were in all.
    pub latency_count: u64,
    /// The sum of what they took, in milliseconds.
    pub latency_sum_ms: f64,
}

/// The classes of status, in the order of the counters.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The class that is an error.
const SERVER_ERROR: usize = 4;

/// The router writes alone.
const WRITER: Writer = Writer(0);

/// What the router counted last: it makes readings grow that were taken while requests ended.
#[derive(Debug, Default)]
pub(crate) struct Router {
    last: BTreeMap<(Scope, String), Last>,
}

#[derive(Debug, Default)]
struct Last {
    since_ms: u64,
    seen_ms: i64,
    ways: Vec<u64>,
    buckets: Vec<u64>,
    sum_ms: f64,
}

impl Router {
    /// Returns a reading of the counters as points, or why it is none.
    pub(crate) fn points(&mut self, scope: &Scope, counters: &RouterCounters, now_ms: i64) -> Result<Vec<Point>, String> {
        let (bounds, mut buckets) = latency(counters)?;
        let last = self.last.entry((scope.clone(), counters.release.clone())).or_default();
        if last.since_ms != counters.since_ms || last.buckets.len() != buckets.len() {
            *last = Last { since_ms: counters.since_ms, ..Last::default() };
        }
        let mut ways = ways(counters);
        grow(&mut last.ways, &mut ways);
        grow(&mut last.buckets, &mut buckets);
        last.sum_ms = last.sum_ms.max(counters.latency_sum_ms);
        last.seen_ms = now_ms;
        let whole = Sums {
            count: buckets.iter().fold(0, |all, count| all.saturating_add(*count)),
            sum: last.sum_ms / 1_000.0,
            buckets: Some(
                Buckets::new(&bounds, &buckets).map_err(|why| format!("the router's latencies are no histogram: {why}"))?,
            ),
            ..Sums::default()
        };
        let release: Arc<str> = counters.release.as_str().into();
        let point = |attributes: Vec<(String, String)>, share: Share, sums: Sums| -> Result<Point, String> {
            let identity = Identity::new(&METRIC.into(), &release, attributes, share)?;
            let at_ns = u64::try_from(now_ms).unwrap_or(0).saturating_mul(1_000_000);
            // A clock that was set back since does not make the reading unusable: it is then not known since when it counts.
            let start_ns = Some(counters.since_ms.saturating_mul(1_000_000)).filter(|start| *start <= at_ns).unwrap_or(0);
            let (kind, span) = (Kind::Distribution, Span::SinceStart);
            Ok(Point { identity, unit: UNIT.into(), writer: WRITER, kind, span, at_ns, start_ns, sums })
        };
        let mut points = vec![point(Vec::new(), Share::Whole, whole)?];
        for (attributes, count) in attributes().into_iter().zip(ways) {
            let sums = Sums { count, sum: f64::NAN, buckets: Some(Buckets::unbounded(count)), ..Sums::default() };
            points.push(point(attributes, Share::Part, sums)?);
        }
        Ok(points)
    }

    /// Forgets what was not read for as long as windows are kept.
    pub(crate) fn forget_old(&mut self, now_ms: i64) {
        self.last.retain(|_, last| last.seen_ms >= now_ms - WINDOW_MS * WINDOWS_KEPT);
    }
}

/// Returns the ways in which requests end, as attributes, in the order of their numbers.
fn attributes() -> Vec<Vec<(String, String)>> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let class = |(at, class): (usize, &&str)| {
        let error = (at == SERVER_ERROR).then(|| pair("error.type", class));
        [pair("http.response.status_class", class)].into_iter().chain(error).collect()
    };
    let classes = CLASSES.iter().enumerate().map(class);
    classes.chain([vec![pair("error.type", "no_answer")], Vec::new()]).collect()
}

/// Returns how many requests ended in which way.
fn ways(counters: &RouterCounters) -> Vec<u64> {
    let no_answer = counters.errors.saturating_sub(counters.classes[SERVER_ERROR]);
    counters.classes.into_iter().chain([no_answer, counters.abandoned]).collect()
}

/// Returns the bounds in seconds and how many requests lie between them.
fn latency(counters: &RouterCounters) -> Result<(Vec<f64>, Vec<u64>), String> {
    let RouterCounters { release, latency_ms, latency_count, latency_sum_ms, .. } = counters;
    if !(latency_sum_ms.is_finite() && *latency_sum_ms >= 0.0) {
        return Err(format!("the router's latencies of {release:?} sum up to {latency_sum_ms} ms"));
    }
    let mut below = 0;
    let mut buckets = Vec::with_capacity(latency_ms.len() + 1);
    for count in latency_ms.iter().map(|(_, count)| count).chain([latency_count]) {
        let between = count.checked_sub(below);
        buckets.push(between.ok_or_else(|| format!("the router counts {below} requests of {release:?} and then only {count}"))?);
        below = *count;
    }
    Ok((latency_ms.iter().map(|(bound_ms, _)| *bound_ms as f64 / 1_000.0).collect(), buckets))
}

/// Lets each number be at least what it was.
fn grow(last: &mut Vec<u64>, now: &mut [u64]) {
    last.resize(now.len(), 0);
    for (last, now) in last.iter_mut().zip(now) {
        *last = (*last).max(*now);
        *now = *last;
    }
}

#[cfg(test)]
mod tests {
    use model::{EnvironmentName, ServiceName};

    use super::*;
    use crate::query::{Filter, Query, Reading};
    use crate::telemetry::Telemetry;
    use crate::usual::Aspect;

    const T: i64 = 1_795_392_000_000;

    fn scope() -> Scope {
        Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("production").unwrap() }
    }

    /// So many answers of each class of 2xx and 5xx, so many without an answer, all within 2 ms.
    fn counters(good: u64, bad: u64, lost: u64) -> RouterCounters {
        let count = good + bad + lost;
        RouterCounters {
            release: "r1".to_owned(),
            since_ms: T as u64 - 3_600_000,
            classes: [0, good, 0, 0, bad],
            errors: bad + lost,
            abandoned: 0,
            latency_ms: vec![(1, 0), (2, count), (5, count)],
            latency_count: count,
            latency_sum_ms: 1.5 * count as f64,
        }
    }

    fn read(telemetry: &Telemetry, filters: Vec<Filter>) -> Reading {
        let query = Query { metric: METRIC.to_owned(), releases: vec!["r1".to_owned()], filters, from_ms: T, to_ms: T + 60_000 };
        telemetry.read(&scope(), &query, T + 60_000).unwrap()
    }

    fn failed() -> Vec<Filter> {
        vec![Filter { attribute: "error.type".to_owned(), values: vec!["*".to_owned()], among: true }]
    }

    #[test]
    fn all_requests_have_latencies_and_each_way_of_ending_a_number() {
        let telemetry = Telemetry::default();
        for (seconds, counters) in [(5, counters(100, 5, 1)), (15, counters(140, 8, 2))] {
            let taken = telemetry.take_router(&scope(), &counters, T + seconds * 1_000);
            assert_eq!((taken.taken, taken.refused), (8, 0), "{}", taken.sentence());
        }
        let all = read(&telemetry, Vec::new());
        let [window] = &all.windows[..] else { panic!("one window, found {all:?}") };
        assert_eq!((window.start_ms, window.count), (T + 10_000, 44), "the first reading only says where to count from");
        assert!((window.sum - 44.0 * 0.0015).abs() < 1e-12, "{}", window.sum);
        assert_eq!((window.bounds.as_slice(), window.counts.as_slice()), (&[0.001, 0.002, 0.005][..], &[0, 44, 0, 0][..]));
        let errors = read(&telemetry, failed());
        assert_eq!(errors.windows.iter().map(|window| window.count).collect::<Vec<_>>(), [4]);
        assert!(errors.windows[0].sum.is_nan() && errors.windows[0].bounds.is_empty(), "how long those took is not known");
        let good = Filter { attribute: "http.response.status_class".to_owned(), values: vec!["2xx".to_owned()], among: true };
        assert_eq!(read(&telemetry, vec![good]).windows[0].count, 40);
    }

    #[test]
    fn numbers_that_were_read_while_requests_ended_are_no_new_beginning() {
        let telemetry = Telemetry::default();
        // One error is in the sum of errors before it is in its class.
        let early = RouterCounters { errors: 1_001, ..counters(5_000, 1_000, 0) };
        for (seconds, counters) in [(5, early), (15, counters(5_000, 1_001, 0)), (25, counters(5_000, 1_003, 0))] {
            telemetry.take_router(&scope(), &counters, T + seconds * 1_000);
        }
        let errors = read(&telemetry, failed());
        assert_eq!(errors.windows.iter().map(|window| window.count).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_runtime_that_was_started_again_counts_from_zero() {
        let telemetry = Telemetry::default();
        telemetry.take_router(&scope(), &counters(100, 0, 0), T + 5_000);
        let again = RouterCounters { since_ms: T as u64 + 8_000, ..counters(7, 0, 0) };
        telemetry.take_router(&scope(), &again, T + 15_000);
        assert_eq!(read(&telemetry, Vec::new()).windows.iter().map(|window| window.count).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn what_is_usual_of_the_router_knows_its_errors() {
        let telemetry = Telemetry::default();
        for minute in 0..10 {
            let requests = 600 * minute;
            let counters = counters(requests * 9 / 10, requests / 10, 0);
            let now_ms = T + 60_000 * i64::try_from(minute).unwrap() + 5_000;
            telemetry.take_router(&scope(), &counters, now_ms);
            telemetry.learn(|_| vec!["r1".to_owned()], now_ms);
        }
        let usual = |aspect| telemetry.usual(&scope(), METRIC, aspect, T).unwrap().unwrap();
        assert!((usual(Aspect::Errors).mean - 0.1).abs() < 1e-12, "{:?}", usual(Aspect::Errors));
        assert!((usual(Aspect::Mean).mean - 0.0015).abs() < 1e-12, "{:?}", usual(Aspect::Mean));
        assert!((usual(Aspect::Rate).mean - 10.0).abs() < 1e-12, "{:?}", usual(Aspect::Rate));
    }

    #[test]
    fn that_nobody_calls_is_learnt_as_well() {
        let telemetry = Telemetry::default();
        for minute in 0..10 {
            let now_ms = T + 60_000 * minute + 5_000;
            telemetry.take_router(&scope(), &counters(7, 0, 0), now_ms);
            telemetry.learn(|_| vec!["r1".to_owned()], now_ms);
        }
        let usual = |aspect| telemetry.usual(&scope(), METRIC, aspect, T).unwrap();
        assert_eq!((usual(Aspect::Mean), usual(Aspect::Errors)), (None, None), "nothing was answered");
        assert_eq!(usual(Aspect::Rate).map(|rate| (rate.minutes, rate.mean)), Some((6, 0.0)));
    }

    #[test]
    fn counters_that_cannot_be_are_refused() {
        let telemetry = Telemetry::default();
        let refused = |counters: RouterCounters| telemetry.take_router(&scope(), &counters, T).sentence();
        let shrinking = RouterCounters { latency_ms: vec![(1, 5), (2, 3)], ..counters(3, 0, 0) };
        assert!(refused(shrinking).contains("counts 5 requests of \"r1\" and then only 3"));
        let endless = RouterCounters { latency_sum_ms: f64::INFINITY, ..counters(1, 0, 0) };
        assert!(refused(endless).contains("sum up to inf ms"));
        let unordered = RouterCounters { latency_ms: vec![(2, 0), (1, 0)], ..counters(1, 0, 0) };
        assert!(refused(unordered).contains("must grow"));
    }
}
