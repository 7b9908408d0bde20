use std::sync::Arc;

use model::{EnvironmentName, Scope, ServiceName};

use super::*;
use crate::aggregates::Aggregates;
use crate::buckets::Buckets;
use crate::limits::SCOPES_MAX;
use crate::outcome::Outcome;
use crate::point::{Kind, Share};
use crate::query::{Filter, Query, Reading};

/// A Monday, and the beginning of a window.
const T: i64 = 1_795_392_000_000;

fn scope(service: &str) -> Scope {
    Scope { service: ServiceName::new(service).unwrap(), environment: EnvironmentName::new("production").unwrap() }
}

/// What is measured, of which everything can be changed.
struct Made {
    metric: &'static str,
    release: &'static str,
    attributes: Vec<(String, String)>,
    kind: Kind,
    span: Span,
    unit: &'static str,
    writer: u128,
    at_ms: i64,
    start_ms: i64,
    sums: Sums,
}

fn gauge(at_ms: i64, value: f64) -> Made {
    let (attributes, sums) = (Vec::new(), Sums::of_value(value));
    let (kind, span) = (Kind::Gauge, Span::Own);
    Made { metric: "level", release: "v1", attributes, kind, span, unit: "1", writer: 1, at_ms, start_ms: 0, sums }
}

fn total(at_ms: i64, start_ms: i64, value: f64) -> Made {
    let (kind, span, sums) = (Kind::Counter, Span::SinceStart, Sums::of_increase(value));
    Made { metric: "count", kind, span, start_ms, sums, ..gauge(at_ms, 0.0) }
}

fn with(name: &str, value: &str, made: Made) -> Made {
    Made { attributes: vec![(name.to_owned(), value.to_owned())], ..made }
}

fn point(made: Made) -> Point {
    let Made { metric, release, attributes, kind, span, unit, writer, at_ms, start_ms, sums } = made;
    let identity = Identity::new(&metric.into(), &release.into(), attributes, Share::Own).unwrap();
    let ns = |ms: i64| u64::try_from(ms).unwrap() * 1_000_000;
    Point { identity, unit: unit.into(), writer: Writer(writer), kind, span, at_ns: ns(at_ms), start_ns: ns(start_ms), sums }
}

fn take(aggregates: &mut Aggregates, now_ms: i64, made: Vec<Made>) -> Outcome {
    aggregates.take(&scope("web"), made.into_iter().map(point).collect(), now_ms)
}

fn ask(metric: &str) -> Query {
    Query { metric: metric.to_owned(), from_ms: T, to_ms: T + 3_600_000, ..Query::default() }
}

fn read(aggregates: &mut Aggregates, metric: &str, now_ms: i64) -> Reading {
    aggregates.read(&scope("web"), &ask(metric), now_ms).unwrap()
}

fn sums(reading: &Reading) -> Vec<(i64, f64)> {
    reading.windows.iter().map(|window| (window.start_ms - T, window.sum)).collect()
}

#[test]
fn values_go_to_windows_that_are_read_when_late_ones_have_come() {
    let mut aggregates = Aggregates::default();
    take(&mut aggregates, T + 9_000, vec![gauge(T + 1_000, 2.0), gauge(T + 9_000, 4.0)]);
    take(&mut aggregates, T + 12_000, vec![gauge(T + 12_000, 9.0)]);
    let early = read(&mut aggregates, "level", T + 19_999);
    assert_eq!((early.windows.len(), early.settled_ms), (0, T), "a late one may still come");
    let first = read(&mut aggregates, "level", T + 20_000);
    assert_eq!((sums(&first), first.settled_ms, first.series), (vec![(0, 6.0)], T + 10_000, 1));
    let window = &first.windows[0];
    assert_eq!((window.length_ms, window.count, window.min, window.max), (10_000, 2, Some(2.0), Some(4.0)));
    assert_eq!(sums(&read(&mut aggregates, "level", T + 30_000)), [(0, 6.0), (10_000, 9.0)]);
}

#[test]
fn a_late_point_goes_to_its_own_window_within_the_grace() {
    let mut aggregates = Aggregates::default();
    let outcome = take(&mut aggregates, T + 14_000, vec![gauge(T + 4_000, 1.0), gauge(T + 24_000, 2.0)]);
    assert_eq!((outcome.taken, outcome.refused), (2, 0));
    assert_eq!(sums(&read(&mut aggregates, "level", T + 60_000)), [(0, 1.0), (20_000, 2.0)]);
    assert_eq!(aggregates.view()[0].tally.skewed, 0);
}

