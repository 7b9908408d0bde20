use model::{EnvironmentName, Scope, ServiceName};

use super::*;
use crate::aggregates::Aggregates;
use crate::buckets::Buckets;
use crate::point::{Point, Span, Writer};

const T: i64 = 1_795_392_000_000;

fn scope() -> Scope {
    Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("production").unwrap() }
}

fn histogram(release: &str, attributes: &[(&str, &str)], at_ms: i64, bounds: &[f64], counts: &[u64]) -> Point {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let identity = Identity::new(&"time".into(), &release.into(), attributes, Share::Own).unwrap();
    let buckets = Buckets::new(bounds, counts).unwrap();
    let sums = Sums { count: buckets.total(), sum: 1.0, buckets: Some(buckets), ..Sums::default() };
    let at_ns = u64::try_from(at_ms).unwrap() * 1_000_000;
    let (kind, span, writer) = (Kind::Distribution, Span::Own, Writer(1));
    Point { identity, unit: "s".into(), writer, kind, span, at_ns, start_ns: 0, sums }
}

/// Three routes of two releases, one value each in the first window.
fn routes() -> Aggregates {
    let mut aggregates = Aggregates::default();
    let series = |release: &str, route: &str, status: &str| {
        histogram(release, &[("http.route", route), ("status", status)], T + 1_000, &[1.0], &[1, 0])
    };
    let no_route = histogram("v1", &[("status", "404")], T + 1_000, &[1.0], &[1, 0]);
    let points = vec![
        series("v1", "/cart", "200"),
        series("v1", "/cart/items", "500"),
        series("v1", "/login", "200"),
        series("v2", "/cart", "503"),
        no_route,
    ];
    assert_eq!(aggregates.take(&scope(), points, T + 1_000).refused, 0);
    aggregates
}

fn filter(attribute: &str, values: &[&str], among: bool) -> Filter {
    Filter { attribute: attribute.to_owned(), values: values.iter().map(|value| (*value).to_owned()).collect(), among }
}

fn query(releases: &[&str], filters: Vec<Filter>) -> Query {
    let releases = releases.iter().map(|release| (*release).to_owned()).collect();
    Query { metric: "time".to_owned(), releases, filters, from_ms: T, to_ms: T + 600_000 }
}

/// Checks how many values fit, and how many series.
fn check(releases: &[&str], filters: Vec<Filter>, expect: u64) {
    let query = query(releases, filters);
    let reading = routes().read(&scope(), &query, T + 60_000).unwrap();
    let values: u64 = reading.windows.iter().map(|window| window.count).sum();
    assert_eq!((values, u64::from(reading.series)), (expect, expect), "{query:?}");
}

#[test]
fn series_are_chosen_by_release_and_attributes() {
    check(&[], vec![], 5);
    check(&["v1"], vec![], 4);
    check(&["v1", "v2"], vec![], 5);
    check(&["v3"], vec![], 0);
    check(&[], vec![filter("http.route", &["/cart"], true)], 2);
    check(&[], vec![filter("http.route", &["/cart*"], true)], 3);
    check(&[], vec![filter("http.route", &["/cart*", "/login"], true)], 4);
    check(&[], vec![filter("http.route", &["*"], true)], 4);
    check(&[], vec![filter("http.route", &[], true)], 0);
    check(&["v1"], vec![filter("http.route", &["/cart"], false)], 3);
    check(&[], vec![filter("http.route", &["*"], false)], 1);
    check(&[], vec![filter("http.route", &["/cart*"], true), filter("status", &["5*"], true)], 2);
    check(&[], vec![filter("http.route", &["/cart*"], true), filter("status", &["5*"], false)], 1);
    check(&[], vec![filter("nothing", &["x"], false)], 5);
}

#[test]
fn only_whole_windows_between_the_two_instants_are_given() {
    let mut aggregates = Aggregates::default();
    for window in 0..6 {
        let at_ms = T + window * WINDOW_MS;
        aggregates.take(&scope(), vec![histogram("v1", &[], at_ms, &[1.0], &[1, 0])], at_ms);
    }
    let mut starts = |from_ms, to_ms| {
        let query = Query { from_ms: T + from_ms, to_ms: T + to_ms, ..query(&[], vec![]) };
        let reading = aggregates.read(&scope(), &query, T + 120_000).unwrap();
        let windows: Vec<i64> = reading.windows.iter().map(|window| (window.start_ms - T) / WINDOW_MS).collect();
        (windows, reading.settled_ms - T)
    };
    assert_eq!(starts(0, 60_000), (vec![0, 1, 2, 3, 4, 5], 60_000));
    assert_eq!(starts(1, 59_999), (vec![1, 2, 3, 4], 50_000), "the next question goes on from 50 s and misses nothing");
    assert_eq!(starts(10_000, 20_000), (vec![1], 20_000));
    assert_eq!(starts(15_000, 15_000), (vec![], 10_000));
    assert_eq!(starts(0, 3_600_000), (vec![0, 1, 2, 3, 4, 5], 110_000));
}

#[test]
fn histograms_with_different_bounds_are_joined_where_both_have_a_bound() {
    let mut aggregates = Aggregates::default();
    let points = vec![
        histogram("v1", &[("route", "a")], T + 1_000, &[1.0, 2.0, 5.0], &[1, 2, 3, 4]),
        histogram("v1", &[("route", "b")], T + 1_000, &[1.0, 5.0, 10.0], &[1, 1, 1, 1]),
    ];
    aggregates.take(&scope(), points, T + 1_000);
    let reading = aggregates.read(&scope(), &query(&[], vec![]), T + 60_000).unwrap();
    let window = &reading.windows[0];
    assert_eq!((window.bounds.as_slice(), window.counts.as_slice(), window.count), (&[1.0, 5.0][..], &[2, 6, 6][..], 14));
}

#[test]
fn without_a_common_bound_there_are_no_buckets() {
    let mut aggregates = Aggregates::default();
    let points = vec![
        histogram("v1", &[("route", "a")], T + 1_000, &[1.0], &[1, 2]),
        histogram("v1", &[("route", "b")], T + 1_000, &[3.0], &[1, 1]),
    ];
    aggregates.take(&scope(), points, T + 1_000);
    let reading = aggregates.read(&scope(), &query(&[], vec![]), T + 60_000).unwrap();
    let window = &reading.windows[0];
    assert_eq!((window.bounds.len(), window.counts.len(), window.count), (0, 0, 5));
}

#[test]
fn what_is_no_question_is_told() {
    let mut aggregates = routes();
    let mut refused = |query: Query| match aggregates.read(&scope(), &query, T) {
        Err(Fault::Invalid(why)) => why,
        other => panic!("expected a sentence, found {other:?}"),
    };
    assert_eq!(refused(Query::default()), "no metric is named");
    assert_eq!(refused(Query { to_ms: T - 1, ..query(&[], vec![]) }), format!("from {T} is behind to {}", T - 1));
    assert_eq!(refused(query(&[], vec![filter("a", &[], true); 17])), "17 filters, at most 16");
    assert_eq!(refused(query(&[], vec![filter("a", &["x"; 101], true)])), "101 values of \"a\", at most 100");
}

#[test]
fn a_scope_that_sent_nothing_has_no_data() {
    let reading = Aggregates::default().read(&scope(), &query(&[], vec![]), T + 65_000).unwrap();
    assert_eq!(reading, Reading { settled_ms: T + 50_000, ..Reading::default() });
    let other = routes().read(&scope(), &Query { metric: "other".to_owned(), ..query(&[], vec![]) }, T + 60_000).unwrap();
    assert_eq!((other.windows.len(), other.series), (0, 0));
}
