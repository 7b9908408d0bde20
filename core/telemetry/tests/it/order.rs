//! However the same points are split over requests, and in whatever order they come within the grace, the windows are the same.

use model::{EnvironmentName, Scope, ServiceName};
use telemetry::limits::GRACE_MS;
use telemetry::point::{Identity, Kind, Point, Share, Span, Writer};
use telemetry::{Aggregates, Buckets, Filter, Query, Reading, Sums};

use crate::chance::Chance;

const T: i64 = 1_795_392_000_000;

/// How long points come.
const LENGTH_MS: i64 = 80_000;

const METRICS: [&str; 4] = ["level", "added", "total", "times"];

fn scope() -> Scope {
    Scope { service: ServiceName::new("web").expect("a name"), environment: EnvironmentName::new("production").expect("a name") }
}

/// One writer's series.
struct Stream {
    metric: usize,
    release: &'static str,
    status: &'static str,
    writer: u128,
    /// Since when it counts; 0 where it does not say.
    start_ms: i64,
    total: f64,
    counts: [u64; 4],
}

fn ns(ms: i64) -> u64 {
    u64::try_from(ms).expect("after 1970") * 1_000_000
}

impl Stream {
    fn any(chance: &mut Chance) -> Self {
        let start_ms = [0, T - 3_600_000, T - 30_000, T][chance.below(4) as usize];
        Self {
            metric: chance.below(4) as usize,
            release: ["v1", "v2"][chance.below(2) as usize],
            status: ["200", "404", "500"][chance.below(3) as usize],
            writer: u128::from(chance.below(3)),
            start_ms,
            total: 0.0,
            counts: [0; 4],
        }
    }

    /// Returns what the writer says at an instant.
    fn point(&mut self, at_ms: i64, chance: &mut Chance) -> Point {
        if chance.once_in(12) {
            // It began again, and says so or does not.
            (self.total, self.counts) = (0.0, [0; 4]);
            if chance.once_in(2) && self.start_ms > 0 {
                self.start_ms = at_ms - 1;
            }
        }
        // Numbers that do not sum up exactly: an order that makes a difference is seen.
        let value = chance.below(1_000) as f64 * 0.1;
        self.total += value;
        self.counts[chance.below(4) as usize] += chance.below(5);
        let bounds: &[f64] = if chance.once_in(10) { &[1.0, 2.0, 4.0] } else { &[1.0, 2.0, 5.0] };
        let buckets = Buckets::new(bounds, &self.counts).expect("buckets");
        let times = Sums { count: buckets.total(), sum: self.total, buckets: Some(buckets), ..Sums::default() };
        let (kind, span, sums) = match self.metric {
            0 => (Kind::Gauge, Span::Own, Sums::of_value(value)),
            1 => (Kind::Counter, Span::Own, Sums::of_increase(value)),
            2 => (Kind::Counter, Span::SinceStart, Sums::of_increase(self.total)),
            _ => (Kind::Distribution, Span::SinceStart, times),
        };
        let attributes = vec![("status".to_owned(), self.status.to_owned())];
        let metric = METRICS[self.metric].into();
        let identity = Identity::new(&metric, &self.release.into(), attributes, Share::Own).expect("names");
        let (writer, start_ns) = (Writer(self.writer), ns(self.start_ms));
        Point { identity, unit: "1".into(), writer, kind, span, at_ns: ns(at_ms), start_ns, sums }
    }
}

/// Returns points and when each was measured, in the order of time.
fn points(chance: &mut Chance) -> Vec<(i64, Point)> {
    let mut points = Vec::new();
    let mut last: Option<Stream> = None;
    for _ in 0..chance.between(1, 12) {
        let mut stream = Stream::any(chance);
        let mut at_ms = T + chance.between(0, 20_000);
        if let Some(last) = last.filter(|_| chance.once_in(2)) {
            // Another series of a writer that is known: it begins later, as a first error does.
            let (status, counts) = (stream.status, stream.counts);
            stream = Stream { status, counts, total: 0.0, ..last };
            at_ms = at_ms.max(stream.start_ms) + chance.between(1, 40_000);
        }
        while at_ms < T + LENGTH_MS {
            points.push((at_ms, stream.point(at_ms, chance)));
            // Now and then it pauses: windows are then closed one by one, or several at once.
            at_ms += if chance.once_in(8) { chance.between(10_000, 40_000) } else { chance.between(500, 8_000) };
        }
        last = Some(stream);
    }
    points.sort_by_key(|(at_ms, _)| *at_ms);
    points
}