#[test]
fn a_point_from_a_clock_that_is_far_is_placed_at_its_arrival_and_counted() {
    let mut aggregates = Aggregates::default();
    let minutes = 60_000;
    let far = vec![gauge(T - 90 * minutes, 1.0), gauge(T + 90 * minutes, 2.0), gauge(T + 3_999, 4.0)];
    assert_eq!(take(&mut aggregates, T + 14_000, far).taken, 3);
    assert_eq!(sums(&read(&mut aggregates, "level", T + 60_000)), [(10_000, 7.0)]);
    assert_eq!(aggregates.view()[0].tally.skewed, 3);
}

#[test]
fn totals_from_a_clock_that_is_far_are_still_differences() {
    let mut aggregates = Aggregates::default();
    let day = 86_400_000;
    for (at_ms, value) in [(0, 100.0), (10_000, 104.0), (20_000, 109.0)] {
        take(&mut aggregates, T + at_ms + 5_000, vec![total(T + at_ms - day, T - 2 * day, value)]);
    }
    assert_eq!(sums(&read(&mut aggregates, "count", T + 60_000)), [(10_000, 4.0), (20_000, 5.0)]);
}

#[test]
fn a_clock_of_ours_that_goes_back_opens_no_window_again() {
    let mut aggregates = Aggregates::default();
    take(&mut aggregates, T + 5_000, vec![gauge(T + 5_000, 1.0)]);
    assert_eq!(read(&mut aggregates, "level", T + 45_000).settled_ms, T + 30_000);
    take(&mut aggregates, T + 8_000, vec![gauge(T + 8_000, 2.0)]);
    assert_eq!(sums(&read(&mut aggregates, "level", T + 60_000)), [(0, 1.0), (30_000, 2.0)]);
}

#[test]
fn instances_are_told_apart_and_added() {
    let mut aggregates = Aggregates::default();
    let start = T - 600_000;
    for (at_ms, one, other) in [(0, 100.0, 7.0), (10_000, 101.0, 9.0), (20_000, 103.0, 2.0)] {
        let made = vec![total(T + at_ms, start, one), Made { writer: 2, ..total(T + at_ms, start, other) }];
        take(&mut aggregates, T + at_ms, made);
    }
    let windows = sums(&read(&mut aggregates, "count", T + 60_000));
    assert_eq!(windows, [(10_000, 3.0), (20_000, 4.0)], "the second one fell and began again at 2");
}

#[test]
fn two_writers_that_do_not_tell_themselves_apart_are_no_falling_total() {
    let mut aggregates = Aggregates::default();
    for at_ms in [0, 10_000, 20_000] {
        let more = (at_ms / 10_000) as f64;
        let made = vec![total(T + at_ms, T - 600_000, 1_000.0 + more), total(T + at_ms + 1, T - 700_000, 5.0 + more)];
        take(&mut aggregates, T + at_ms, made);
    }
    assert_eq!(sums(&read(&mut aggregates, "count", T + 60_000)), [(10_000, 2.0), (20_000, 2.0)]);
}

#[test]
fn a_first_error_counts_when_its_writer_is_known() {
    let mut aggregates = Aggregates::default();
    let start = T - 600_000;
    let ok = |at_ms, value| with("status", "200", total(T + at_ms, start, value));
    let error = |at_ms, value| with("status", "500", total(T + at_ms, start, value));
    take(&mut aggregates, T, vec![ok(0, 50.0)]);
    take(&mut aggregates, T + 10_000, vec![ok(10_000, 60.0), error(10_000, 3.0)]);
    let filter = Filter { attribute: "status".to_owned(), values: vec!["500".to_owned()], among: true };
    let errors = Query { filters: vec![filter], ..ask("count") };
    let reading = aggregates.read(&scope("web"), &errors, T + 60_000).unwrap();
    assert_eq!((sums(&reading), reading.windows[0].count), (vec![(10_000, 3.0)], 3));
}

#[test]
fn windows_may_be_closed_one_by_one_or_all_at_once() {
    let start = T - 600_000;
    let made = || {
        let ok = |at_ms, value| with("status", "200", total(T + at_ms, start, value));
        let error = with("status", "1", total(T + 11_000, start, 3.0));
        vec![ok(5_000, 50.0), ok(15_000, 60.0), error]
    };
    let errors = |steps: &[i64]| {
        let mut aggregates = Aggregates::default();
        take(&mut aggregates, T + 12_000, made());
        steps.iter().for_each(|step| aggregates.tick(T + step));
        sums(&read(&mut aggregates, "count", T + 60_000))
    };
    assert_eq!(errors(&[]), [(10_000, 13.0)]);
    assert_eq!(errors(&[20_000, 30_000]), errors(&[]), "the writer was known since the window before");
}

