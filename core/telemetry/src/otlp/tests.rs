use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValueList};
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, NumberDataPoint, ScopeMetrics,
    Sum, Summary, SummaryDataPoint, exponential_histogram_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::AggregationTemporality::{Cumulative, Delta, Unspecified};
use super::*;

const AT: u64 = 1_795_392_001_000_000_000;
const START: u64 = 1_795_392_000_000_000_000;

/// Knows one service in two environments.
struct Web;

impl Directory for Web {
    fn knows(&self, scope: &Scope) -> Result<bool, NotNow> {
        Ok(scope.service.as_str() == "web" && ["production", "staging"].contains(&scope.environment.as_str()))
    }
}

fn pair(name: &str, value: Any) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), key_strindex: 0 }
}

fn texts(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    pairs.iter().map(|(name, value)| pair(name, Any::StringValue((*value).to_owned()))).collect()
}

const OWNER: [(&str, &str); 3] =
    [("service.name", "web"), ("deployment.environment.name", "production"), ("service.version", "v1")];

fn resource(pairs: &[(&str, &str)], data: Vec<Data>) -> ResourceMetrics {
    let metric = |data| Metric { name: "time".to_owned(), unit: "s".to_owned(), data: Some(data), ..Metric::default() };
    let metrics = data.into_iter().map(metric).collect();
    let resource = Some(Resource { attributes: texts(pairs), ..Resource::default() });
    ResourceMetrics { resource, scope_metrics: vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }], ..Default::default() }
}

fn taken(resources: Vec<ResourceMetrics>) -> (Vec<Batch>, Outcome) {
    batches(ExportMetricsServiceRequest { resource_metrics: resources }, &Web).unwrap()
}

/// Returns the one point of some data.
fn one(data: Data) -> Point {
    let (batches, strangers) = taken(vec![resource(&OWNER, vec![data])]);
    assert_eq!((strangers.refused, batches[0].refused.refused), (0, 0), "{}", batches[0].refused.sentence());
    let [point] = &batches[0].points[..] else { panic!("one point, found {batches:?}") };
    point.clone()
}

/// Returns why the one point of some data is refused.
fn refused(data: Data) -> String {
    let (batches, _) = taken(vec![resource(&OWNER, vec![data])]);
    assert_eq!((batches[0].refused.refused, batches[0].points.len()), (1, 0));
    batches[0].refused.sentence()
}

fn number(value: Number) -> NumberDataPoint {
    NumberDataPoint { time_unix_nano: AT, start_time_unix_nano: START, value: Some(value), ..NumberDataPoint::default() }
}

fn sum(value: f64, temporality: AggregationTemporality, is_monotonic: bool) -> Data {
    let data_points = vec![number(Number::AsDouble(value))];
    Data::Sum(Sum { data_points, aggregation_temporality: temporality as i32, is_monotonic })
}

#[test]
fn sums_are_counters_or_levels() {
    let check = |data, kind, span, value| {
        let point = one(data);
        assert_eq!((point.kind, point.span, point.sums.sum), (kind, span, value));
        assert_eq!((point.at_ns, point.start_ns, &*point.unit), (AT, START, "s"));
    };
    check(sum(3.0, Delta, true), Kind::Counter, Span::Own, 3.0);
    check(sum(3.0, Cumulative, true), Kind::Counter, Span::SinceStart, 3.0);
    check(sum(-3.0, Delta, false), Kind::Counter, Span::Own, -3.0);
    check(sum(-3.0, Cumulative, false), Kind::Gauge, Span::Own, -3.0);
    let gauge = |value| Data::Gauge(Gauge { data_points: vec![number(value)] });
    check(gauge(Number::AsDouble(0.5)), Kind::Gauge, Span::Own, 0.5);
    check(gauge(Number::AsInt(-7)), Kind::Gauge, Span::Own, -7.0);
}

#[test]
fn numbers_that_cannot_be_are_refused() {
    assert_eq!(refused(sum(-3.0, Delta, true)), "a value of \"time\" cannot be taken: it only grows, and is -3");
    assert!(refused(sum(-3.0, Cumulative, true)).contains("it only grows, and is -3"));
    assert!(refused(sum(f64::NAN, Delta, true)).contains("NaN is not a number that can be summed"));
    assert!(refused(sum(f64::INFINITY, Cumulative, false)).contains("inf is not a number"));
    assert!(refused(sum(1.0, Unspecified, true)).contains("its temporality is 0: it must be 1 (delta) or 2 (cumulative)"));
    let nothing = NumberDataPoint { value: None, ..number(Number::AsInt(0)) };
    assert!(refused(Data::Gauge(Gauge { data_points: vec![nothing] })).contains("it has no number"));
    let never = NumberDataPoint { time_unix_nano: 0, start_time_unix_nano: 0, ..number(Number::AsInt(0)) };
    assert!(refused(Data::Gauge(Gauge { data_points: vec![never] })).contains("does not say when"));
}

