//! Requests as they are on the wire.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exponential_histogram_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

fn pairs(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    let pair = |(name, value): &(&str, &str)| KeyValue {
        key: (*name).to_owned(),
        value: Some(AnyValue { value: Some(Any::StringValue((*value).to_owned())) }),
        key_strindex: 0,
    };
    pairs.iter().map(pair).collect()
}

/// Returns a request of one resource.
pub(crate) fn request(service: &str, metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let attributes =
        pairs(&[("service.name", service), ("deployment.environment.name", "production"), ("service.version", "v1")]);
    let resource = Some(Resource { attributes, ..Resource::default() });
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics: vec![ResourceMetrics { resource, scope_metrics, ..Default::default() }] }
}

pub(crate) fn metric(name: &str, data: Data) -> Metric {
    Metric { name: name.to_owned(), unit: "s".to_owned(), data: Some(data), ..Metric::default() }
}

pub(crate) fn number(value: f64, at_ns: u64) -> NumberDataPoint {
    NumberDataPoint { time_unix_nano: at_ns, value: Some(Number::AsDouble(value)), ..NumberDataPoint::default() }
}

pub(crate) fn gauge(value: f64, at_ns: u64) -> Metric {
    metric("level", Data::Gauge(Gauge { data_points: vec![number(value, at_ns)] }))
}

/// Returns metrics of every kind.
pub(crate) fn every_kind(at_ns: u64) -> Vec<Metric> {
    let delta = AggregationTemporality::Delta as i32;
    let histogram = HistogramDataPoint {
        attributes: pairs(&[("http.route", "/cart"), ("http.response.status_code", "200")]),
        time_unix_nano: at_ns,
        count: 3,
        sum: Some(4.5),
        explicit_bounds: vec![1.0, 2.0],
        bucket_counts: vec![2, 0, 1],
        ..HistogramDataPoint::default()
    };
    let positive = Some(exponential_histogram_data_point::Buckets { offset: -1, bucket_counts: vec![1, 2] });
    let exponential =
        ExponentialHistogramDataPoint { time_unix_nano: at_ns, count: 3, sum: Some(3.0), positive, ..Default::default() };
    let summary = SummaryDataPoint { time_unix_nano: at_ns, count: 5, sum: 2.5, ..Default::default() };
    let sum = Sum { data_points: vec![number(7.0, at_ns)], aggregation_temporality: delta, is_monotonic: true };
    vec![
        gauge(1.5, at_ns),
        metric("added", Data::Sum(sum)),
        metric("times", Data::Histogram(Histogram { data_points: vec![histogram], aggregation_temporality: delta })),
        metric(
            "sizes",
            Data::ExponentialHistogram(ExponentialHistogram { data_points: vec![exponential], aggregation_temporality: delta }),
        ),
        metric("waits", Data::Summary(Summary { data_points: vec![summary] })),
    ]
}