#[test]
fn a_metric_stays_what_it_is_within_a_release() {
    let mut aggregates = Aggregates::default();
    take(&mut aggregates, T, vec![gauge(T, 1.0)]);
    let other_kind = Made { metric: "level", ..total(T, 0, 1.0) };
    let outcome = take(&mut aggregates, T, vec![other_kind, Made { unit: "ms", ..gauge(T + 1, 1.0) }]);
    assert_eq!(outcome.refused, 2);
    let expected =
        "\"level\" is a gauge of this release, a counter came; \"level\" is in \"1\" of this release, a value in \"ms\" came";
    assert_eq!(outcome.sentence(), expected);
    assert_eq!(aggregates.view()[0].tally.last_refusal, "\"level\" is in \"1\" of this release, a value in \"ms\" came");
    let next = Made { release: "v2", unit: "ms", ..gauge(T, 1_000.0) };
    assert_eq!(take(&mut aggregates, T, vec![next]).refused, 0, "the next release may do otherwise");
    let both = aggregates.read(&scope("web"), &ask("level"), T + 60_000).unwrap_err().to_string();
    assert_eq!(both, "\"level\" is a gauge in \"1\" in some series and a gauge in \"ms\" in others: ask for one release");
    let one = Query { releases: vec!["v2".to_owned()], ..ask("level") };
    assert_eq!(sums(&aggregates.read(&scope("web"), &one, T + 60_000).unwrap()), [(0, 1_000.0)]);
}

fn numbered(number: usize) -> Made {
    with("user", &number.to_string(), gauge(T, 1.0))
}

#[test]
fn series_beyond_the_limit_are_turned_away_and_counted() {
    let mut aggregates = Aggregates::default();
    let outcome = take(&mut aggregates, T, (0..SERIES_PER_SCOPE_MAX + 10).map(numbered).collect());
    assert_eq!((outcome.taken, outcome.refused), (SERIES_PER_SCOPE_MAX as u64, 10));
    assert_eq!(outcome.sentence(), "one more series of \"level\" is too many: the service has 2000, at most 2000");
    take(&mut aggregates, T + 5_000, (0..SERIES_PER_SCOPE_MAX + 10).map(numbered).collect());
    let reading = read(&mut aggregates, "level", T + 60_000);
    assert_eq!((reading.series, reading.turned_away), (SERIES_PER_SCOPE_MAX as u32, 10), "the same ten came twice");
    let hour = 3_600_000;
    aggregates.tick(T + hour + 60_000);
    assert_eq!(aggregates.view(), [], "what sends nothing for an hour leaves its place");
}

#[test]
fn a_scope_of_which_everything_is_refused_is_still_told() {
    let mut aggregates = Aggregates::default();
    assert_eq!(take(&mut aggregates, T, vec![gauge(T, f64::NAN)]).refused, 1);
    let mut more = Outcome::default();
    more.refuse(3, "no numbers".to_owned());
    aggregates.refuse(&scope("web"), &more, T);
    aggregates.tick(T + 60_000);
    let tally = aggregates.view()[0].tally.clone();
    assert_eq!((tally.taken, tally.refused, tally.last_refusal.as_str()), (0, 4, "no numbers"));
    aggregates.tick(T + 3_700_000);
    assert_eq!(aggregates.view(), []);
}

#[test]
fn names_have_a_limit_for_each_scope() {
    let mut aggregates = Aggregates::default();
    let long = |number: usize| {
        let attributes = (0..10).map(|at| (format!("{at}"), format!("{number:0>250}"))).collect();
        Made { attributes, ..gauge(T, 1.0) }
    };
    let outcome = take(&mut aggregates, T, (0..SERIES_PER_SCOPE_MAX).map(long).collect());
    assert!(outcome.refused > 0 && outcome.sentence().contains("names would have"), "{outcome:?}");
    assert!(aggregates.usage().name_bytes <= NAME_BYTES_PER_SCOPE_MAX, "{:?}", aggregates.usage());
}