fn histogram(point: HistogramDataPoint, temporality: AggregationTemporality) -> Data {
    let point = HistogramDataPoint { time_unix_nano: AT, start_time_unix_nano: START, ..point };
    Data::Histogram(Histogram { data_points: vec![point], aggregation_temporality: temporality as i32 })
}

fn values() -> HistogramDataPoint {
    HistogramDataPoint {
        count: 3,
        sum: Some(4.5),
        min: Some(0.5),
        max: Some(3.0),
        explicit_bounds: vec![1.0, 2.0],
        bucket_counts: vec![2, 0, 1],
        ..HistogramDataPoint::default()
    }
}

#[test]
fn histograms_are_taken_with_and_without_buckets() {
    let point = one(histogram(values(), Delta));
    assert_eq!((point.kind, point.span), (Kind::Distribution, Span::Own));
    let Sums { count, sum, min, max, buckets } = point.sums;
    assert_eq!((count, sum, min, max), (3, 4.5, Some(0.5), Some(3.0)));
    assert_eq!(buckets.unwrap().counts(), [2, 0, 1]);
    let bare = HistogramDataPoint { count: 3, ..HistogramDataPoint::default() };
    let point = one(histogram(bare, Cumulative));
    assert_eq!((point.span, point.sums.count, point.sums.buckets.unwrap().counts().len()), (Span::SinceStart, 3, 1));
    assert!(point.sums.sum.is_nan(), "a sum that was not sent is not known");
    let empty = HistogramDataPoint { min: Some(f64::INFINITY), max: Some(0.0), ..HistogramDataPoint::default() };
    let point = one(histogram(empty, Delta));
    assert_eq!((point.sums.count, point.sums.sum, point.sums.min), (0, 0.0, None));
}

#[test]
fn histograms_that_contradict_themselves_are_refused() {
    let check = |point: HistogramDataPoint, expect: &str| {
        let said = refused(histogram(point, Delta));
        assert!(said.contains(expect), "{said}");
    };
    check(HistogramDataPoint { bucket_counts: vec![3, 0], ..values() }, "2 bounds make 3 buckets, it has 2");
    check(HistogramDataPoint { bucket_counts: vec![], ..values() }, "2 bounds make 3 buckets, it has 0");
    check(HistogramDataPoint { explicit_bounds: vec![2.0, 1.0], ..values() }, "its bounds must grow, 2 comes before 1");
    check(HistogramDataPoint { explicit_bounds: vec![1.0, f64::NAN], ..values() }, "its bound NaN");
    check(HistogramDataPoint { count: 4, ..values() }, "its buckets hold 3 values, its count says 4");
    check(HistogramDataPoint { sum: Some(f64::INFINITY), ..values() }, "inf is not a number");
    check(HistogramDataPoint { min: Some(4.0), ..values() }, "smallest value 4 is above its largest, 3");
    check(HistogramDataPoint { count: u64::MAX, bucket_counts: vec![u64::MAX, 1, 1], ..values() }, "more than");
}

#[test]
fn exponential_histograms_and_summaries_are_distributions() {
    let positive = Some(exponential_histogram_data_point::Buckets { offset: 0, bucket_counts: vec![1, 2] });
    let point = ExponentialHistogramDataPoint { count: 4, sum: Some(9.0), zero_count: 1, positive, ..Default::default() };
    let point = ExponentialHistogramDataPoint { time_unix_nano: AT, start_time_unix_nano: START, ..point };
    let exponential = |point| {
        let aggregation_temporality = Delta as i32;
        Data::ExponentialHistogram(ExponentialHistogram { data_points: vec![point], aggregation_temporality })
    };
    let taken = one(exponential(point.clone()));
    let buckets = taken.sums.buckets.unwrap();
    assert_eq!((buckets.bounds(), buckets.counts()), (&[1.0, 2.0, 4.0][..], &[1, 1, 2, 0][..]));
    let wrong = ExponentialHistogramDataPoint { count: 9, ..point };
    assert!(refused(exponential(wrong)).contains("its buckets hold 4 values, its count says 9"));
    let summary = SummaryDataPoint { time_unix_nano: AT, start_time_unix_nano: START, count: 5, sum: 2.5, ..Default::default() };
    let taken = one(Data::Summary(Summary { data_points: vec![summary] }));
    assert_eq!((taken.span, taken.sums.count, taken.sums.sum), (Span::SinceStart, 5, 2.5));
}