/// Returns everything that can be read at the end.
fn all(aggregates: &mut Aggregates) -> Vec<Reading> {
    let filters = [Vec::new(), vec![Filter { attribute: "status".to_owned(), values: vec!["5*".to_owned()], among: true }]];
    let mut readings = Vec::new();
    for metric in METRICS {
        for releases in [vec!["v1".to_owned()], vec!["v2".to_owned()], Vec::new()] {
            for filters in filters.clone() {
                let (metric, releases) = (metric.to_owned(), releases.clone());
                let query = Query { metric, releases, filters, from_ms: T - 60_000, to_ms: T + 200_000 };
                readings.push(aggregates.read(&scope(), &query, T + 200_000).expect("one kind for each metric"));
            }
        }
    }
    readings
}

fn take(aggregates: &mut Aggregates, points: Vec<Point>, now_ms: i64) {
    let outcome = aggregates.take(&scope(), points, now_ms);
    assert_eq!(outcome.refused, 0, "{}", outcome.sentence());
}

/// Returns what is read when every point comes by itself, at the instant at which it was measured.
fn in_order(points: &[(i64, Point)]) -> Vec<Reading> {
    let mut aggregates = Aggregates::default();
    for (at_ms, point) in points {
        take(&mut aggregates, vec![point.clone()], *at_ms);
    }
    all(&mut aggregates)
}

/// Returns what is read when points come late and early, some of them twice, in requests of any size.
fn in_any_order(points: &[(i64, Point)], chance: &mut Chance) -> Vec<Reading> {
    let mut arrivals: Vec<(i64, &(i64, Point))> = Vec::new();
    for point in points {
        for _ in 0..=u8::from(chance.once_in(10)) {
            arrivals.push((point.0 + chance.between(-GRACE_MS, GRACE_MS), point));
        }
    }
    arrivals.sort_by_key(|(arrival_ms, _)| *arrival_ms);
    let mut aggregates = Aggregates::default();
    let mut request: Vec<Point> = Vec::new();
    let mut sent: Vec<i64> = Vec::new();
    let mut now_ms = T;
    for (arrival_ms, (at_ms, point)) in arrivals {
        // A request is sent while none of its points is late.
        let late = sent.iter().any(|at_ms| at_ms.abs_diff(arrival_ms) > GRACE_MS.unsigned_abs());
        if late || chance.once_in(4) {
            take(&mut aggregates, std::mem::take(&mut request), now_ms);
            sent.clear();
        }
        if chance.once_in(3) {
            aggregates.tick(chance.between(now_ms.min(arrival_ms), arrival_ms));
        }
        now_ms = arrival_ms;
        if chance.once_in(5) {
            take(&mut aggregates, std::mem::take(&mut request), now_ms);
            sent.clear();
            aggregates.tick(now_ms);
        }
        request.push(point.clone());
        sent.push(*at_ms);
    }
    take(&mut aggregates, request, now_ms);
    all(&mut aggregates)
}

#[test]
fn any_split_and_any_order_within_the_grace_gives_the_same_windows() {
    let mut windows = 0;
    for seed in 1..=200 {
        let chance = &mut Chance::new(seed);
        let points = points(chance);
        let expected = in_order(&points);
        windows += expected.iter().map(|reading| reading.windows.len()).sum::<usize>();
        for _ in 0..3 {
            for (found, expected) in in_any_order(&points, chance).iter().zip(&expected) {
                assert_eq!(found, expected, "seed {seed}");
            }
        }
    }
    assert!(windows > 10_000, "{windows} windows were compared");
}