#[test]
fn writers_have_a_limit_for_each_scope() {
    let mut aggregates = Aggregates::default();
    let of_writer = |writer: usize| Made { writer: writer as u128, ..total(T, T - 1_000, 1.0) };
    let outcome = take(&mut aggregates, T, (0..STREAMS_PER_SCOPE_MAX + 5).map(of_writer).collect());
    assert_eq!((outcome.refused, outcome.sentence().contains("one more writer")), (5, true), "{outcome:?}");
    assert_eq!(read(&mut aggregates, "count", T + 60_000).turned_away, 5);
}

#[test]
fn what_waits_has_a_limit_for_each_scope() {
    let mut aggregates = Aggregates::default();
    let bounds: Vec<f64> = (0..150).map(f64::from).collect();
    let wide = |at: usize| {
        let buckets = Some(Buckets::new(&bounds, &[0; 151]).unwrap());
        let at_ms = T + i64::try_from(at % 100).unwrap();
        Made { kind: Kind::Distribution, sums: Sums { buckets, ..Sums::default() }, at_ms, ..numbered(at / 100) }
    };
    let outcome = take(&mut aggregates, T, (0..20_000).map(wide).collect());
    assert!(outcome.refused > 0 && outcome.sentence().contains("too much waits"), "{outcome:?}");
    assert!(aggregates.usage().held_numbers <= HELD_NUMBERS_PER_SCOPE_MAX, "{:?}", aggregates.usage());
    assert!(read(&mut aggregates, "level", T).turned_away > 0, "a reader is told that not all is there");
}

#[test]
fn the_oldest_windows_go_when_there_is_no_room_for_an_hour() {
    let mut aggregates = Aggregates::default();
    let bounds: Vec<f64> = (0..150).map(f64::from).collect();
    let buckets = Some(Buckets::new(&bounds, &[0; 151]).unwrap());
    for window in 0..100 {
        let at_ms = T + window * WINDOW_MS;
        let wide = |at| {
            let sums = Sums { buckets: buckets.clone(), ..Sums::default() };
            Made { kind: Kind::Distribution, sums, at_ms, ..numbered(at) }
        };
        take(&mut aggregates, at_ms, (0..100).map(wide).collect());
        aggregates.tick(at_ms);
    }
    let reading = read(&mut aggregates, "level", T + 100 * WINDOW_MS);
    let first = reading.windows[0].start_ms - T;
    assert!(first > 0 && reading.windows.last().map(|window| window.start_ms) == Some(T + 98 * WINDOW_MS), "{first}");
    assert!(aggregates.usage().kept_numbers <= KEPT_NUMBERS_PER_SCOPE_MAX + 100 * 400, "{:?}", aggregates.usage());
    assert!(aggregates.view()[0].tally.crowded_out > 0);
}

#[test]
fn there_are_only_so_many_scopes() {
    let mut aggregates = Aggregates::default();
    for number in 0..SCOPES_MAX {
        aggregates.take(&scope(&format!("s{number}")), vec![point(gauge(T, 1.0))], T);
    }
    let outcome = aggregates.take(&scope("late"), vec![point(gauge(T, 1.0)), point(gauge(T + 1, 1.0))], T);
    assert_eq!((outcome.taken, outcome.refused), (0, 2));
    assert!(outcome.sentence().contains("one more than the 1024 services"), "{}", outcome.sentence());
    assert_eq!(aggregates.take(&scope("s7"), vec![point(gauge(T + 1, 1.0))], T).taken, 1, "those that are known go on");
}

#[test]
fn what_all_scopes_take_is_what_each_takes() {
    let mut aggregates = Aggregates::default();
    for at in 0..50 {
        let at_ms = T + at * 3_000;
        for service in ["web", "shop", "mail"] {
            let made = vec![gauge(at_ms, 1.0), total(at_ms, T, at as f64)];
            aggregates.take(&scope(service), made.into_iter().map(point).collect(), at_ms);
        }
        read(&mut aggregates, "level", at_ms);
        let each = aggregates.view().iter().fold(Usage::default(), |all, view| all.with(view.usage));
        assert_eq!(aggregates.usage(), each);
    }
    assert_eq!((aggregates.usage().series, aggregates.usage().streams), (6, 6));
}

#[test]
fn identities_share_their_names() {
    let (metric, release): (Arc<str>, Arc<str>) = ("level".into(), "v1".into());
    let identity = Identity::new(&metric, &release, Vec::new(), Share::Own).unwrap();
    assert!(Arc::ptr_eq(&identity.names().0, &metric) && Arc::ptr_eq(&identity.names().1, &release));
}