#[test]
fn a_point_that_says_that_there_is_nothing_is_passed_over() {
    let point = NumberDataPoint { flags: 1, value: None, ..number(Number::AsInt(1)) };
    let (batches, outcome) = taken(vec![resource(&OWNER, vec![Data::Gauge(Gauge { data_points: vec![point] })])]);
    assert_eq!((batches[0].points.len(), batches[0].refused.refused, outcome.refused), (0, 0, 0));
}

#[test]
fn attributes_are_written_as_text() {
    let list = Any::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(Any::IntValue(1)) }, AnyValue::default()] });
    let map = Any::KvlistValue(KeyValueList { values: texts(&[("a", "b")]) });
    let attributes = vec![
        pair("int", Any::IntValue(-5)),
        pair("yes", Any::BoolValue(true)),
        pair("half", Any::DoubleValue(0.5)),
        pair("one", Any::DoubleValue(1.0)),
        pair("bytes", Any::BytesValue(vec![0xab, 1])),
        pair("list", list),
        pair("map", map),
        KeyValue { key: "none".to_owned(), ..KeyValue::default() },
    ];
    let point = one(Data::Gauge(Gauge { data_points: vec![NumberDataPoint { attributes, ..number(Number::AsInt(1)) }] }));
    let is = |name: &str| point.identity.attribute(name).map(str::to_owned);
    let expected = [
        ("int", "-5"),
        ("yes", "true"),
        ("half", "0.5"),
        ("one", "1"),
        ("bytes", "ab01"),
        ("list", "[1,]"),
        ("map", "{a=b}"),
        ("none", ""),
    ];
    for (name, text) in expected {
        assert_eq!(is(name).as_deref(), Some(text), "{name}");
    }
}

#[test]
fn resources_that_are_not_known_are_turned_away_with_the_reason() {
    let gauge = || vec![Data::Gauge(Gauge { data_points: vec![number(Number::AsInt(1)); 3] })];
    let check = |pairs: &[(&str, &str)], expect: &str| {
        let (batches, outcome) = taken(vec![resource(pairs, gauge()), resource(&OWNER, gauge())]);
        assert_eq!((batches.len(), outcome.refused), (1, 3), "the other resource is taken");
        assert_eq!(outcome.sentence(), expect);
        let answer = answer(&outcome).partial_success.unwrap();
        assert_eq!((answer.rejected_data_points, answer.error_message.as_str()), (3, expect));
    };
    check(&[], "a resource does not name its service: set service.name");
    check(&OWNER[..1], "the resource of service \"web\" does not name its environment: set deployment.environment.name");
    check(&OWNER[..2], "the resource of service \"web\" does not name its release: set service.version");
    let known =
        |service, environment| [("service.name", service), ("deployment.environment", environment), ("service.version", "v1")];
    check(&known("shop", "production"), "there is no service \"shop\" with an environment \"production\" here");
    check(&known("Web", "production"), "there is no service \"Web\" with an environment \"production\" here");
    check(&known("web", "moon"), "there is no service \"web\" with an environment \"moon\" here");
    let (batches, _) = taken(vec![resource(&known("web", "staging"), gauge())]);
    assert_eq!(batches[0].scope.environment.as_str(), "staging", "the older name of the attribute is known");
    assert_eq!(answer(&Outcome::default()).partial_success, None);
}

#[test]
fn writers_are_told_apart_by_all_that_they_say_of_themselves() {
    let gauge = || vec![Data::Gauge(Gauge { data_points: vec![number(Number::AsInt(1))] })];
    let of = |more: &[(&str, &str)], scope: Option<&str>| {
        let mut resource = resource(&[&OWNER[..], more].concat(), gauge());
        let named = scope.map(|name| InstrumentationScope { name: name.to_owned(), ..Default::default() });
        resource.scope_metrics[0].scope = named;
        taken(vec![resource]).0[0].points[0].writer
    };
    assert_eq!(of(&[("host", "a"), ("pid", "1")], None), of(&[("pid", "1"), ("host", "a")], None), "in any order");
    assert_ne!(of(&[("host", "a")], None), of(&[("host", "b")], None));
    assert_ne!(of(&[("host", "a")], None), of(&[("host", "a")], Some("library")));
    assert_ne!(of(&[("ab", "c")], None), of(&[("a", "bc")], None));
}
